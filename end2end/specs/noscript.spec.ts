// The same forms with JavaScript switched off (acceptance 2): sign in, a credential, a build, a roll-back.
import path from 'node:path';
import { Client } from '../fixtures/client';
import { Repository } from '../fixtures/git';
import { answerOf, freePort, lab, uniqueName } from '../fixtures/lab';
import * as story from '../fixtures/story';
import { expect, test, useApp } from '../fixtures/test';

test.use({ javaScriptEnabled: false });
const it = useApp();

test('every step works without script', async ({ page }) => {
  test.setTimeout(120_000);
  const { app } = it;
  const project = uniqueName('plain');
  app.projects.push(project);
  const port = await freePort();
  const repository = await Repository.create(path.join(app.repositories, 'web'));
  await repository.website('version 1');

  await test.step('set up, sign out, sign in', async () => {
    await story.setUp(page, app.url, app.setupToken());
    await story.signOut(page);
    await story.signIn(page, app.url, 'certainly not the password');
    await expect(page.getByRole('alert')).toBeVisible();
    await expect(page.getByLabel('User name'), 'typed values come back').toHaveValue('owner');
    await story.enter(page, app.url);
  });

  await test.step('a credential, with its error at the field', async () => {
    await story.newCredential(page, app.url);
    await story.saveCredential(page, 'Lab push', 'certainly not the password');
    await expect(page.getByLabel('Password or token')).toHaveAttribute('aria-invalid', 'true');
    await expect(page.getByLabel('Name', { exact: true })).toHaveValue('Lab push');
    await story.saveCredential(page, 'Lab push', lab().password);
    await expect(page).toHaveURL(/\/credentials\/cred_/);
    await page.reload();
    await expect(page.locator('main')).toContainText('Lab push');
  });

  let service = '';
  await test.step('a registry and a service', async () => {
    await story.addRegistry(page, app.url, 'Lab registry', 'Lab push', '');
    await story.fillService(page, app.url, { project, name: 'web', repository: repository.folder, port });
    service = await story.saveService(page);
  });

  await test.step('two builds', async () => {
    for (const version of [1, 2]) {
      if (version === 2) await repository.website('version 2');
      await story.startBuild(page, app.url, service);
      await story.succeeds(page, { reload: true });
      await expect(page.locator('#log'), 'the log is in the page').not.toBeEmpty();
      await story.followDeployment(page);
      await story.succeeds(page, { reload: true });
      await expect.poll(() => answerOf(port)).toBe(`version ${version}`);
    }
  });

  await test.step('roll back', async () => {
    await story.rollBack(page, app.url, service, 1);
    await story.succeeds(page, { reload: true });
    await expect.poll(() => answerOf(port)).toBe('version 1');
  });

  await test.step('sign out: the page is gone for good', async () => {
    await story.signOut(page);
    await page.goto(`${app.url}/services/${service}`);
    await expect(page).toHaveURL(/\/sign-in/);
    expect((await new Client(app).get(`/services/${service}`)).path).toMatch(/^\/sign-in/);
  });
});

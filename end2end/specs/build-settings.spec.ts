// How a service's images are built, set by a person: arguments and secrets, a Dockerfile that is typed, a static site. With
// script and without.
import { createHash, randomBytes } from 'node:crypto';
import path from 'node:path';
import type { Page } from '@playwright/test';
import { expectAccessible } from '../fixtures/axe';
import { Repository } from '../fixtures/git';
import { answerOf, freePort, lab, uniqueName } from '../fixtures/lab';
import * as story from '../fixtures/story';
import { expect, ownerOf, test, useApp } from '../fixtures/test';
import { addRegistry, addService } from '../fixtures/things';

const it = useApp();
const sum = (text: string) => createHash('sha256').update(text).digest('hex');
let made = 0;

/** A service of a repository with these files, and a browser that is signed in. */
async function serviceOf(page: Page, files: Record<string, string>) {
  const { app } = it;
  made += 1;
  const project = uniqueName('settings');
  app.projects.push(project);
  const client = await ownerOf(app);
  if (made === 1) await addRegistry(client, 'Lab');
  const repository = await Repository.create(path.join(app.repositories, `built-${made}`));
  await repository.commit({ ...files, mark: repository.mark }, 'Begin');
  const port = await freePort();
  const service = await addService(client, { project, name: 'web', repository: repository.folder, port });
  await story.enter(page, app.url);
  return { service, port, repository };
}

async function save(page: Page) {
  await page.getByRole('button', { name: 'Save build settings' }).click();
}

for (const script of [true, false]) {
  test.describe(script ? 'with script' : 'without script', () => {
    test.use({ javaScriptEnabled: script });

    test('arguments and secrets are set, used, and secrets never seen again', async ({ page }, info) => {
      test.setTimeout(120_000);
      const { app } = it;
      const token = randomBytes(12).toString('base64');
      const key = `first ${randomBytes(8).toString('hex')}\nsecond ${randomBytes(8).toString('hex')}\n`;
      const commands = 'ARG GREETING\nRUN --mount=type=secret,id=TOKEN sha256sum /run/secrets/TOKEN && echo "greets $GREETING"';
      const Dockerfile = `FROM ${lab().base}\nCOPY mark /mark\n${commands}\n`;
      const { service } = await serviceOf(page, { Dockerfile });

      await page.goto(`${app.url}/services/${service}`);
      await page.getByRole('link', { name: 'Build settings' }).click();
      await expect(page.getByRole('heading', { level: 1 })).toHaveText('Build settings');
      if (script) await expectAccessible(page, info);

      const fresh = page.getByRole('group', { name: 'A new secret', exact: true });
      await page.getByLabel('Build arguments').fill('GREETING=the world');
      await fresh.getByLabel('Name').fill('no good name');
      await fresh.getByLabel('Value').fill(token);
      await save(page);
      await expect(page.getByRole('alert')).toContainText('letters, digits');
      await expect(fresh.getByLabel('Name')).toHaveAttribute('aria-invalid', 'true');
      await expect(fresh.getByLabel('Name'), 'names come back').toHaveValue('no good name');
      await expect(fresh.getByLabel('Value'), 'values never do').toHaveValue('');
      await expect(page.getByLabel('Build arguments')).toHaveValue('GREETING=the world');
      if (script) await expectAccessible(page, info);

      await fresh.getByLabel('Name').fill('TOKEN');
      await fresh.getByLabel('Value').fill(token);
      const other = page.getByRole('group', { name: 'Another one' });
      await other.getByLabel('Name').fill('key.pem');
      await other.getByLabel('Value').fill(key);
      await save(page);
      const kept = page.getByRole('group', { name: 'TOKEN' });
      await expect(kept).toBeVisible();
      await expect(kept.getByLabel('New value')).toHaveValue('');
      await expect(page.getByRole('group', { name: 'key.pem' })).toBeVisible();
      expect(await page.content()).not.toContain(token);
      if (script) await story.picture(page, 'build-settings');

      await story.startBuild(page, app.url, service);
      await story.succeeds(page, { reload: !script });
      await expect(page.locator('#log')).toContainText('greets the world');
      await expect(page.locator('#log')).toContainText(sum(token));

      // Replaced, and the other one removed; the argument stays.
      const replaced = randomBytes(12).toString('base64');
      await page.goto(`${app.url}/services/${service}/build`);
      await page.getByRole('group', { name: 'TOKEN' }).getByLabel('New value').fill(replaced);
      await page.getByRole('group', { name: 'key.pem' }).getByLabel('Remove this secret').check();
      await save(page);
      await expect(page.getByRole('group', { name: 'key.pem' })).toHaveCount(0);
      await story.startBuild(page, app.url, service);
      await story.succeeds(page, { reload: !script });
      // A secret's value is no part of what BuildKit takes a step from its cache by.
      await page.goto(`${app.url}/services/${service}/build`);
      await page.getByLabel('Build arguments').fill('GREETING=everybody');
      await save(page);
      await story.startBuild(page, app.url, service);
      await story.succeeds(page, { reload: !script });
      await expect(page.locator('#log')).toContainText(sum(replaced));
      await expect(page.locator('#log')).toContainText('greets everybody');
    });

    test('a Dockerfile that is typed builds a repository without one', async ({ page }, info) => {
      test.setTimeout(120_000);
      const { app } = it;
      const { service, port } = await serviceOf(page, { 'www/index.html': 'typed\n' });
      await page.goto(`${app.url}/services/${service}/edit`);
      const text = page.getByLabel('Text of the Dockerfile');
      await expect(text, 'fields of other ways are out of sight').toBeHidden();
      await page.locator('label', { hasText: 'Dockerfile typed here' }).click();
      await expect(page.getByRole('radio', { name: 'Dockerfile typed here' })).toBeChecked();
      await expect(page.getByLabel('Dockerfile', { exact: true })).toBeHidden();
      await text.fill('');
      await page.getByRole('button', { name: 'Save service' }).click();
      await expect(text).toHaveAttribute('aria-invalid', 'true');
      if (script) await expectAccessible(page, info);
      await text.fill(`FROM ${lab().base}\nSTOPSIGNAL SIGKILL\nCOPY www mark /www/\nCMD ["httpd", "-f", "-p", "8080", "-h", "/www"]\n`);
      await story.saveService(page);
      await expect(page.locator('main')).toContainText('A Dockerfile that was typed');
      await story.startBuild(page, app.url, service);
      await story.succeeds(page, { reload: !script });
      await story.followDeployment(page);
      await story.succeeds(page, { reload: !script });
      await expect.poll(() => answerOf(port)).toBe('typed');
      await page.goto(`${app.url}/services/${service}/edit`);
      await expect(text, 'it is kept').toHaveValue(/^FROM /);
    });

    test('a folder becomes a site, once there is a web server for it', async ({ page }, info) => {
      test.setTimeout(120_000);
      const { app } = it;
      const { service, port } = await serviceOf(page, { 'public/index.html': 'static\n' });
      await page.goto(`${app.url}/settings/builds`);
      await page.getByLabel('Web server for static sites').fill(`${lab().base} /www httpd -f -p 8080 -h /www`);
      await page.getByRole('button', { name: 'Save rules' }).click();
      await page.goto(`${app.url}/services/${service}/edit`);
      await page.locator('label', { hasText: 'Static site' }).click();
      await expect(page.getByRole('radio', { name: 'Static site' })).toBeChecked();
      await expect(page.getByLabel('Build context'), 'a site has none of its own').toBeHidden();
      await page.getByLabel('Folder of the site').fill('public');
      if (script) await expectAccessible(page, info);
      await story.saveService(page);
      await expect(page.locator('main')).toContainText('Static site: public');
      await story.startBuild(page, app.url, service);
      await story.succeeds(page, { reload: !script });
      await story.followDeployment(page);
      await story.succeeds(page, { reload: !script });
      await expect.poll(() => answerOf(port)).toBe('static');
    });
  });
}

// Deployments that always come back (issue 6, acceptance 1): five versions, back to each; a version whose image is gone says
// so before anybody needs it; one that fails its health check goes back by itself; what waits, and what is pinned.
import { expectAccessible } from '../fixtures/axe';
import type { Client } from '../fixtures/client';
import { GitServer, type Repository } from '../fixtures/git';
import { answerOf, freePort, registryRequest, uniqueName } from '../fixtures/lab';
import * as story from '../fixtures/story';
import { expect, ownerOf, test, useApp } from '../fixtures/test';
import { addRegistry, addService, buildEnds, deploymentEnds, deploymentFacts, startBuild } from '../fixtures/things';

const project = uniqueName('back');
let git: GitServer;
const it = useApp(async () => {
  git = await GitServer.start();
  return { gitAuthority: git.authority };
});

test.afterAll(() => git.stop());
test.describe.configure({ mode: 'serial' });

let client: Client;
let repository: Repository;
let port = 0;
let service = '';
/** Ids of the five deployments, by number. */
const deployments: string[] = [];

test.beforeAll(async () => {
  test.setTimeout(600_000);
  it.app.projects.push(project);
  client = await ownerOf(it.app);
  await addRegistry(client, 'Lab', undefined, 'back');
  repository = await git.create('back.git');
  port = await freePort();
  await repository.website('version 1');
  service = await addService(client, { project, name: 'Back', repository: git.url(repository), port });
  for (let version = 1; version <= 5; version++) {
    if (version > 1) await repository.website(`version ${version}`);
    const build = await buildEnds(client, await startBuild(client, service), 120);
    expect(build.state, build.text).toBe('succeeded');
    const deployed = await deploymentEnds(client, build.deployment ?? '', 120);
    expect(deployed.state, deployed.text).toBe('succeeded');
    deployments[version] = build.deployment ?? '';
  }
});

test('five versions, and back to each of them', async ({ page }, info) => {
  test.setTimeout(400_000);
  const { url } = it.app;
  await story.enter(page, url);
  await expect.poll(() => answerOf(port)).toBe('version 5');
  for (const version of [1, 4, 2, 5, 3]) {
    await story.rollBack(page, url, service, version);
    await story.succeeds(page);
    await expect(page.locator('main')).toContainText(`Rolled back to deployment ${version}`);
    await expect.poll(() => answerOf(port), { timeout: 20_000 }).toBe(`version ${version}`);
  }
  await page.goto(`${url}/services/${service}`);
  const banner = page.locator('.note', { hasText: 'Automatic deployments are paused.' });
  await expect(banner, 'since when, who, and to what').toContainText('owner rolled back to deployment 3');
  await expectAccessible(page, info);
  await story.picture(page, 'rollback-service');
  await page.goto(`${url}/`);
  await expect(page.locator('main')).toContainText('automatic deployments are paused');
  await page.goto(`${url}/services/${service}`);
  await banner.getByRole('button', { name: 'Resume', exact: true }).click();
  await expect(page.locator('.note', { hasText: 'Automatic deployments are paused.' })).toHaveCount(0);
});

test('without script: what changes, and the image alone', async ({ browser }) => {
  test.setTimeout(90_000);
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  const { url } = it.app;
  await story.enter(page, url);
  await page.goto(`${url}/services/${service}`);
  await page.getByRole('link', { name: 'Choose what of deployment 4', exact: true }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Roll back to deployment 4');
  await expect(page.getByRole('table', { name: 'What changes' }).or(page.getByRole('region', { name: 'What changes' })).first()).toContainText('Image');
  await page.getByText('Image only', { exact: true }).click();
  await page.getByRole('button', { name: 'Roll back', exact: true }).click();
  await expect(page).toHaveURL(/\/deployments\/dep_[0-9a-z]{12}$/);
  await story.succeeds(page, { reload: true });
  await expect(page.locator('main')).toContainText('Rolled back to deployment 4, image only');
  await expect.poll(() => answerOf(port)).toBe('version 4');
  await context.close();
});

test('a lamp turns red within a minute when the image is gone, and the button says why', async ({ page }, info) => {
  test.setTimeout(150_000);
  const { url } = it.app;
  await story.enter(page, url);
  await page.goto(`${url}/services/${service}`);
  const row = page.locator('.timeline > li').filter({ has: page.locator(`.n a[href="/deployments/${deployments[2]}"]`) });
  await expect(async () => {
    await page.reload();
    await expect(row.locator('.badge', { hasText: 'Ready' })).toBeVisible({ timeout: 500 });
  }).toPass({ timeout: 60_000 });

  const { reference = '', digest = '' } = await deploymentFacts(client, deployments[2] ?? '');
  const name = reference.replace(/^[^/]+\//, '').replace(/:[^:]*$/, '');
  expect((await registryRequest('DELETE', `/v2/${name}/manifests/${digest}`)).status).toBe(202);
  const gone = Date.now();
  const button = page.getByRole('button', { name: 'Roll back to deployment 2', exact: true });
  await expect(async () => {
    await page.reload();
    await expect(button).toHaveAttribute('aria-disabled', 'true', { timeout: 200 });
  }).toPass({ timeout: 60_000, intervals: [1_000] });
  console.log(`    the lamp was red after ${((Date.now() - gone) / 1_000).toFixed(0)} s`);
  const why = page.locator(`#${await button.getAttribute('aria-describedby')}`);
  await expect(why).toContainText("doesn't have");
  await expectAccessible(page, info);
  await story.picture(page, 'rollback-red');

  // Sent anyway, it is refused with the same reason.
  await button.click({ force: true });
  await expect(page.getByRole('alert')).toContainText("doesn't have");
  await expect.poll(() => answerOf(port)).toBe('version 4');
  await page.goto(`${url}/deployments/${deployments[2]}/roll-back`);
  await expect(page.locator('#readiness')).toContainText("doesn't have");
  await expectAccessible(page, info);
  await story.picture(page, 'rollback-choose');
});

test('a version that fails its health check goes back by itself', async ({ page }, info) => {
  test.setTimeout(300_000);
  const { url } = it.app;
  const sick = 'RUN touch /sick\nHEALTHCHECK --interval=1s --retries=2 CMD test ! -e /sick';
  await repository.website('version 6', { extra: sick });
  const build = await buildEnds(client, await startBuild(client, service), 120);
  expect(build.state, build.text).toBe('succeeded');
  const failed = await deploymentEnds(client, build.deployment ?? '', 90);
  expect(failed.state, failed.text).toBe('failed');
  await story.enter(page, url);
  await page.goto(`${url}/deployments/${build.deployment}`);
  const note = page.locator('.note', { hasText: /Deployment \d+ was put back automatically\./ });
  await expect(note).toBeVisible();
  await expectAccessible(page, info);
  await page.goto(`${url}/services/${service}`);
  await expect(note, "the service's page says so too").toBeVisible();
  await expect.poll(() => answerOf(port), { timeout: 30_000 }).toBe('version 4');
});

test('a pin keeps a version, and the window is a number', async ({ page }, info) => {
  const { url } = it.app;
  await story.enter(page, url);
  await page.goto(`${url}/deployments/${deployments[1]}`);
  await page.getByRole('button', { name: 'Pin', exact: true }).click();
  await expect(page.locator('main')).toContainText('Pinned by owner');
  await expectAccessible(page, info);
  await page.goto(`${url}/services/${service}`);
  const window = page.getByLabel('Deployments that stay ready');
  await window.fill('0');
  await page.getByRole('button', { name: 'Save number' }).click();
  await expect(window).toHaveAttribute('aria-invalid', 'true');
  await window.fill('2');
  await page.getByRole('button', { name: 'Save number' }).click();
  await expect(window).toHaveValue('2');
  await expect(page.locator('main')).toContainText('older than the last 2 that ran well');
  const pinned = page.locator('.timeline > li').filter({ has: page.locator(`.n a[href="/deployments/${deployments[1]}"]`) });
  await expect(pinned, 'the pinned one is kept all the same').toContainText('Pinned by owner');
  await expect(pinned).not.toContainText('Not kept');
  await page.goto(`${url}/deployments/${deployments[1]}`);
  await page.getByRole('button', { name: 'Unpin', exact: true }).click();
  await expect(page.locator('main')).not.toContainText('Pinned by');
});

// What a push will be called, while it is typed, and whether it may be pushed there, before any build.
import path from 'node:path';
import { expectAccessible } from '../fixtures/axe';
import { Repository } from '../fixtures/git';
import { lab, uniqueName } from '../fixtures/lab';
import { RegistryGate } from '../fixtures/proxy';
import * as story from '../fixtures/story';
import { expect, ownerOf, test, useApp } from '../fixtures/test';
import { addRegistry, addService } from '../fixtures/things';

const it = useApp();
const project = uniqueName('named');
let gate: RegistryGate;
let repository: Repository;
/** Pushes to Docker Hub's rules, at a gate that keeps them. */
let hub = '';

test.describe.configure({ mode: 'serial' });

test.beforeAll(async () => {
  const { app } = it;
  gate = await RegistryGate.start();
  repository = await Repository.create(path.join(app.repositories, 'web'));
  await repository.website('version 1');
  const client = await ownerOf(app);
  await addRegistry(client, 'Lab registry', undefined, 'team');
  const credential = await client.create('credentials/create', '/credentials/new', {
    'form[name]': 'Hub',
    'form[url]': `http://${gate.address}`,
    'form[username]': lab().username,
    'form[password]': lab().password,
    'form[provider]': 'docker-hub',
    'form[internal]': 'on',
  });
  hub = await client.create('registries/create', '/registries/new', {
    'form[name]': 'Hub registry',
    'form[credential]': credential,
    'form[base_path]': 'acme',
  });
  gate.rule = (method, where) => {
    if (method !== 'POST' || /^\/v2\/acme\/[^/]+\/blobs\//.test(where)) return 'pass';
    return { status: 403, body: '{"errors":[{"code":"DENIED","message":"requested access to the resource is denied"}]}' };
  };
});

test.afterAll(() => gate.stop());

const uploads = () => gate.seen.filter(({ path }) => path.includes('/blobs/uploads/')).length;

test('the preview follows what is typed and names the rule that forbids it', async ({ page }, info) => {
  const { app } = it;
  await story.enter(page, app.url);
  await page.goto(`${app.url}/services/new`);
  const shown = page.locator('#push-name');
  const name = page.locator('#push-preview');
  await expect(shown).toContainText('Fill in project and name');
  await page.getByLabel('Project', { exact: true }).fill(project);
  await page.getByLabel('Name', { exact: true }).fill('Web shop');
  await expect(name).toHaveText(`${lab().registry}/team/${project}/web-shop-‹id›:‹commit›`);
  await page.getByLabel('Registry', { exact: true }).selectOption(hub);
  await expect(name, 'two parts').toHaveText(`${gate.address}/acme/${project}-web-shop-‹id›:‹commit›`);
  await page.getByLabel('Base path').fill('library');
  await expect(shown.locator('[data-rule="docker-hub.official"]')).toBeVisible();
  await expect(name).toHaveCount(0);
  await expectAccessible(page, info);
  await story.picture(page, 'push-name-forbidden');
  await page.getByLabel('Base path').fill('');
  await expect(name).toBeVisible();
  expect(uploads(), 'the registry was not asked').toBe(0);
});

test('the check proves the right to push, and keeps what is typed', async ({ page }, info) => {
  const { app } = it;
  await story.enter(page, app.url);
  await page.goto(`${app.url}/services/new`);
  await page.getByLabel('Project', { exact: true }).fill(project);
  await page.getByLabel('Name', { exact: true }).fill('Web shop');
  await page.getByLabel('Environment variables').fill('TOKEN=kept');
  await page.getByLabel('Registry', { exact: true }).selectOption(hub);
  const check = page.getByRole('button', { name: 'Check the right to push' });
  await check.click();
  const shown = page.locator('#push-name');
  await expect(shown).toContainText(`Slipway may push to ${gate.address}/acme/${project}-web-shop-‹id›`);
  await expect.poll(() => gate.seen.filter(({ method, path }) => method === 'DELETE' && path.includes('/blobs/uploads/')).length, 'the upload is cancelled').toBeGreaterThan(0);
  await expectAccessible(page, info);
  await story.picture(page, 'push-checked');

  await page.getByLabel('Base path').fill('others');
  await expect(shown, 'an old outcome is gone').not.toContainText('Slipway may push');
  await check.click();
  await expect(shown.locator('[data-problem="registry.denied"]')).toContainText('exactly two parts');
  await expect(page.getByLabel('Environment variables'), 'nothing typed is lost').toHaveValue('TOKEN=kept');
  expect(new URL(page.url()).pathname).toBe('/services/new');
});

test('a saved service is checked on its page, also without script', async ({ browser }) => {
  const { app } = it;
  const client = await ownerOf(app);
  app.projects.push(project);
  const service = await addService(client, { project, name: 'web', repository: repository.folder });
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await story.enter(page, app.url);
  await page.goto(`${app.url}/services/${service}`);
  await expect(page.locator('#push-preview')).toContainText(`${lab().registry}/team/${project}/web-`);
  await page.getByRole('button', { name: 'Check the right to push' }).click();
  await expect(page).toHaveURL(new RegExp(`/services/${service}$`));
  await expect(page.getByRole('status').first()).toContainText(`Slipway may push to ${lab().registry}/team/${project}/web-`);

  // The form: another registry and a path that it refuses.
  await page.goto(`${app.url}/services/${service}/edit`);
  await page.getByLabel('Registry', { exact: true }).selectOption(hub);
  await page.getByLabel('Base path').fill('others');
  await page.getByRole('button', { name: 'Check the right to push' }).click();
  await expect(page.getByRole('alert')).toContainText('exactly two parts');
  await expect(page.getByLabel('Base path'), 'what was typed is kept').toHaveValue('others');
  await expect(page.locator('#push-preview')).toContainText(`${gate.address}/others/${project}-web-`);
  await page.getByLabel('Base path').fill('acme');
  await page.getByRole('button', { name: 'Check the right to push' }).click();
  await expect(page.getByRole('status').first()).toContainText(`Slipway may push to ${gate.address}/acme/${project}-web-`);
  await expect(page.getByLabel('Base path'), 'what was typed is kept').toHaveValue('acme');
  await page.goto(`${app.url}/services/${service}`);
  await expect(page.locator('#push-preview'), 'nothing was saved').toContainText(`${lab().registry}/team/`);
  await context.close();
});

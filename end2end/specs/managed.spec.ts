// A registry that Slipway runs, on a real engine: created, built into, looked at, restarted, given a new password, deleted.
import type { Page } from '@playwright/test';
import { expectAccessible } from '../fixtures/axe';
import { Repository, websiteDockerfile } from '../fixtures/git';
import { answerOf, docker, freePort, lab, swarmServices, uniqueName } from '../fixtures/lab';
import * as managed from '../fixtures/managed';
import * as story from '../fixtures/story';
import { expect, ownerOf, test, useApp } from '../fixtures/test';
import { addService, buildAndDeploy, buildEnds, until } from '../fixtures/things';
import path from 'node:path';

const it = useApp(() => ({ env: { SLIPWAY_REGISTRY_IMAGE: 'slipway-lab/registry:2' } }));
const made: string[] = [];

test.afterAll(async () => {
  test.setTimeout(120_000);
  // Slipway would bring back what is removed under its eyes.
  await it.app.stop();
  for (const registry of made) await managed.removeRegistry(registry);
});

/** Fills in the form for a registry in a volume. */
async function fill(page: Page, name: string, port: number): Promise<void> {
  await page.goto(`${it.app.url}/registries/new`);
  await page.getByLabel('Name', { exact: true }).fill(name);
  await story.openMore(page);
  await page.getByLabel('Port', { exact: true }).fill(String(port));
}

/** The registry's id, from its page. */
function idOf(page: Page): string {
  return /reg_[0-9a-z]{12}/.exec(page.url())?.[0] ?? '';
}

/** Waits until the page says so, by itself. */
async function isWell(page: Page, seconds = 90): Promise<void> {
  // The page follows a job and its state without being asked.
  await expect(page.locator('#state [data-state]')).toHaveAttribute('data-state', 'healthy', { timeout: seconds * 1_000 });
}

test('from nothing to a registry that runs, is built into, is restarted, rotated and deleted', async ({ page, context, faults }, info) => {
  test.setTimeout(420_000);
  const { app } = it;
  const project = uniqueName('own');
  app.projects.push(project);
  const client = await ownerOf(app);
  // The page asks for news of a registry that is gone.
  faults.expect(/status of 404 .*\/registries\/reg_/);
  const port = await freePort();
  await story.enter(page, app.url);

  let registry = '';
  await test.step('create: every step goes green', async () => {
    await fill(page, 'Ours', port);
    await expectAccessible(page, info);
    await story.picture(page, 'registry-new');
    await page.getByRole('button', { name: 'Create registry' }).click();
    await expect(page).toHaveURL(/\/registries\/reg_/);
    registry = idOf(page);
    made.push(registry);
    await story.picture(page, 'registry-creating');
    await isWell(page);
    await expect(page.locator('main'), 'the first one is the default').toContainText(/default/i);
    expect((await managed.leftovers(registry)).length, 'service, two secrets, volume').toBeGreaterThanOrEqual(4);
    await expectAccessible(page, info);
    await story.picture(page, 'registry-healthy');
    const [created = ''] = (await client.get('/jobs')).body.match(/job_[0-9a-z]{12}/) ?? [];
    await page.goto(`${app.url}/jobs/${created}`);
    await expect(story.badge(page)).toHaveAttribute('data-state', 'succeeded');
    const steps = await page.locator('#steps > li').evaluateAll((items) => items.map((item) => `${item.className}: ${item.textContent}`));
    expect(steps.length).toBeGreaterThanOrEqual(7);
    for (const step of steps) expect(step).toMatch(/^ok: /);
    for (const words of [/network/i, /secrets/i, /volume/i, /healthy/i, /push and pull/i]) expect(steps.join('\n')).toMatch(words);
  });

  await test.step('nothing secret is in what Docker shows', async () => {
    const { password } = await story.registryLogin(page, app.url, registry);
    expect(password.length).toBeGreaterThan(30);
    const shown = await docker(['service', 'inspect', await managed.serviceOf(registry)]);
    expect(shown).not.toContain(password);
    expect(shown).not.toMatch(/\$2[aby]\$/);
    expect((await managed.ask(port, '/v2/')).status, 'nobody comes in without a password').toBe(401);
    expect((await managed.ask(port, '/v2/', { username: 'slipway', password })).status).toBe(200);
  });

  const web = await freePort();
  const repository = await Repository.create(path.join(app.repositories, 'web'));
  let base = '';
  let service = '';
  await test.step('build a service into it, while the log shows the push', async () => {
    base = await managed.pushBase(port, await story.registryLogin(page, app.url, registry));
    await repository.website('version 1', { base });
    service = await addService(client, { project, name: 'Web', repository: repository.folder, port: web });
    const logs = await context.newPage();
    await logs.goto(`${app.url}/registries/${registry}/logs`);
    await expectAccessible(logs, info);
    await buildAndDeploy(client, service);
    await expect(logs.locator('#log'), 'the push of the manifest, live').toContainText(new RegExp(`Push of ${project}/web-[0-9a-z]+:[0-9a-f]{40}: 201`), { timeout: 20_000 });
    await story.picture(logs, 'registry-logs');
    await logs.getByLabel('Contains').fill('push of');
    await logs.getByRole('button', { name: 'Show' }).click();
    await expect(logs.locator('#log')).toContainText('Push of');
    const lines = await logs.locator('#log li:not(.step)').allInnerTexts();
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) expect(line).toContain('Push of');
    await logs.close();
    await expect.poll(() => answerOf(web)).toBe('version 1');
  });

  await test.step('restart: healthy again, and a build works again', async () => {
    await page.goto(`${app.url}/registries/${registry}`);
    await page.getByRole('button', { name: 'Restart' }).click();
    await expect(page.locator('main')).toContainText(/restart/i);
    await until('the end of the restart', async () => {
      const jobs = (await client.get('/jobs')).body;
      return /data-state="(queued|running)"/.test(jobs) ? undefined : true;
    }, 90);
    await isWell(page);
    await repository.website('version 2', { base });
    await buildAndDeploy(client, service);
    await expect.poll(() => answerOf(web)).toBe('version 2');
  });

  await test.step('a new password: the old one is refused, and what runs comes back on a node that forgot it', async () => {
    const old = await story.registryLogin(page, app.url, registry);
    await page.goto(`${app.url}/registries/${registry}`);
    await page.getByRole('button', { name: 'Change the password' }).click();
    const now = await until('another password', async () => {
      const seen = await story.registryLogin(page, app.url, registry);
      return seen.password !== old.password && seen;
    }, 90);
    expect((await managed.ask(port, '/v2/', old)).status).toBe(401);
    expect((await managed.ask(port, '/v2/', now)).status).toBe(200);
    // The services that pull with it hear of it by jobs of their own.
    await until('that the Swarm has the new login', async () => {
      const jobs = (await client.get('/jobs')).body;
      return /data-state="(queued|running)"/.test(jobs) ? undefined : true;
    }, 60);
    const [running = ''] = await swarmServices(project);
    const image = (await docker(['service', 'inspect', '--format', '{{.Spec.TaskTemplate.ContainerSpec.Image}}', running])).trim();
    await managed.forgetOnNode(running, image);
    await expect.poll(() => answerOf(web), { timeout: 60_000 }).toBe('version 2');
    await repository.website('version 3', { base });
    await buildAndDeploy(client, service);
    await expect.poll(() => answerOf(web)).toBe('version 3');
  });

  await test.step('usage and uptime are shown', async () => {
    await page.goto(`${app.url}/registries/${registry}`);
    await page.getByRole('button', { name: 'Probe now' }).click();
    // The base image and three versions.
    await expect(page.locator('#usage')).toContainText('4 tags', { timeout: 30_000 });
    await isWell(page);
    await story.picture(page, 'registry-used');
  });

  await test.step('an edit that is wrong says so at the field', async () => {
    await page.goto(`${app.url}/registries/${registry}/edit`);
    await expectAccessible(page, info);
    await page.getByLabel('Build for several platforms').check();
    await page.getByLabel('Platforms', { exact: true }).fill('no such thing');
    await page.getByRole('button', { name: 'Save registry' }).click();
    await expect(page.getByLabel('Platforms', { exact: true })).toHaveAttribute('aria-invalid', 'true');
    await expect(page.getByLabel('Platforms', { exact: true }), 'what was typed is kept').toHaveValue('no such thing');
  });

  await test.step('deletion: refused while a service runs from it, then it takes the name, and nothing is left', async () => {
    await page.goto(`${app.url}/registries/${registry}/delete`);
    await expectAccessible(page, info);
    await page.getByLabel('Type the registry\'s name').fill('Ours');
    await page.getByRole('button', { name: /^Delete/ }).click();
    await expect(page.getByRole('alert').first()).toContainText('Web');
    await client.submit('services/delete', `/services/${service}/delete`, { id: service, confirm: 'Web' });
    await expect.poll(() => swarmServices(project), { timeout: 30_000 }).toEqual([]);
    await page.goto(`${app.url}/registries/${registry}/delete`);
    await page.getByLabel('Type the registry\'s name').fill('ours, nearly');
    await page.getByRole('button', { name: /^Delete/ }).click();
    await expect(page.locator('[aria-invalid="true"]')).toHaveCount(1);
    await page.getByLabel('Type the registry\'s name').fill('Ours');
    await page.getByLabel('Keep the data volume').uncheck();
    await page.getByRole('button', { name: /^Delete/ }).click();
    await expect.poll(async () => (await client.get(`/registries/${registry}`)).status, { timeout: 60_000 }).toBe(404);
    expect(await managed.leftovers(registry), 'nothing is left of it').toEqual([]);
    expect((await client.get('/credentials')).body, 'its credential went with it').not.toMatch(/cred_[0-9a-z]{12}/);
  });
});

test('a creation that fails says why, leaves nothing behind, and works when tried again', async ({ page, faults }) => {
  test.setTimeout(240_000);
  const { app } = it;
  const client = await ownerOf(app);
  await story.enter(page, app.url);
  // The page asks for news of a registry that is gone.
  faults.expect(/status of 404 .*\/registries\/reg_/);
  const port = await freePort();
  // Somebody else's port: seen before anything is made.
  await fill(page, 'Unlucky', Number(new URL(app.url).port));
  await page.getByRole('button', { name: 'Create registry' }).click();
  await expect(page.getByLabel('Port', { exact: true })).toHaveAttribute('aria-invalid', 'true');
  await expect(page.getByLabel('Name', { exact: true }), 'what was typed is kept').toHaveValue('Unlucky');
  // An image that nobody has.
  await fill(page, 'Unlucky', port);
  await page.getByLabel('Registry image').fill('127.0.0.1:9/not/there:2');
  await page.getByRole('button', { name: 'Create registry' }).click();
  await expect(page).toHaveURL(/\/registries\/reg_/);
  const registry = idOf(page);
  made.push(registry);
  await expect(page.locator('#state [data-state]')).toHaveAttribute('data-state', 'not_created', { timeout: 120_000 });
  await expect(page.locator('main')).toContainText(/not\/there/);
  expect(await managed.leftovers(registry), 'nothing is left of it').toEqual([]);
  // Nothing builds there meanwhile.
  const project = uniqueName('nobuild');
  app.projects.push(project);
  const repository = await Repository.create(path.join(app.repositories, 'nobuild'));
  await repository.commit({ Dockerfile: websiteDockerfile(lab().base), 'www/index.html': 'x' }, 'Say x');
  const service = await addService(client, { project, name: 'Web', repository: repository.folder });
  const refused = await client.post('builds/start', `/services/${service}`, { service, deploy: '' });
  if (/\/builds\/bld_/.test(String(refused.headers.location))) {
    const build = await buildEnds(client, /bld_[0-9a-z]{12}/.exec(String(refused.headers.location))?.[0] ?? '');
    expect(build.state).toBe('failed');
    expect(build.text).toContain('Unlucky');
  }
  // It can go at once, as nothing of it runs.
  await page.goto(`${app.url}/registries/${registry}/delete`);
  await page.getByLabel('Type the registry\'s name').fill('Unlucky');
  await page.getByRole('button', { name: /^Delete/ }).click();
  await expect.poll(async () => (await client.get(`/registries/${registry}`)).status, { timeout: 60_000 }).toBe(404);
});

// The garbage of a registry that Slipway runs: collected by hand while a build waits for it, which then succeeds; and a crash
// at every step of it, after which the registry is writable and complete.
import path from 'node:path';
import { childrenEnd } from '../fixtures/aftermath';
import { expectAccessible } from '../fixtures/axe';
import { attribute, type Client } from '../fixtures/client';
import { Repository } from '../fixtures/git';
import { docker, freePort, uniqueName } from '../fixtures/lab';
import * as managed from '../fixtures/managed';
import * as story from '../fixtures/story';
import { expect, ownerOf, test, useApp } from '../fixtures/test';
import { addService, buildAndDeploy, buildEnds, buildFacts, logOf, startBuild, until } from '../fixtures/things';
import fs from 'node:fs';

const it = useApp(() => ({ env: { SLIPWAY_REGISTRY_IMAGE: 'slipway-lab/registry:2' } }));
const project = uniqueName('garbage');
let client: Client;
let repository: Repository;
let registry = '';
let service = '';
let version = 0;

test.beforeAll(async () => {
  test.setTimeout(240_000);
  const { app } = it;
  app.projects.push(project);
  client = await ownerOf(app);
  registry = await client.create('registries/create-managed', '/registries/new', {
    'form[name]': 'Ours',
    'form[port]': String(await freePort()),
    'form[storage]': 'volume',
  });
  await until('a registry that runs', async () => /data-state="healthy"/.test((await client.get(`/registries/${registry}`)).body), 150);
  repository = await Repository.create(path.join(app.repositories, 'web'));
  await repository.website('version 0');
  service = await addService(client, { project, name: 'web', repository: repository.folder });
  await buildAndDeploy(client, service);
});

test.afterAll(async () => {
  test.setTimeout(120_000);
  await it.app.stop();
  if (registry) await managed.removeRegistry(registry);
});

const page = () => client.get(`/registries/${registry}/garbage`);

/** Runs that ended, the newest first: how. */
async function runs(): Promise<string[]> {
  const { body } = await page();
  const table = body.slice(body.indexOf('aria-label="Runs"'));
  return table.includes('<tbody') ? table.split('<tr>').slice(2).map((row) => attribute(row, 'data-state') ?? '') : [];
}

/** The registry takes a build, and what was there before is there. */
async function isWell(): Promise<void> {
  version += 1;
  await repository.website(`version ${version}`);
  const build = await buildEnds(client, await startBuild(client, service, false), 120);
  expect(build.state, `${build.text}\n${await logOf(client, build.job)}`).toBe('succeeded');
  const garbage = ['--filter', `label=slipway.registry=${registry}`, '--filter', 'label=slipway.role=registry-garbage'];
  expect((await docker(['service', 'ls', '--quiet', ...garbage])).trim(), 'nothing collects any more').toBe('');
}

test('garbage is collected by hand, and a build waits for it', async ({ page: tab, context }, info) => {
  test.setTimeout(300_000);
  const { app } = it;
  await context.clearCookies();
  await story.enter(tab, app.url);
  await tab.goto(`${app.url}/registries/${registry}`);
  await tab.getByRole('link', { name: 'Garbage' }).click();
  await expect(tab.getByRole('heading', { level: 1 })).toHaveText('Garbage of Ours');
  await expectAccessible(tab, info);
  await tab.getByRole('button', { name: 'Collect now' }).click();
  await until('that pushes wait', async () => (await page()).body.includes('builds wait with their pushes, and other pushes'), 60);
  await tab.reload();
  await expect(tab.getByText('Garbage is being collected', { exact: true })).toBeVisible();
  const build = await startBuild(client, service, false);
  const waits = 'It waits with its push: the garbage of its registry is being collected.';
  await until('that the build waits', async () => (await buildFacts(client, build)).text.includes(waits), 60);
  const ended = await buildEnds(client, build, 180);
  expect(ended.state, `${ended.text}\n${await logOf(client, ended.job)}`).toBe('succeeded');
  expect(await logOf(client, ended.job)).toContain('Waiting: the garbage of the registry Ours is being collected.');
  await until('the end of it', async () => (await runs())[0] === 'succeeded', 60);
  await tab.reload();
  await expect(tab.getByRole('region', { name: 'Runs' })).toContainText('By hand');

  await tab.getByLabel('Hours between two runs').fill('168');
  await tab.getByLabel('When less than this is free').fill('10');
  await tab.getByRole('button', { name: 'Save' }).click();
  await expect(tab.getByText('Saved.')).toBeVisible();
  await expect(tab.getByLabel('Hours between two runs')).toHaveValue('168');
  await isWell();
});

const steps = [...fs.readFileSync(path.join(__dirname, '../../src/registries/garbage.rs'), 'utf8').matchAll(/\bstep\(\s*"([^"]+)"/g)]
  .map(([, name]) => name ?? '')
  // What follows a failure.
  .filter((name) => name !== 'return');

for (const point of ['claimed', ...steps.map((step) => `${step}.done`), `${steps.at(-1)}.after`].map((at) => `collect_garbage.${at}`)) {
  test(`a crash at ${point}`, async () => {
    test.setTimeout(300_000);
    const { app } = it;
    const before = (await runs()).length;
    fs.rmSync(app.aborted, { force: true });
    await app.stop();
    await app.boot({ SLIPWAY_ABORT_AT: point, SLIPWAY_ABORT_ONCE: app.aborted });
    await client.post('registries/collect-garbage', `/registries/${registry}/garbage`, { id: registry });
    const ended = await Promise.race([app.end(), new Promise<undefined>((resolve) => setTimeout(resolve, 120_000))]);
    expect(ended, `${point} was reached`).toBeDefined();
    await childrenEnd(app);
    await app.boot({ SLIPWAY_ABORT_AT: point, SLIPWAY_ABORT_ONCE: app.aborted });
    await until('a good end', async () => {
      const all = await runs();
      return all.length > before && all[0] === 'succeeded';
    }, 180);
    await isWell();
  });
}

// Without a build registry nothing is cloned: the build is refused at once, with words and a way out (acceptance 6).
import fs from 'node:fs';
import path from 'node:path';
import { expectAccessible } from '../fixtures/axe';
import { GitServer } from '../fixtures/git';
import { uniqueName } from '../fixtures/lab';
import * as story from '../fixtures/story';
import { expect, ownerOf, test, useApp } from '../fixtures/test';
import { addRegistry, addService, buildEnds, idsOn, logOf, startBuild } from '../fixtures/things';
import { RegistryGate } from '../fixtures/proxy';

let git: GitServer;
const it = useApp(async () => {
  git = await GitServer.start();
  return { gitAuthority: git.authority };
});

test.afterAll(() => git.stop());

test.describe.configure({ mode: 'serial' });
const project = uniqueName('lonely');
let service = '';

test('no registry: the build is refused before anything is cloned', async ({ page }, info) => {
  const { app } = it;
  app.projects.push(project);
  const repository = await git.create('web.git');
  await repository.website('version 1');
  const client = await ownerOf(app);
  service = await addService(client, { project, name: 'web', repository: git.url(repository) });

  await story.enter(page, app.url);
  await page.goto(`${app.url}/services/${service}`);
  await page.getByRole('button', { name: 'Build & deploy' }).click();
  await expect(page, 'there is no build to go to').toHaveURL(new RegExp(`/services/${service}`));
  await expect(page.getByRole('alert')).toContainText(/registry/i);
  const wayOut = page.locator('main').getByRole('link', { name: /registry/i }).first();
  await expect(wayOut).toHaveAttribute('href', '/registries/new');
  await expectAccessible(page, info);

  expect(git.requests, 'the repository was not asked').toEqual([]);
  expect(fs.existsSync(path.join(app.data, 'builds')) ? fs.readdirSync(path.join(app.data, 'builds')) : []).toEqual([]);
  expect(await idsOn(client, '/builds', 'bld'), 'no build is kept').toEqual([]);
});

test('a registry that goes away in the middle: the build fails with its answer', async () => {
  const { app } = it;
  const client = await ownerOf(app);
  const gate = await RegistryGate.start();
  try {
    await addRegistry(client, 'Gate', gate.address);
    const repository = await git.create('web2.git');
    await repository.website('version 1', { base: `${gate.address}/base:1` });
    const fading = await addService(client, { project, name: 'fading', repository: git.url(repository) });
    gate.rule = (method, where) =>
      method === 'PUT' && where.includes('/manifests/')
        ? { status: 503, body: '{"errors":[{"code":"UNAVAILABLE","message":"the shelves are being painted"}]}' }
        : 'pass';
    const build = await buildEnds(client, await startBuild(client, fading), 60);
    expect(build.state).toBe('failed');
    expect(`${build.text} ${await logOf(client, build.job)}`, 'the registry is quoted').toMatch(/shelves are being painted|503/);
    expect(fs.readdirSync(path.join(app.data, 'builds'))).toEqual([]);

    gate.rule = () => 'cut';
    const refused = await buildEnds(client, await startBuild(client, fading), 60);
    expect(refused.state).toBe('failed');
    expect(refused.text, 'it says which registry').toContain(gate.address);
    expect(fs.readdirSync(path.join(app.data, 'builds'))).toEqual([]);
  } finally {
    gate.open();
    await gate.stop();
  }
});

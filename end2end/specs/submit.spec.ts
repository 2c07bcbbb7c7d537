// Asking twice, asking a lot, and changing one's mind (X1, X2, cancel).
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import type { Client } from '../fixtures/client';
import { Repository } from '../fixtures/git';
import { answerOf, freePort, uniqueName } from '../fixtures/lab';
import { processesIn, processesWith } from '../fixtures/processes';
import * as story from '../fixtures/story';
import { expect, ownerOf, test, useApp } from '../fixtures/test';
import { addRegistry, addService, buildEnds, buildFacts, deploymentEnds, finalStates, idsOn, serviceFields, startBuild, until } from '../fixtures/things';

const it = useApp();
const project = uniqueName('submit');
let client: Client;

test.beforeAll(async () => {
  it.app.projects.push(project);
  client = await ownerOf(it.app);
  await addRegistry(client, 'Lab');
});

test('a form sent twice does its work once (X1)', async () => {
  const repository = await Repository.create(path.join(it.app.repositories, 'twice'));
  await repository.website('version 1');
  const before = (await idsOn(client, '/services', 'srv')).length;
  for (let pair = 0; pair < 12; pair++) {
    const fields = { ...serviceFields({ project, name: `twice ${pair}`, repository: repository.folder }), request_id: randomBytes(16).toString('hex') };
    const send = () => client.post('services/create', '/services/new', fields);
    // At the same time, then one after the other.
    const answers = pair % 2 === 0 ? await Promise.all([send(), send()]) : [await send(), await send()];
    const places = answers.map((answer) => answer.headers.location ?? '');
    expect(answers.map((answer) => answer.status)).toEqual([303, 303]);
    expect(places[0], 'both get the same answer').toBe(places[1]);
    expect(places[0]).toMatch(/^\/services\/srv_/);
  }
  expect((await idsOn(client, '/services', 'srv')).length - before).toBe(12);

  const service = await addService(client, { project, name: 'built once', repository: repository.folder });
  const fields = { service, deploy: '', request_id: randomBytes(16).toString('hex') };
  const answers = await Promise.all([1, 2, 3].map(() => client.post('builds/start', `/services/${service}`, fields)));
  expect(new Set(answers.map((answer) => answer.headers.location)).size).toBe(1);
  const build = /bld_\w{12}/.exec(answers[0]?.headers.location ?? '')?.[0] ?? '';
  await buildEnds(client, build);
  expect(await idsOn(client, `/services/${service}`, 'bld')).toEqual([build]);
});

test('a double click on "Build only" starts one build', async ({ page }) => {
  const repository = await Repository.create(path.join(it.app.repositories, 'clicked'));
  await repository.website('version 1');
  const service = await addService(client, { project, name: 'clicked', repository: repository.folder });
  await story.enter(page, it.app.url);
  await page.goto(`${it.app.url}/services/${service}`);
  await page.getByRole('button', { name: 'Build only' }).dblclick();
  await expect(page).toHaveURL(/\/builds\/bld_/);
  await story.succeeds(page);
  expect(await idsOn(client, `/services/${service}`, 'bld')).toHaveLength(1);
});

test('many builds of one service: the newest is live in the end (X2)', async () => {
  test.setTimeout(120_000);
  const repository = await Repository.create(path.join(it.app.repositories, 'many'));
  const port = await freePort();
  await repository.website('version 0');
  const service = await addService(client, { project, name: 'many', repository: repository.folder, port });
  const builds: string[] = [];
  for (let version = 1; version <= 6; version++) {
    await repository.website(`version ${version}`);
    builds.push(await startBuild(client, service));
  }
  const ends = [];
  for (const build of builds) ends.push(await buildEnds(client, build, 60));
  const states = ends.map((end) => end.state);
  expect(states.at(-1), ends.at(-1)?.text).toBe('succeeded');
  expect(states.filter((state) => state === 'superseded').length, 'older ones that waited are superseded').toBeGreaterThanOrEqual(3);
  expect(states.every((state) => ['succeeded', 'superseded'].includes(state)), states.join()).toBe(true);
  const last = await deploymentEnds(client, ends.at(-1)?.deployment ?? '');
  expect(last.state, last.text).toBe('succeeded');
  await expect.poll(() => answerOf(port)).toBe('version 6');
  for (const deployment of await idsOn(client, `/services/${service}`, 'dep')) {
    expect(finalStates).toContain((await deploymentEnds(client, deployment)).state);
  }
  await expect.poll(() => answerOf(port), 'and it stays').toBe('version 6');
});

test('"Cancel build" ends every process', async ({ page }) => {
  const marker = `87654.${Math.floor(Math.random() * 1e6)}`;
  const repository = await Repository.create(path.join(it.app.repositories, 'endless'));
  await repository.website('never', { extra: `RUN echo about to wait && sleep ${marker}` });
  const service = await addService(client, { project, name: 'endless', repository: repository.folder });
  await story.enter(page, it.app.url);
  const build = await story.startBuild(page, it.app.url, service);
  await expect(page.locator('#log')).toContainText('about to wait', { timeout: 30_000 });
  await until('the step that waits', () => processesWith(`sleep ${marker}`).length > 0);
  await page.getByRole('button', { name: 'Cancel build' }).click();
  await expect.poll(async () => (await buildFacts(client, build)).state, { timeout: 15_000 }).toBe('cancelled');
  await expect(story.badge(page)).toHaveAttribute('data-state', 'cancelled');
  await until('the end of the step', () => processesWith(`sleep ${marker}`).length === 0, 10);
  await until('the end of all child processes', () => processesIn(it.app.data).every(({ pid }) => pid === it.app.pid), 10);
});

// Acceptance 3 of builds: ten builds of ten services queued at once with limit 2, one of them cancelled while it waits and
// one while it runs, Slipway killed with -9 in the middle. All end in a true state, in their order, and nothing runs twice:
// what went through the gate in front of the registry is its push log.
import type { Client } from '../fixtures/client';
import { childrenEnd, nothingStays } from '../fixtures/aftermath';
import { textOf } from '../fixtures/client';
import { Repository } from '../fixtures/git';
import { uniqueName } from '../fixtures/lab';
import * as story from '../fixtures/story';
import { expectAccessible } from '../fixtures/axe';
import { RegistryGate } from '../fixtures/proxy';
import { processesWith } from '../fixtures/processes';
import { expect, ownerOf, test, useApp } from '../fixtures/test';
import { addRegistry, addService, buildEnds, buildFacts, finalStates, logOf, startBuild, until } from '../fixtures/things';
import path from 'node:path';

const project = uniqueName('queue');
let gate: RegistryGate;
const it = useApp(async () => {
  gate = await RegistryGate.start();
  return {};
});

test.afterAll(async () => {
  await gate.stop();
});

let client: Client;
test.beforeAll(async () => {
  it.app.projects.push(project);
  client = await ownerOf(it.app);
  await addRegistry(client, 'Gate', gate.address);
});

const rules = (more: Record<string, string> = {}) => ({
  'form[parallel]': '2',
  'form[cpus]': '',
  'form[memory]': '',
  'form[timeout]': '10',
  'form[supersedes]': 'on',
  'form[push_tries]': '3',
  'form[static_image]': '',
  ...more,
});

/** Rows of the queue on the page of builds: the id of the build, whether it waits, and what stands there. */
async function queue(): Promise<Array<{ id: string; place: number; text: string }>> {
  const { body } = await client.get('/builds');
  return [...body.matchAll(/<tr data-place="(\d+)">(.*?)<\/tr>/gs)].map(([, place, row]) => ({
    id: /\/builds\/(bld_[0-9a-z]{12})/.exec(row ?? '')?.[1] ?? '',
    place: Number(place),
    text: textOf(row ?? ''),
  }));
}

/** Tags that were put into the registry, one for each time. */
const pushes = () => gate.seen.filter(({ method, path: where, verdict }) => method === 'PUT' && verdict === 'pass' && /\/manifests\/(?!sha256:)/.test(where)).map(({ path: where }) => where);

test('ten builds, room for two, kill -9 in the middle', async () => {
  test.setTimeout(240_000);
  const saved = await client.submit('settings/build-rules', '/settings/builds', rules());
  expect(textOf(saved.body)).toContain('Rules saved.');

  const marker = `${1_000 + Math.floor(Math.random() * 8_000)}`;
  const builds: string[] = [];
  const services: string[] = [];
  for (let index = 0; index < 10; index++) {
    const repository = await Repository.create(path.join(it.app.repositories, `app-${index}`));
    const work = `RUN echo working ${index} && sleep 3.${marker}${index} && echo worked ${index}`;
    await repository.website(`version of ${index}`, { base: `${gate.address}/base:1`, extra: work });
    services.push(await addService(client, { project, name: `app-${index}`, repository: repository.folder }));
  }
  for (const service of services) builds.push(await startBuild(client, service, false));
  const id = (index: number) => builds[index] ?? '';

  // Watched all the time: never more than two at work, whoever looks.
  let most = 0;
  let watching = true;
  const watch = (async () => {
    while (watching) {
      const working = new Set(processesWith(`sleep 3.${marker}`).map(({ command }) => /sleep (3\.\d+)$/.exec(command)?.[1]).filter(Boolean));
      most = Math.max(most, working.size);
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  })();

  await test.step('the page shows the order and what each one waits for', async () => {
    const rows = await until('two that run', async () => {
      const seen = await queue();
      return seen.filter(({ place }) => place === 0).length === 2 && seen;
    });
    const waiting = rows.filter(({ place }) => place > 0);
    expect(waiting.map(({ id: build }) => build), 'in the order in which they were asked for').toEqual(builds.filter((build) => waiting.some(({ id: other }) => other === build)));
    for (const { text } of waiting) expect(text).toContain('a place: the rules allow 2 builds at once');
    const last = await buildFacts(client, id(9));
    expect(last.text).toMatch(/Place \d of \d in the queue/);
  });

  await test.step('moves and cancels', async () => {
    await client.submit('builds/move', '/builds', { id: id(9), to: 'front' });
    await client.submit('builds/move', '/builds', { id: id(9), to: 'down' });
    await client.submit('builds/move', '/builds', { id: id(9), to: 'up' });
    const waiting = (await queue()).filter(({ place }) => place > 0);
    expect(waiting[0]?.id, 'the last one is the next now').toBe(id(9));
    await client.submit('builds/cancel', '/builds', { id: id(6) });
    expect((await buildFacts(client, id(6))).state).toBe('cancelled');
    // One that runs, in the middle of its work.
    const running = await until('one at work', async () => {
      for (const { id: build } of (await queue()).filter(({ place }) => place === 0)) {
        const { job } = await buildFacts(client, build);
        if (/^working \d$/m.test(await logOf(client, job))) return build;
      }
      return undefined;
    });
    const asked = Date.now();
    await client.submit('builds/cancel', '/builds', { id: running });
    const ended = await buildEnds(client, running, 16);
    // It may have come to its end just before.
    expect(['cancelled', 'succeeded']).toContain(ended.state);
    expect(Date.now() - asked).toBeLessThan(15_000);
  });

  await test.step('kill -9 in the middle', async () => {
    await until('work', () => processesWith(`sleep 3.${marker}`).length > 0);
    const before = (await queue()).filter(({ place }) => place > 0).map(({ id: build }) => build);
    expect(before.length, 'some wait').toBeGreaterThan(2);
    await it.app.kill();
    await childrenEnd(it.app);
    await it.app.boot();
    const after = (await queue()).map(({ id: build }) => build);
    expect(before.filter((build) => after.includes(build)), 'in the order of before').toEqual(after.filter((build) => before.includes(build)));
  });

  const ends = [];
  for (const build of builds) ends.push(await buildEnds(client, build, 120));
  watching = false;
  await watch;
  expect(most, 'at work at the same time').toBeLessThanOrEqual(2);
  expect(ends.every(({ state }) => ['succeeded', 'cancelled'].includes(state)), JSON.stringify(ends.map(({ state, text }) => ({ state, text })))).toBe(true);
  expect(ends.filter(({ state }) => state === 'cancelled').length).toBeLessThanOrEqual(2);
  expect(ends[6]?.state).toBe('cancelled');
  expect(ends[9]?.state).toBe('succeeded');

  // The push log: each build that succeeded is there once, and nothing else.
  const expected = ends.filter(({ state }) => state === 'succeeded').map(({ reference }) => {
    const [, repository, tag] = /^[^/]+\/(.+):([^:@]+)/.exec(reference ?? '') ?? [];
    return `/v2/${repository}/manifests/${tag}`;
  });
  expect(pushes().sort()).toEqual(expected.sort());
  await until('the end of all work', () => processesWith(`sleep 3.${marker}`).length === 0, 15);
  nothingStays(it.app);
});

test('a cancelled build is retried with the same commit, and the page says why', async () => {
  test.setTimeout(90_000);
  const repository = await Repository.create(path.join(it.app.repositories, 'again'));
  const commit = await repository.website('one', { base: `${gate.address}/base:1` });
  const service = await addService(client, { project, name: 'again', repository: repository.folder });
  const first = await buildEnds(client, await startBuild(client, service, false));
  expect(first.state, first.text).toBe('succeeded');
  await repository.website('two', { base: `${gate.address}/base:1` });
  const build = /\/builds\/(bld_[0-9a-z]{12})/.exec((await client.get(`/services/${service}`)).body)?.[1] ?? '';
  const again = await client.create('builds/again', `/builds/${build}`, { id: build, no_cache: 'yes' });
  const done = await buildEnds(client, again);
  expect(done.state, done.text).toBe('succeeded');
  expect(done.text).toContain(commit);
  expect(done.text).toContain('Build 1 again');
  expect(finalStates).toContain(done.state);
});

test('rules that are wrong are said at their fields', async ({ page }) => {
  await story.enter(page, it.app.url);
  await page.goto(`${it.app.url}/settings/builds`);
  await page.getByLabel('Builds at once').fill('none');
  await page.getByLabel('Web server for static sites').fill('docker.io/library/nginx:1.27');
  await page.getByRole('button', { name: 'Save rules' }).click();
  await expect(page.getByLabel('Builds at once')).toHaveAttribute('aria-invalid', 'true');
  await expect(page.getByLabel('Web server for static sites'), 'what was typed comes back').toHaveValue('docker.io/library/nginx:1.27');
  await page.getByLabel('Builds at once').fill('3');
  await page.getByRole('button', { name: 'Save rules' }).click();
  await expect(page.getByText('Rules saved.')).toBeVisible();
  await expect(page.getByLabel('Builds at once')).toHaveValue('3');
});

test('the queue is moved by buttons, follows by itself, and fits a telephone', async ({ page }, info) => {
  test.setTimeout(120_000);
  await client.submit('settings/build-rules', '/settings/builds', rules({ 'form[parallel]': '1' }));
  const marker = `${100 + Math.floor(Math.random() * 800)}.${Math.floor(Math.random() * 1e6)}`;
  const builds: string[] = [];
  for (const name of ['first', 'second', 'third']) {
    const repository = await Repository.create(path.join(it.app.repositories, `page-${name}`));
    await repository.website(name, { base: `${gate.address}/base:1`, extra: `RUN sleep ${marker}` });
    builds.push(await startBuild(client, await addService(client, { project, name, repository: repository.folder }), false));
  }
  await until('work', () => processesWith(`sleep ${marker}`).length > 0);
  await story.enter(page, it.app.url);
  await page.setViewportSize({ width: 390, height: 844 });
  for (const where of ['/builds', `/builds/${builds[2]}`, '/settings/builds']) {
    await page.goto(`${it.app.url}${where}`);
    const [wide, width] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
    expect(wide, `${where} doesn't scroll sideways`).toBeLessThanOrEqual(width ?? 0);
    await expectAccessible(page, info);
    await story.picture(page, `queue${where.replaceAll('/', '-').replace(/bld_.*/, 'build')}-phone`);
  }
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.goto(`${it.app.url}/builds`);
  await story.picture(page, 'queue-dark');
  const places = page.locator('#queue tr[data-place]:not([data-place="0"]) td:nth-child(2)');
  await expect(places).toHaveText([/^second/, /^third/]);
  await page.getByRole('button', { name: 'Move third #1 up' }).click();
  await expect(places).toHaveText([/^third/, /^second/]);
  // What somebody else does shows without a reload by hand.
  await client.submit('builds/cancel', '/builds', { id: builds[2] ?? '' });
  await expect(places).toHaveText([/^second/], { timeout: 15_000 });
  await page.getByRole('button', { name: 'Cancel second #1' }).click();
  await expect(page.getByText('Stopping the build.')).toBeVisible();
  await page.getByRole('button', { name: 'Cancel first #1' }).click();
  await expect(page.locator('#queue')).toBeEmpty({ timeout: 20_000 });
  for (const build of builds) expect((await buildEnds(client, build)).state).toBe('cancelled');
});

// How much a page weighs: sign-in and set-up come without any script, the others stay within their budget.
import path from 'node:path';
import zlib from 'node:zlib';
import type { Page } from '@playwright/test';
import { Repository } from '../fixtures/git';
import { uniqueName } from '../fixtures/lab';
import * as story from '../fixtures/story';
import { expect, ownerOf, test, useApp } from '../fixtures/test';
import { addRegistry, addService, buildEnds, startBuild } from '../fixtures/things';
import type { Client } from '../fixtures/client';

const it = useApp();
const project = uniqueName('budget');

/** The scripts, wasm and style sheets that a page loads. */
async function assetsOf(page: Page, url: string): Promise<string[]> {
  const found = new Set<string>();
  const note = (request: { url(): string }) => found.add(request.url());
  page.on('request', note);
  await page.goto(url);
  await page.waitForLoadState('load');
  // Modules load modules: wait until nothing new comes.
  await expect(async () => {
    const before = found.size;
    await page.evaluate(() => new Promise((resolve) => requestIdleCallback(resolve)));
    expect(found.size).toBe(before);
  }).toPass();
  page.off('request', note);
  return [...found].filter((asset) => /\.(wasm|m?js|css)(\?|$)/.test(asset));
}

/** Bytes that go over the wire. */
async function compressed(client: Client, url: string): Promise<number> {
  const { pathname } = new URL(url);
  const answer = await client.request('GET', pathname, { headers: { Accept: '*/*', 'Accept-Encoding': 'br' } });
  expect(answer.status, pathname).toBe(200);
  expect(answer.headers['content-encoding'], `${pathname} is compressed`).toBe('br');
  expect(answer.headers['cache-control'], `${pathname} is kept`).toMatch(/immutable/);
  return answer.bytes.length;
}

test('set-up and sign-in come without script', async ({ page }) => {
  const { app } = it;
  const scripts = (assets: string[]) => assets.filter((asset) => !asset.includes('.css'));
  expect(scripts(await assetsOf(page, `${app.url}/setup`))).toEqual([]);
  await expect(page.locator('script')).toHaveCount(0);
  await ownerOf(app);
  expect(scripts(await assetsOf(page, `${app.url}/sign-in`))).toEqual([]);
  await expect(page.locator('script')).toHaveCount(0);
});

test('other pages stay within their budget', async ({ page }) => {
  test.setTimeout(90_000);
  const { app } = it;
  app.projects.push(project);
  const client = await ownerOf(app);
  await addRegistry(client, 'Lab');
  const repository = await Repository.create(path.join(app.repositories, 'web'));
  await repository.website('version 1');
  const service = await addService(client, { project, name: 'web', repository: repository.folder });
  const build = await startBuild(client, service, false);
  await buildEnds(client, build);
  await story.enter(page, app.url);
  const sizes = new Map<string, number>();
  for (const where of ['/', '/services', '/services/new', `/services/${service}`, `/builds/${build}`, '/credentials/new', '/settings']) {
    let scripts = 0;
    let styles = 0;
    for (const asset of await assetsOf(page, `${app.url}${where}`)) {
      const size = sizes.get(asset) ?? (await compressed(client, asset));
      sizes.set(asset, size);
      if (asset.includes('.css')) styles += size;
      else scripts += size;
    }
    expect(scripts, `${where}: wasm and script, compressed`).toBeLessThanOrEqual(120 * 1024);
    expect(styles, `${where}: style sheets, compressed`).toBeLessThanOrEqual(8 * 1024);
    const html = (await client.get(where)).bytes;
    expect(zlib.gzipSync(html).length, `${where}: HTML, compressed`).toBeLessThanOrEqual(15 * 1024);
  }
  expect([...sizes.keys()].some((asset) => asset.includes('.wasm')), 'islands are there').toBe(true);
});

test('a list of 50 services stays small', async () => {
  const { app } = it;
  const client = await ownerOf(app);
  app.projects.push(project);
  const repository = await Repository.create(path.join(app.repositories, 'many'));
  await repository.website('version 1');
  for (let number = 0; number < 50; number++) {
    await addService(client, { project, name: `service number ${number}`, repository: repository.folder });
  }
  const { bytes } = await client.get('/services');
  expect(bytes.length, 'HTML').toBeLessThanOrEqual(40 * 1024);
  expect(zlib.brotliCompressSync(bytes).length, 'HTML, compressed').toBeLessThanOrEqual(15 * 1024);
});

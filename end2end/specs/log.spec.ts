// What a build that failed shows first, and a log of 100,000 lines (acceptance 7 of the builds).
import path from 'node:path';
import type { Page } from '@playwright/test';
import { expectAccessible } from '../fixtures/axe';
import type { Client } from '../fixtures/client';
import { Repository } from '../fixtures/git';
import { lab, uniqueName } from '../fixtures/lab';
import * as story from '../fixtures/story';
import { expect, ownerOf, test, useApp } from '../fixtures/test';
import { addRegistry, addService, buildEnds, finalStates, startBuild, until } from '../fixtures/things';
import { Wire } from '../fixtures/wire';

const it = useApp();
const project = uniqueName('log');
let client: Client;

test.beforeAll(async () => {
  it.app.projects.push(project);
  client = await ownerOf(it.app);
  await addRegistry(client, 'Lab');
});

/** Asks for a build of a Dockerfile with these lines; returns its id. */
async function build(name: string, lines: string): Promise<string> {
  const repository = await Repository.create(path.join(it.app.repositories, name));
  await repository.commit({ Dockerfile: `FROM ${lab().base}\nENV TEST=${project}-${name}\n${lines}\n` }, name);
  const service = await addService(client, { project, name, repository: repository.folder });
  return startBuild(client, service, false);
}

const failing = "RUN seq 1 1500\nRUN seq 1 300; echo 'Error: cannot find module teapot' >&2; echo afterwards; exit 7";

async function expectOpensAtTheError(page: Page) {
  const problem = page.locator('[data-problem="build.command"]');
  await expect(problem).toBeInViewport({ ratio: 1 });
  await expect(problem).toContainText('ended with exit code 7');
  await expect(problem).toContainText('Correct it in the repository and build again.');
  await expect(problem.getByRole('link', { name: /^Line \d+$/ })).toBeInViewport();
  await expect(problem).toContainText('Error: cannot find module teapot');
  const telling = page.locator('#log li.telling');
  await expect(telling).toContainText('Error: cannot find module teapot');
  // A row is as wide as the longest line.
  await expect(telling.locator('.text'), 'the log stands at the failing step').toBeInViewport({ ratio: 1 });
  expect(await page.evaluate(() => window.scrollY), 'the page itself was not scrolled').toBe(0);
}

test('a build that failed opens at the failing step, with cause and remedy', async ({ page, browser }, info) => {
  const id = await build('fails', failing);
  expect((await buildEnds(client, id, 60)).state).toBe('failed');
  await story.enter(page, it.app.url);
  await page.goto(`${it.app.url}/builds/${id}`);
  await expectOpensAtTheError(page);
  await expectAccessible(page, info);
  await story.picture(page, 'build-failed');

  await test.step('all lines are there, and a link to one leads to it', async () => {
    await expect.poll(() => page.locator('#log li').count(), 'only what is in sight has rows').toBeLessThan(300);
    await page.locator('#log').evaluate((log) => (log.scrollTop = 0));
    await expect(page.locator('#L1')).toBeInViewport();
    await page.locator('[data-problem]').getByRole('link', { name: /^Line \d+$/ }).click();
    await expect(page.locator('#log li.telling, #log li.target').filter({ hasText: 'teapot' })).toBeInViewport();
    await page.goto(`${it.app.url}/builds/${id}#L700`);
    await page.reload();
    await expect(page.locator('#L700')).toBeInViewport();
    await expect(page.locator('#L700')).toHaveClass('target');
  });

  await test.step('a small screen', async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    await page.goto(`${it.app.url}/builds/${id}`);
    await expect(page.locator('[data-problem]')).toContainText('exit code 7');
    expect(await page.evaluate(() => document.documentElement.scrollWidth), 'nothing sticks out').toBeLessThanOrEqual(390);
    await expectAccessible(page, info);
  });

  await test.step('without script', async () => {
    const context = await browser.newContext({ javaScriptEnabled: false, storageState: await page.context().storageState() });
    const plain = await context.newPage();
    await plain.goto(`${it.app.url}/builds/${id}`);
    const telling = plain.locator('#log li.telling');
    await expect(telling).toContainText('teapot');
    const box = (await plain.locator('#log').boundingBox())!;
    const row = (await telling.boundingBox())!;
    expect(row.y >= box.y && row.y + row.height <= box.y + box.height, 'the line is in sight in its box').toBe(true);
    await plain.getByRole('link', { name: 'Earlier lines' }).click();
    await expect(plain.locator('#log li').first()).toBeVisible();
    await plain.goto(`${it.app.url}/builds/${id}?lines=1`);
    await expect(plain.locator('#L1')).toBeVisible();
    await plain.getByRole('link', { name: 'Later lines' }).click();
    await expect(plain.locator('#L1001')).toBeVisible();
    await context.close();
  });
});

test('a failing build without script shows cause, remedy and line too', async () => {
  const id = await build('no-dockerfile-line', 'COPY missing.txt /x');
  const seen = await buildEnds(client, id, 60);
  expect(seen.text).toContain('The Dockerfile copies /missing.txt');
  expect(seen.html).toContain('data-problem="build.copy"');
  expect(seen.html).toMatch(/href="#L\d+"[^>]*>Line \d+/);
});

test('a log of 100,000 lines scrolls smoothly, and is complete after three disconnects', async ({ page, faults }) => {
  test.setTimeout(240_000);
  faults.expect(/ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|ERR_INCOMPLETE_CHUNKED|Failed to load resource/);
  // BuildKit drops what a step writes faster than 200 KiB a second.
  const id = await build('long', 'RUN for i in 0 1 2 3 4 5 6 7 8 9; do seq $((i * 10000 + 1)) $((i * 10000 + 10000)); sleep 1; done');
  const wire = await Wire.to(it.app.port);
  await story.enter(page, wire.url);
  await page.addInitScript(() => {
    const seen: number[] = ((window as unknown as { long: number[] }).long = []);
    new PerformanceObserver((list) => seen.push(...list.getEntries().map((entry) => entry.duration))).observe({ type: 'longtask' });
  });
  await page.goto(`${wire.url}/builds/${id}`);
  const height = () => page.locator('#log').evaluate((log) => log.scrollHeight / (log.querySelector('li')?.clientHeight ?? 24));

  await test.step('it comes live, through three cuts', async () => {
    await until('the first thousands', async () => (await height()) > 5_000, 60);
    // Whoever doesn't follow isn't taken to the result when the job ends.
    await page.getByRole('button', { name: 'Follow' }).click();
    await page.locator('#log').evaluate((log) => (log.scrollTop = 0));
    for (const lines of [10_000, 35_000, 60_000]) {
      await until(`${lines} lines`, async () => (await height()) > lines, 60);
      wire.cut();
      await until('a new connection', async () => (await page.locator('.live [role=status]').innerText()) !== 'Reconnecting…', 20);
    }
    expect(wire.cuts, 'connections were cut').toBeGreaterThanOrEqual(3);
    await expect(page.getByRole('link', { name: 'Show the result' })).toBeVisible({ timeout: 60_000 });
  });

  const job = await until('its end', async () => {
    const seen = await buildEnds(client, id, 60);
    return finalStates.includes(seen.state) && seen.html.match(/\/jobs\/(job_[0-9a-z]{12})\//)?.[1];
  });
  const { total } = JSON.parse((await client.get(`/jobs/${job}/log/lines?from=1&count=1`)).body) as { total: number };
  expect(total).toBeGreaterThan(100_000);
  expect(Math.round(await height()) - total, 'every line has its place').toBeLessThanOrEqual(1);

  const swept = await page.evaluate(async (total) => {
    const log = document.getElementById('log')!;
    const list = log.querySelector('ol')!;
    (window as unknown as { long: number[] }).long.length = 0;
    const lines = new Map<number, string>();
    let rows = 0;
    const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
    log.scrollTop = log.scrollHeight;
    for (;;) {
      await frame();
      for (let waited = 0; list.querySelector('.wait') && waited < 600; waited++) await frame();
      rows = Math.max(rows, list.children.length);
      for (const row of list.children) lines.set(Number(row.id.slice(1)), row.querySelector('.text')!.textContent ?? '');
      if (log.scrollTop === 0) break;
      log.scrollTop -= 200 * 24;
    }
    const missing = [];
    for (let n = 1; n <= total; n++) if (!lines.has(n)) missing.push(n);
    const counted = [...lines.keys()].sort((a, b) => a - b).map((n) => lines.get(n) ?? '').filter((text) => /^\d+$/.test(text)).map(Number);
    const inOrder = counted.every((value, index) => value === index + 1);
    return { rows, missing: missing.length, counted: counted.length, inOrder, long: (window as unknown as { long: number[] }).long };
  }, total);
  expect(swept.missing, 'no line is missing').toBe(0);
  expect(swept.counted).toBe(100_000);
  expect(swept.inOrder).toBe(true);
  expect(swept.rows, 'only what is in sight has rows').toBeLessThanOrEqual(300);
  expect(Math.max(0, ...swept.long), `long tasks while it scrolls: ${swept.long.join(', ')}`).toBeLessThan(200);
  await wire.stop();
});

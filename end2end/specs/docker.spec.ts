// When Docker is away, frozen, or not yet a Swarm (O1, O3, and the button that starts Swarm mode).
import fs from 'node:fs';
import path from 'node:path';
import { expectAccessible } from '../fixtures/axe';
import { App } from '../fixtures/app';
import type { Client } from '../fixtures/client';
import { docker, lab, second } from '../fixtures/lab';
import { EngineDoor } from '../fixtures/proxy';
import * as story from '../fixtures/story';
import { expect, ownerOf, test } from '../fixtures/test';
import { until } from '../fixtures/things';

const pages = ['/', '/services', '/services/new', '/builds', '/registries', '/credentials', '/jobs', '/settings'];

/** Asks for every page; all have to answer well, and soon. Returns the milliseconds of each. */
async function allPagesAnswer(client: Client): Promise<number[]> {
  const times: number[] = [];
  for (const where of pages) {
    const began = performance.now();
    const answer = await client.get(where);
    times.push(performance.now() - began);
    expect(answer.status, where).toBe(200);
    expect(answer.path, 'still signed in').toBe(where);
  }
  return times;
}

const ready = async (client: Client) => client.request('GET', '/readyz', { headers: { Accept: '*/*' } });

test('Docker away at the start, there, away, and back again (O1)', async ({ page }, info) => {
  test.setTimeout(90_000);
  const folder = fs.mkdtempSync('/tmp/slipway-door-');
  const door = new EngineDoor(path.join(folder, 'docker.sock'));
  const app = await App.start({ dockerHost: door.host });
  try {
    const pid = app.pid;
    const client = await ownerOf(app);
    await allPagesAnswer(client);
    await story.enter(page, app.url);
    const banner = page.getByText(/Docker (can.t be reached|isn.t reachable|does not answer|is not reachable)/i).first();
    await expect(async () => {
      await page.goto(`${app.url}/services`);
      await expect(banner, 'a banner says that Docker is away').toBeVisible({ timeout: 500 });
    }).toPass({ timeout: 10_000 });
    await expectAccessible(page, info);
    await story.picture(page, 'docker-away');
    const notReady = await ready(client);
    expect(notReady.status).toBe(503);
    expect(notReady.body).toMatch(/docker/i);
    expect((await client.request('GET', '/healthz')).status, 'the process itself is well').toBe(200);

    for (let round = 0; round < 2; round++) {
      await door.open();
      await until('that Docker is seen again', async () => (await ready(client)).status === 200, 15);
      await page.goto(`${app.url}/services`);
      await expect(banner).toBeHidden();
      await door.shut();
      await until('that Docker is missed', async () => (await ready(client)).status === 503, 15);
      await allPagesAnswer(client);
    }
    expect(app.pid, 'it was never restarted').toBe(pid);
  } finally {
    await door.shut();
    await app.remove();
    fs.rmSync(folder, { recursive: true, force: true });
  }
});

test.describe('with an engine of its own', () => {
  test.describe.configure({ mode: 'serial' });
  test.skip(() => !process.env.SLIPWAY_LAB_FILE || lab().second === null, 'a second engine needs root');
  let app: App;
  const engine = () => {
    const { second: other } = lab();
    if (!other) throw new Error('there is no second engine');
    return other;
  };
  const enginePid = () => Number(fs.readFileSync(engine().docker_pid, 'utf8').trim());

  test.beforeAll(async () => {
    test.setTimeout(120_000);
    await second('reset');
    app = await App.start({ dockerHost: engine().docker_host });
  });
  test.afterAll(async () => {
    await app?.remove();
    await second('reset');
  });

  test('without Swarm mode it offers to start it', async ({ page }, info) => {
    const client = await ownerOf(app);
    await until('a look at Docker', async () => /swarm/i.test((await ready(client)).body), 15);
    expect((await ready(client)).status).toBe(503);
    await story.enter(page, app.url);
    await page.goto(`${app.url}/settings`);
    await expect(async () => {
      await page.reload();
      await expect(page.getByLabel('Advertise address')).toHaveValue(/^\d+\.\d+\.\d+\.\d+/, { timeout: 500 });
    }).toPass({ timeout: 10_000 });
    await expectAccessible(page, info);
    await story.picture(page, 'swarm-off');

    await page.getByLabel('Advertise address').fill('not an address;touch /tmp/x');
    await page.getByRole('button', { name: 'Start Swarm mode' }).click();
    await expect(page.getByLabel('Advertise address')).toHaveAttribute('aria-invalid', 'true');

    await page.getByLabel('Advertise address').fill(engine().address);
    await page.getByRole('button', { name: 'Start Swarm mode' }).click();
    await expect(page.getByRole('button', { name: 'Start Swarm mode' })).toBeHidden();
    expect((await docker(['info', '--format', '{{.Swarm.LocalNodeState}}'], engine().docker_host)).trim()).toBe('active');
    await until('readiness', async () => (await ready(client)).status === 200, 15);
  });

  test('a frozen engine freezes nothing else (O3)', async ({ page }) => {
    test.setTimeout(90_000);
    const client = await ownerOf(app);
    await until('readiness', async () => (await ready(client)).status === 200, 15);
    const normal = (await allPagesAnswer(client)).concat(await allPagesAnswer(client));
    const pid = enginePid();
    process.kill(pid, 'SIGSTOP');
    try {
      const frozen: number[] = [];
      await until('that the silence is noticed', async () => {
        frozen.push(...(await allPagesAnswer(client)));
        return (await ready(client)).status === 503;
      }, 25);
      for (let round = 0; round < 3; round++) frozen.push(...(await allPagesAnswer(client)));
      const slowest = (times: number[]) => times.sort((a, b) => a - b)[Math.floor(times.length * 0.98)] ?? 0;
      expect(slowest(frozen), 'pages stay as quick as they were').toBeLessThan(Math.max(2 * slowest(normal), 250));
      await story.enter(page, app.url);
      await page.goto(`${app.url}/services`);
      await expect(page.getByText(/Docker/).first()).toBeVisible();
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await until('recovery', async () => (await ready(client)).status === 200, 15);
    await allPagesAnswer(client);
  });
});

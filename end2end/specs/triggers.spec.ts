// A push that a git host tells of: the trigger is made in the page, a signed webhook starts a build, and once only.
import { createHmac, randomUUID } from 'node:crypto';
import path from 'node:path';
import { expectAccessible } from '../fixtures/axe';
import type { Client } from '../fixtures/client';
import { Repository } from '../fixtures/git';
import { uniqueName } from '../fixtures/lab';
import * as story from '../fixtures/story';
import { expect, ownerOf, test, useApp } from '../fixtures/test';
import { addRegistry, addService, buildEnds, idsOn } from '../fixtures/things';

const it = useApp();
const project = uniqueName('triggers');
let client: Client;

test.beforeAll(async () => {
  it.app.projects.push(project);
  client = await ownerOf(it.app);
  await addRegistry(client, 'Lab');
});

/** As GitHub sends a push. */
function push(address: string, secret: string, delivery: string, commit: string): Promise<Response> {
  const body = JSON.stringify({
    ref: 'refs/heads/main',
    before: '0'.repeat(40),
    after: commit,
    deleted: false,
    forced: false,
    commits: [{ id: commit, message: 'Say hello', added: ['www/index.html'], removed: [], modified: [] }],
    pusher: { name: 'ada', email: 'ada@example.com' },
    repository: { full_name: 'acme/web' },
  });
  const mac = createHmac('sha256', secret).update(body).digest('hex');
  return fetch(address, {
    method: 'POST',
    body,
    headers: {
      'Content-Type': 'application/json',
      'X-GitHub-Event': 'push',
      'X-GitHub-Delivery': delivery,
      'X-Hub-Signature-256': `sha256=${mac}`,
    },
  });
}

test('a signed push starts a build once, and is listed', async ({ page }, info) => {
  test.setTimeout(90_000);
  const repository = await Repository.create(path.join(it.app.repositories, 'pushed'));
  const commit = await repository.website('version 1');
  const service = await addService(client, { project, name: 'pushed', repository: repository.folder });
  await story.enter(page, it.app.url);
  await page.goto(`${it.app.url}/services/${service}`);
  await page.getByRole('link', { name: 'Triggers' }).click();
  await page.getByLabel('Deploy what is built').uncheck();
  await page.getByRole('button', { name: 'Create trigger' }).click();
  const secret = (await page.locator('#new-secret').innerText()).trim();
  const address = (await page.locator('#hook-address').innerText()).trim();
  expect(secret).toMatch(/^[0-9a-f]{64}$/);
  await expectAccessible(page, info);
  await page.goto(`${it.app.url}/services/${service}/triggers`);
  await expect(page.locator('#new-secret'), 'it is shown once').toHaveCount(0);
  expect(await page.content()).not.toContain(secret);

  expect((await push(address, 'a guess', randomUUID(), commit)).status).toBe(401);
  const delivery = randomUUID();
  const answers = await Promise.all([1, 2, 3].map(() => push(address, secret, delivery, commit)));
  expect(answers.map((answer) => answer.status).sort()).toEqual([200, 200, 202]);
  expect((await push(address, secret, delivery, commit)).status, 'replayed').toBe(200);
  const builds = await idsOn(client, `/services/${service}`, 'bld');
  expect(builds).toHaveLength(1);
  const built = await buildEnds(client, builds[0] ?? '');
  expect(built.state, built.text).toBe('succeeded');
  expect(built.text).toContain(commit.slice(0, 8));

  await page.reload();
  const row = page.locator('tr[data-outcome="started"]');
  await expect(row).toHaveCount(1);
  await expect(row).toContainText('pushed by ada');
  await row.getByRole('link', { name: 'Build 1' }).click();
  await expect(page).toHaveURL(new RegExp(`/builds/${builds[0]}`));
  expect(it.app.log()).not.toContain(secret);
});

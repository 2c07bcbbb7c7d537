// A registry that Slipway runs, with its images in a bucket of a real S3-compatible server.
import type { Page } from '@playwright/test';
import { Repository } from '../fixtures/git';
import { answerOf, docker, freePort, lab, swarmServices, uniqueName } from '../fixtures/lab';
import * as managed from '../fixtures/managed';
import * as story from '../fixtures/story';
import { expect, ownerOf, test, useApp } from '../fixtures/test';
import { addService, buildAndDeploy } from '../fixtures/things';
import path from 'node:path';

const it = useApp(() => ({ env: { SLIPWAY_REGISTRY_IMAGE: 'slipway-lab/registry:2' } }));
const made: string[] = [];

test.skip(() => !!process.env.SLIPWAY_LAB_FILE && !lab().s3, 'the lab has no S3 server; scripts/lab says why');

test.afterAll(async () => {
  if (made.length === 0) return;
  test.setTimeout(120_000);
  await it.app.stop();
  for (const registry of made) await managed.removeRegistry(registry);
});

/** The bucket as typed, all right; each wrong thing is typed over one of these. */
function rightFields(prefix: string): Record<string, string> {
  const { s3 } = lab();
  if (!s3) throw new Error('the lab has no S3 server');
  return { Endpoint: s3.endpoint, Region: s3.region, Bucket: s3.bucket, Prefix: prefix, 'Access key': s3.access_key, 'Secret key': s3.secret_key };
}

async function save(page: Page, name: string, port: number, fields: Record<string, string>): Promise<void> {
  await page.goto(`${it.app.url}/registries/new`);
  await page.getByLabel('Name', { exact: true }).fill(name);
  await page.getByText('A bucket (S3)', { exact: true }).click();
  await story.unfold(page, 'More about the bucket');
  for (const [label, value] of Object.entries(fields)) await page.getByLabel(label, { exact: true }).fill(value);
  await page.getByLabel(/^Path style/).check();
  await page.getByLabel(/^Internal network/).check();
  await story.openMore(page);
  await page.getByLabel('Port', { exact: true }).fill(String(port));
  await page.getByRole('button', { name: 'Create registry' }).click();
}

test('images in a bucket: wrong fields are told at the field, and the images outlive the container', async ({ page }) => {
  test.setTimeout(300_000);
  const { app } = it;
  const client = await ownerOf(app);
  const project = uniqueName('bucket');
  app.projects.push(project);
  const [port, web] = [await freePort(), await freePort()];
  const right = rightFields(managed.uniquePrefix());
  await story.enter(page, app.url);

  const wrongs: Array<[string, string]> = [
    ['Access key', 'AKIANOBODYKNOWSTHIS1'],
    ['Secret key', 'certainly/not/the/key'],
    ['Bucket', 'a-bucket-that-nobody-made'],
    ['Endpoint', 'http://127.0.0.1:9'],
  ];
  for (const [label, value] of wrongs) {
    await save(page, 'Bucket', port, { ...right, [label]: value });
    const field = page.getByLabel(label, { exact: true });
    await expect(field, `${label} is to blame`).toHaveAttribute('aria-invalid', 'true');
    await expect(page.locator('[aria-invalid="true"]'), 'and nothing else').toHaveCount(1);
    await expect(page.getByLabel('Name', { exact: true }), 'what was typed is kept').toHaveValue('Bucket');
    await expect(page.getByLabel('Secret key', { exact: true }), 'a secret never comes back').toHaveValue('');
  }
  await story.picture(page, 'registry-s3-wrong');

  await save(page, 'Bucket', port, right);
  await expect(page).toHaveURL(/\/registries\/reg_/);
  const registry = /reg_[0-9a-z]{12}/.exec(page.url())?.[0] ?? '';
  made.push(registry);
  await expect(page.locator('#state [data-state]')).toHaveAttribute('data-state', 'healthy', { timeout: 90_000 });
  expect((await client.get(`/registries/${registry}`)).body, 'no key is shown').not.toContain(right['Secret key'] ?? '');
  expect(await docker(['service', 'inspect', await managed.serviceOf(registry)])).not.toContain(right['Secret key'] ?? '');
  expect((await docker(['volume', 'ls', '--quiet', '--filter', `label=slipway.registry=${registry}`])).trim(), 'no volume').toBe('');

  const login = await story.registryLogin(page, app.url, registry);
  const base = await managed.pushBase(port, login);
  const repository = await Repository.create(path.join(app.repositories, 'bucket'));
  await repository.website('from a bucket', { base });
  const service = await addService(client, { project, name: 'Web', repository: repository.folder, port: web });
  await buildAndDeploy(client, service);
  await expect.poll(() => answerOf(web)).toBe('from a bucket');

  // The container and all that is on the node goes; anonymous volumes too.
  await managed.endContainers(await managed.serviceOf(registry));
  await expect.poll(async () => (await managed.ask(port, `/v2/base/tags/list`, login)).body, { timeout: 60_000 }).toContain('"1"');
  const [running = ''] = await swarmServices(project);
  const image = (await docker(['service', 'inspect', '--format', '{{.Spec.TaskTemplate.ContainerSpec.Image}}', running])).trim();
  await managed.forgetOnNode(running, image);
  await expect.poll(() => answerOf(web), { timeout: 60_000 }).toBe('from a bucket');
});

// What a registry keeps, and a tag that comes back (issue 6, acceptance 5): rules as sentences, a preview that says of every
// tag why it stays or that it goes, a run by hand with its report, the trash, a restored tag that pulls whole, and the end
// of what nobody wanted back.
import path from 'node:path';
import type { Locator, Page } from '@playwright/test';
import { expectAccessible } from '../fixtures/axe';
import type { Client } from '../fixtures/client';
import { Repository } from '../fixtures/git';
import { answerOf, digestInRegistry, docker, freePort, lab, registryRequest, run, uniqueName } from '../fixtures/lab';
import { pullWhole } from '../fixtures/pull';
import * as story from '../fixtures/story';
import { expect, ownerOf, test, useApp } from '../fixtures/test';
import { addRegistry, addService, buildEnds, deploymentEnds, startBuild } from '../fixtures/things';

const it = useApp();
const project = uniqueName('kept');
test.describe.configure({ mode: 'serial' });

/** One of the four versions that were built, pushed and deployed. */
interface Version {
  deployment: string;
  tag: string;
  digest: string;
}

let client: Client;
let port = 0;
let registry = '';
let service = '';
/** Where the builds push: the repository's name in the registry. */
let repository = '';
const versions: Version[] = [];

/** By its number, from 1. */
function version(number: number): Version {
  const found = versions[number - 1];
  if (!found) throw new Error(`there is no version ${number}`);
  return found;
}

/** An image in the registry, as Docker names it. */
const reference = (tag: string) => `${lab().registry}/${repository}:${tag}`;

/** The Docker client of a person with the registry's password. */
function person(args: string[], input?: string): Promise<string> {
  const { folder } = it.app;
  const env = { PATH: process.env.PATH, HOME: folder, DOCKER_HOST: lab().docker_host, DOCKER_CONFIG: path.join(folder, 'docker') };
  return run('docker', args, { env, input });
}

/** The row of a tag in the preview. */
function row(page: Page, tag: string): Locator {
  return page.getByRole('region', { name: 'Tags', exact: true }).locator('tbody tr').filter({ hasText: `${repository}:${tag}` });
}

const retention = () => `${it.app.url}/registries/${registry}/retention`;
const trash = () => `${it.app.url}/registries/${registry}/trash`;

test.beforeAll(async () => {
  test.setTimeout(600_000);
  const { app } = it;
  app.projects.push(project);
  client = await ownerOf(app);
  registry = await addRegistry(client, 'Lab', undefined, 'kept');
  const sources = await Repository.create(path.join(app.repositories, 'web'));
  port = await freePort();
  for (let number = 1; number <= 4; number++) {
    await sources.website(`version ${number}`);
    if (number === 1) service = await addService(client, { project, name: 'Web', repository: sources.folder, port });
    const build = await buildEnds(client, await startBuild(client, service), 120);
    expect(build.state, build.text).toBe('succeeded');
    const deployment = build.deployment ?? '';
    const deployed = await deploymentEnds(client, deployment, 120);
    expect(deployed.state, deployed.text).toBe('succeeded');
    const { reference: name = '', digest = '' } = deployed;
    const [, where = '', tag = ''] = /^[^/]+\/(.+):([^:]+)$/.exec(name) ?? [];
    repository = where;
    versions.push({ deployment, tag, digest });
  }
  expect(new Set(versions.map(({ tag }) => tag)).size, 'four tags').toBe(4);
  for (const { tag, digest } of versions) expect(await digestInRegistry(repository, tag)).toBe(digest);
  await person(['login', lab().registry, '--username', lab().username, '--password-stdin'], lab().password);
});

test('rules are sentences, and are set without script', async ({ browser }) => {
  test.setTimeout(120_000);
  await ownerOf(it.app);
  const { url } = it.app;
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await story.enter(page, url);
  await page.goto(`${url}/services/${service}`);
  await page.getByLabel('Deployments that stay ready').fill('1');
  await page.getByRole('button', { name: 'Save number' }).click();
  await expect(page.getByLabel('Deployments that stay ready')).toHaveValue('1');

  await page.goto(`${url}/registries/${registry}`);
  await page.getByRole('link', { name: 'Retention', exact: true }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Retention');
  const main = page.locator('main');
  await expect(main).toContainText('There are no rules, so nothing is ever deleted from this registry.');
  await expect(main).toContainText('Not looked at yet');

  const last = page.getByLabel('Keep the last', { exact: true });
  const days = page.getByLabel('Days in the trash', { exact: true });
  await days.fill('3');
  await page.getByRole('button', { name: 'Save rules' }).click();
  await expect(last, 'no rule at all is none').toHaveAttribute('aria-invalid', 'true');
  await expect(days, 'what was typed is kept').toHaveValue('3');
  await last.fill('1');
  await page.getByRole('button', { name: 'Save rules' }).click();
  await expect(page.getByText('Rules saved.')).toBeVisible();
  for (const sentence of [
    'Keep the newest of each branch.',
    "Keep what Slipway didn't push.",
    'A tag that was deleted can come back for 3 days.',
    'Runs when somebody asks.',
  ]) await expect(page.getByRole('listitem').filter({ hasText: sentence })).toHaveCount(1);

  // The first rules make Slipway look by itself; without script somebody loads the page again.
  await expect(async () => {
    await page.reload();
    await expect(page.getByRole('button', { name: 'Look again' })).toBeVisible({ timeout: 500 });
    await expect(row(page, version(4).tag)).toBeVisible({ timeout: 500 });
  }).toPass({ timeout: 60_000 });
  await expect(page.locator('[data-summary="retention"]')).toHaveText(/^3 of \d+ tags go, .+ come free\.$/);
  for (const number of [1, 2, 3]) await expect(row(page, version(number).tag)).toHaveAttribute('data-fate', 'goes');
  await expect(row(page, version(4).tag)).toHaveAttribute('data-fate', 'stays');
  await expect(page.getByRole('button', { name: 'Delete 3 tags now', exact: true })).toBeVisible();
  await context.close();
});

test('a pin, a rule of the service and what others pushed keep more, and the preview says why', async ({ page }, info) => {
  test.setTimeout(180_000);
  await ownerOf(it.app);
  const { url } = it.app;
  await story.enter(page, url);
  await page.goto(`${url}/deployments/${version(1).deployment}`);
  await page.getByRole('button', { name: 'Pin', exact: true }).click();
  await expect(page.locator('main')).toContainText('Pinned by owner');
  await person(['tag', 'slipway-lab/base:1', reference('by-hand')]);
  await person(['push', '--quiet', reference('by-hand')]);
  await docker(['image', 'rm', reference('by-hand')]);

  await page.goto(`${url}/services/${service}`);
  await page.getByRole('link', { name: 'Retention', exact: true }).click();
  await expect(page.locator('main')).toContainText("Nothing. The registry's rules alone count.");
  await expectAccessible(page, info);
  await page.getByLabel('Keep the last', { exact: true }).fill('2');
  await page.getByRole('button', { name: 'Save rules' }).click();
  await expect(page.getByText('Rules saved.')).toBeVisible();
  await expect(page.locator('main')).toContainText('Keep the last 2 per branch.');
  await story.picture(page, 'retention-service');

  // The page loads itself again when the look is over.
  await page.goto(retention());
  await page.getByRole('button', { name: 'Look again' }).click();
  await expect(row(page, 'by-hand')).toBeVisible({ timeout: 60_000 });
  await expect(page.getByRole('button', { name: 'Look again' })).toBeVisible({ timeout: 30_000 });
  const says = async (tag: string, fate: 'goes' | 'stays', why: string) => {
    await expect(row(page, tag)).toHaveAttribute('data-fate', fate);
    await expect(row(page, tag)).toContainText(why);
  };
  await says('by-hand', 'stays', "Slipway didn't push it.");
  await says(version(1).tag, 'stays', 'Deployment 1 of Web is pinned.');
  await says(version(2).tag, 'goes', 'No rule keeps it and nothing needs it.');
  await says(version(3).tag, 'stays', 'Number 2 of the newest of main.');
  await says(version(4).tag, 'stays', 'Web runs it (deployment 4).');
  await says(version(4).tag, 'stays', 'The newest of main.');
  await expectAccessible(page, info);

  await page.goto(`${url}/services/${service}/retention`);
  await page.getByRole('button', { name: 'Remove rules' }).click();
  await expect(page.locator('main')).toContainText("Nothing. The registry's rules alone count.");
  await page.goto(retention());
  await says(version(3).tag, 'goes', 'No rule keeps it and nothing needs it.');
  await expect(page.locator('[data-summary="retention"]')).toHaveText(/^2 of \d+ tags go, .+ come free\.$/);
  await story.picture(page, 'retention-preview');

  await page.getByLabel('Show', { exact: true }).selectOption({ label: 'What goes' });
  await page.getByRole('button', { name: 'Filter', exact: true }).click();
  await expect(page.getByRole('region', { name: 'Tags', exact: true }).locator('tbody tr')).toHaveCount(2);
  await expect(page.locator('main')).toContainText('2 tags found');
  await page.getByLabel('Repository or tag').fill(version(2).tag);
  await page.getByRole('button', { name: 'Filter', exact: true }).click();
  await expect(page.getByRole('region', { name: 'Tags', exact: true }).locator('tbody tr')).toHaveCount(1);
  await expect(row(page, version(2).tag)).toBeVisible();
});

test('a run deletes what nothing keeps and reports each tag, and a restored tag pulls whole', async ({ page }, info) => {
  test.setTimeout(240_000);
  await ownerOf(it.app);
  const { url } = it.app;
  const [, second, third] = versions as [Version, Version, Version, Version];
  const byHand = await digestInRegistry(repository, 'by-hand');
  await story.enter(page, url);

  await test.step('run by hand, and its report', async () => {
    await page.goto(retention());
    await page.getByRole('button', { name: 'Delete 2 tags now', exact: true }).click();
    await expect(page).toHaveURL(/\/registries\/reg_[0-9a-z]{12}\/runs\/job_[0-9a-z]{12}$/);
    await story.succeeds(page);
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Run of the rules');
    const lines = page.getByRole('region', { name: 'What happened', exact: true }).locator('tbody tr');
    await expect(lines).toHaveCount(2);
    for (const { tag } of [second, third]) await expect(lines.filter({ hasText: `${repository}:${tag}` })).toContainText('Deleted');
    await expect(page.locator('main')).toContainText('2 deleted');
    await expectAccessible(page, info);
    await story.picture(page, 'retention-run');
  });

  await test.step('the tags are gone, their images wait, and all else is as it was', async () => {
    for (const { tag, digest } of [second, third]) {
      expect(await digestInRegistry(repository, tag), 'the tag is gone').toBeUndefined();
      expect(await digestInRegistry(repository, digest), 'its image is kept by digest').toBe(digest);
    }
    await expect(person(['pull', reference(second.tag)])).rejects.toThrow(/not found|manifest unknown/i);
    for (const { tag, digest } of [version(1), version(4)]) expect(await digestInRegistry(repository, tag)).toBe(digest);
    expect(byHand).toBeDefined();
    expect(await digestInRegistry(repository, 'by-hand')).toBe(byHand);
    expect(await answerOf(port)).toBe('version 4');
  });

  const deleted = page.getByRole('region', { name: 'Deleted tags', exact: true }).locator('tbody tr');
  await test.step('the trash has them', async () => {
    await page.goto(retention());
    await page.getByRole('link', { name: 'Trash', exact: true }).click();
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Trash');
    await expect(deleted).toHaveCount(2);
    for (const { tag, digest } of [second, third]) {
      const entry = deleted.filter({ hasText: `${repository}:${tag}` });
      await expect(entry).toContainText('by owner');
      await expect(entry.locator(`[data-digest="${digest}"]`)).toHaveCount(1);
    }
    await expect(page.getByRole('region', { name: 'Runs', exact: true })).toContainText('2 deleted');
    await expectAccessible(page, info);
    await story.picture(page, 'trash');
  });

  await test.step('restore', async () => {
    await page.getByRole('button', { name: `Restore ${repository}:${second.tag}`, exact: true }).click();
    await expect(page).toHaveURL(/\/jobs\/job_[0-9a-z]{12}$/);
    await story.succeeds(page);
    await page.goto(trash());
    await expect(deleted).toHaveCount(1);
    await expect(deleted).toContainText(`${repository}:${third.tag}`);
  });

  await test.step('pull by the old tag', async () => {
    expect(await digestInRegistry(repository, second.tag)).toBe(second.digest);
    expect(await pullWhole(repository, second.tag)).toContain(second.digest);
    await person(['pull', '--quiet', reference(second.tag)]);
    expect(await docker(['run', '--rm', '--network', 'none', reference(second.tag), 'cat', '/www/index.html'])).toBe('version 2\n');
    expect(await digestInRegistry(repository, third.tag), 'the other one stays gone').toBeUndefined();
  });
});

test('an emptied trash takes only what was in it', async ({ page }, info) => {
  test.setTimeout(120_000);
  await ownerOf(it.app);
  const { url } = it.app;
  const [first, second, third, fourth] = versions as [Version, Version, Version, Version];
  await story.enter(page, url);
  await page.goto(trash());
  await page.getByRole('button', { name: 'Empty the trash' }).click();
  const sure = page.getByLabel('These tags can go for good');
  await expect(sure, 'it asks first').toHaveAttribute('aria-invalid', 'true');
  expect(await digestInRegistry(repository, third.digest)).toBe(third.digest);
  await sure.check();
  await page.getByRole('button', { name: 'Empty the trash' }).click();
  await expect(page).toHaveURL(/\/runs\/job_[0-9a-z]{12}$/);
  await story.succeeds(page);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Trash thrown out');
  const lines = page.getByRole('region', { name: 'What happened', exact: true }).locator('tbody tr');
  await expect(lines).toHaveCount(1);
  await expect(lines).toContainText(`${repository}:${third.tag}`);
  await expect(lines).toContainText('Thrown out');

  expect((await registryRequest('HEAD', `/v2/${repository}/manifests/${third.digest}`)).status).toBe(404);
  for (const { tag, digest } of [first, second, fourth]) expect(await pullWhole(repository, tag)).toContain(digest);
  expect((await pullWhole(repository, 'by-hand')).size).toBeGreaterThan(0);
  await page.goto(trash());
  await expect(page.locator('main')).toContainText('The trash is empty');
  await expectAccessible(page, info);
});

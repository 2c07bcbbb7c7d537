// The clean-up of this engine (issue 6, acceptance 4, as a person sees it): rules, the plan with its reasons, a run and what it
// says afterwards. What others have is as it was.
//
// What was built or deployed within the last hour stays in any case, so what goes here is what a build that was broken off
// leaves: an image with the service's label, without a name, that no record knows.
import fs from 'node:fs';
import path from 'node:path';
import { expectAccessible } from '../fixtures/axe';
import { Repository } from '../fixtures/git';
import { answerOf, docker, freePort, lab, run, uniqueName } from '../fixtures/lab';
import * as story from '../fixtures/story';
import { expect, ownerOf, test, useApp } from '../fixtures/test';
import { addRegistry, addService, buildAndDeploy } from '../fixtures/things';

const it = useApp();
const project = uniqueName('tidy');
/** Begins all names of what others have. */
const theirs = uniqueName('theirs');
const plain = `${theirs}-plain:1`;
const labelled = `${theirs}-labelled:1`;
let nameless = '';
test.describe.configure({ mode: 'serial' });

test.afterAll(async () => {
  const gone = (args: string[]) => docker(args).catch(() => '');
  await gone(['rm', '--force', theirs]);
  await gone(['volume', 'rm', theirs]);
  await gone(['network', 'rm', theirs]);
  await gone(['image', 'rm', '--force', plain]);
  await gone(['image', 'rm', '--force', labelled]);
  if (nameless) await gone(['image', 'rm', '--force', nameless]);
});

/** Builds a tiny image by hand; returns its id. */
async function build(what: string, options: string[]): Promise<string> {
  const { folder: home } = it.app;
  const folder = path.join(home, `image-${what}`);
  fs.mkdirSync(folder);
  fs.writeFileSync(path.join(folder, 'Dockerfile'), 'FROM scratch\nCOPY mine /mine\n');
  fs.writeFileSync(path.join(folder, 'mine'), `${theirs} ${what}\n`);
  const env = { PATH: process.env.PATH, HOME: home, DOCKER_HOST: lab().docker_host };
  return (await run('docker', ['build', '--quiet', ...options, folder], { env })).trim();
}

/** All that can be told about what others have. */
function inspected(): Promise<string[]> {
  return Promise.all([
    docker(['image', 'inspect', plain]),
    docker(['image', 'inspect', labelled]),
    docker(['container', 'inspect', theirs]),
    docker(['volume', 'inspect', theirs]),
    docker(['network', 'inspect', theirs]),
  ]);
}

/** Whether the engine has an image. */
const has = (id: string) => docker(['image', 'inspect', '--format', '{{.Id}}', id]).then(() => true, () => false);

test('rules are set without script', async ({ browser }) => {
  await ownerOf(it.app);
  const { url } = it.app;
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await story.enter(page, url);
  await page.getByRole('link', { name: 'Clean-up', exact: true }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Clean-up');
  const versions = page.getByLabel('Versions of each service that stay on a node');
  const days = page.getByLabel('Days that build cache may stay unused');
  await expect(versions, 'the usual').toHaveValue('3');
  await versions.fill('0');
  await days.fill('45');
  await page.getByRole('button', { name: 'Save rules' }).click();
  await expect(versions).toHaveAttribute('aria-invalid', 'true');
  await expect(page.getByText('Give a number from 1 to 100.').first()).toBeVisible();
  await expect(days, 'what was typed is kept').toHaveValue('45');
  await versions.fill('1');
  await page.getByRole('button', { name: 'Save rules' }).click();
  await expect(page.getByText('Rules saved.')).toBeVisible();
  await page.reload();
  await expect(versions).toHaveValue('1');
  await expect(days).toHaveValue('45');
  await context.close();
});

test('plan, run, report: what nobody needs goes, and nothing of others', async ({ page }, info) => {
  test.setTimeout(300_000);
  const { app } = it;
  const client = await ownerOf(app);
  app.projects.push(project);
  await addRegistry(client, 'Lab', undefined, 'tidy');
  const sources = await Repository.create(path.join(app.repositories, 'web'));
  await sources.website('version 1');
  const port = await freePort();
  const service = await addService(client, { project, name: 'Web', repository: sources.folder, port });
  await buildAndDeploy(client, service);

  const label = ['--label', `slipway.service=${service}`];
  nameless = await build('nameless', label);
  // Somebody's own name makes it theirs, whatever its label says.
  await build('labelled', [...label, '--tag', labelled]);
  await build('plain', ['--tag', plain]);
  await docker(['create', '--name', theirs, plain, '/mine']);
  await docker(['volume', 'create', theirs]);
  await docker(['network', 'create', theirs]);
  const before = await inspected();
  expect(await has(nameless)).toBe(true);

  await story.enter(page, app.url);
  await page.goto(`${app.url}/cleanup`);
  const images = page.getByRole('region', { name: 'Images of Slipway', exact: true });
  const rows = images.locator('tbody tr');
  await test.step('the plan has a reason for each', async () => {
    // The page brings the plan up to date by itself.
    await page.getByRole('button', { name: 'Look again' }).click();
    const goes = rows.filter({ hasText: 'No service needs it.' });
    await expect(goes).toHaveCount(1, { timeout: 60_000 });
    await expect(goes).toContainText(nameless);
    await expect(goes).toContainText('of Web');
    await expect(rows.filter({ hasText: 'Web runs it.' }).first()).toContainText(project);
    await expect(rows.filter({ hasText: labelled })).toContainText("It also has a name that isn't Slipway's.");
    await expect(rows.filter({ hasText: plain }), 'what others made is counted, not listed').toHaveCount(0);
    await expect(page.locator('#plan')).toContainText('1 image would be removed; that frees at least');
    await expect(page.locator('#plan')).toContainText(/other images? \(.+\) (isn't|aren't) Slipway's and (is|are) never touched\./);
    await expectAccessible(page, info);
    await story.picture(page, 'cleanup-plan');
  });

  await test.step('run now', async () => {
    await page.getByRole('button', { name: 'Clean up now' }).click();
    await expect(page).toHaveURL(/\/jobs\/job_[0-9a-z]{12}$/);
    await story.succeeds(page);
    await expect(page.locator('#log')).toContainText('Removed: 1. Not removed: 0.');
  });

  await test.step('the report, and the plan after it', async () => {
    await page.goto(`${app.url}/cleanup`);
    const runs = page.getByRole('region', { name: 'Last runs', exact: true }).locator('tbody tr');
    await expect(runs).toHaveCount(1);
    await expect(runs).toContainText('1 image removed');
    await expect(runs).toContainText('by owner');
    await expect(runs.locator('[data-state]')).toHaveAttribute('data-state', 'succeeded');
    await expect(page.locator('#plan')).toContainText('Nothing would be removed now.');
    await expect(rows.filter({ hasText: labelled })).toHaveCount(1);
    await expectAccessible(page, info);
    await story.picture(page, 'cleanup-report');
  });

  expect(await has(nameless), 'what nobody needs is gone').toBe(false);
  expect(await inspected(), 'nothing of others was touched').toEqual(before);
  expect(await answerOf(port), 'what runs runs on').toBe('version 1');
});

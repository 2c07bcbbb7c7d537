// The main job, from an empty data folder to an image that is built, pushed, running and rolled back (acceptance 1 and 3).
import { expectAccessible } from '../fixtures/axe';
import { GitServer } from '../fixtures/git';
import { answerOf, digestInRegistry, docker, freePort, lab, swarmServices, uniqueName } from '../fixtures/lab';
import * as story from '../fixtures/story';
import { expect, test, useApp } from '../fixtures/test';

let git: GitServer;
const it = useApp(async () => {
  git = await GitServer.start();
  return { gitAuthority: git.authority };
});

test.afterAll(() => git.stop());

test('from a fresh machine to a service that is built, pushed, running and rolled back', async ({ page, faults }, info) => {
  test.setTimeout(180_000);
  faults.expect(/404.*\/nowhere/);
  const { app } = it;
  const project = uniqueName('story');
  app.projects.push(project);
  const port = await freePort();
  const repository = await git.create('web.git');
  // The log has to be seen growing, so this build takes a while.
  const slowly = 'RUN for i in 1 2 3; do echo "live line $i"; sleep 1; done';
  const first = await repository.website('version 1', { extra: slowly });

  await test.step('set up', async () => {
    await page.goto(app.url);
    await expect(page, 'before the set-up only that page is there').toHaveURL(/\/setup/);
    await expectAccessible(page, info);
    await story.setUp(page, app.url, app.setupToken());
    await expectAccessible(page, info);
    await story.picture(page, 'overview-empty');
  });

  await test.step('sign out and in', async () => {
    await story.signOut(page);
    await expectAccessible(page, info);
    await story.signIn(page, app.url, 'certainly not the password');
    await expect(page).toHaveURL(/\/sign-in/);
    await expect(page.getByRole('alert')).toBeVisible();
    await expectAccessible(page, info);
    await story.enter(page, app.url);
  });

  await test.step('a credential: first with a wrong password', async () => {
    await page.goto(`${app.url}/credentials/new`);
    await expectAccessible(page, info);
    await story.newCredential(page, app.url);
    await expectAccessible(page, info);
    await story.saveCredential(page, 'Lab push', 'certainly not the password');
    const password = page.getByLabel('Password or token');
    await expect(password, 'the error is at the password').toHaveAttribute('aria-invalid', 'true');
    const described = (await password.getAttribute('aria-describedby')) ?? '';
    const error = page.locator(described.split(' ').map((id) => `#${id}.error`).join(', '));
    await expect(error).toContainText(/password|token/i);
    await expect(password, 'a secret never comes back').toHaveValue('');
    for (const other of ['Name', 'Registry address', 'User name']) {
      const field = page.getByLabel(other, { exact: true });
      await expect(field, `${other} is kept`).not.toHaveValue('');
      await expect(field, `${other} is not to blame`).not.toHaveAttribute('aria-invalid', 'true');
    }
    await expectAccessible(page, info);
    await story.picture(page, 'credential-wrong-password');

    await story.saveCredential(page, 'Lab push', lab().password);
    await expect(page).toHaveURL(/\/credentials\/cred_/);
    await expectAccessible(page, info);
    await page.goto(`${app.url}/credentials`);
    await expect(page.getByRole('link', { name: 'Lab push' })).toBeVisible();
    await expectAccessible(page, info);
  });

  await test.step('a registry on it', async () => {
    await page.goto(`${app.url}/registries/new`);
    await expectAccessible(page, info);
    await story.addRegistry(page, app.url, 'Lab registry', 'Lab push', 'team');
    await expect(page.locator('main'), 'the first one is the default').toContainText(/default/i);
    await expectAccessible(page, info);
    await page.goto(`${app.url}/registries`);
    await expect(page.getByRole('link', { name: 'Lab registry' })).toBeVisible();
    await expectAccessible(page, info);
  });

  let service = '';
  let previewed = '';
  await test.step('a service, with a preview of its image', async () => {
    await story.fillService(page, app.url, { project, name: 'Web shop', repository: git.url(repository), port });
    const preview = page.locator('#push-preview');
    await expect(preview).toContainText(`${lab().registry}/team/${project}/web-shop-`);
    await page.getByLabel('Base path').fill('other/place');
    await expect(preview, 'it follows the fields').toContainText(`${lab().registry}/other/place/${project}/web-shop-`);
    await page.getByLabel('Base path').fill('');
    await expectAccessible(page, info);
    await story.picture(page, 'service-new');
    service = await story.saveService(page);
    await expectAccessible(page, info);
    await page.goto(`${app.url}/services/${service}/edit`);
    previewed = ((await preview.innerText()).match(/\S+:\S+/)?.[0] ?? '').replace(/:[^:/]*$/, '');
    expect(previewed).toBe(`${lab().registry}/team/${project}/web-shop-${service.replace('srv_', '')}`);
    await expectAccessible(page, info);
  });

  const image = async () => ({
    reference: (await page.locator('[data-reference]').first().getAttribute('data-reference')) ?? '',
    digest: (await page.locator('[data-digest]').first().getAttribute('data-digest')) ?? '',
  });

  await test.step('build with a live log', async () => {
    await story.startBuild(page, app.url, service);
    const log = page.locator('#log');
    await expect(log).toContainText('live line 1', { timeout: 30_000 });
    expect(await log.innerText(), 'the log is shown while it grows').not.toContain('live line 3');
    await expect(story.badge(page)).toHaveAttribute('data-state', 'running');
    await page.reload();
    await expect(log, 'a reload keeps what was there').toContainText('live line 1');
    await expect(log).toContainText('live line 3');
    await story.succeeds(page);
    await expectAccessible(page, info);
    await story.picture(page, 'build');
    const { reference, digest } = await image();
    expect(reference, 'pushed under the name that the preview showed').toBe(`${previewed}:${first}`);
    const repositoryName = previewed.replace(`${lab().registry}/`, '');
    expect(digest, 'the digest is that of the registry').toBe(await digestInRegistry(repositoryName, first));
  });

  let deployedDigest = '';
  await test.step('version 1 answers', async () => {
    await story.followDeployment(page);
    await story.succeeds(page);
    deployedDigest = (await image()).digest;
    expect(deployedDigest).toBe(await digestInRegistry(previewed.replace(`${lab().registry}/`, ''), first));
    await expectAccessible(page, info);
    await expect.poll(() => answerOf(port)).toBe('version 1');
    const [swarmService = ''] = await swarmServices(project);
    const spec = await docker(['service', 'inspect', '--format', '{{.Spec.TaskTemplate.ContainerSpec.Image}}', swarmService]);
    expect(spec.trim(), 'the Swarm runs exactly that digest').toBe(`${previewed}:${first}@${deployedDigest}`);
    await page.goto(`${app.url}/services/${service}`);
    await expect(story.badge(page)).toHaveAttribute('data-state', 'running');
    await expectAccessible(page, info);
    await story.picture(page, 'service');
  });

  await test.step('a new commit: version 2 answers', async () => {
    const second = await repository.website('version 2');
    await story.startBuild(page, app.url, service);
    await story.succeeds(page);
    expect((await image()).reference).toBe(`${previewed}:${second}`);
    await story.followDeployment(page);
    await story.succeeds(page);
    await expect.poll(() => answerOf(port)).toBe('version 2');
  });

  await test.step('roll back: version 1 answers, and nothing was built', async () => {
    const buildIds = async () => {
      await page.goto(`${app.url}/builds`);
      return page.locator('main a[href^="/builds/bld_"]').evaluateAll((links) => [...new Set(links.map((link) => link.getAttribute('href')))]);
    };
    const builds = await buildIds();
    expect(builds).toHaveLength(2);
    const asked = git.requests.length;
    await story.rollBack(page, app.url, service, 1);
    await story.succeeds(page);
    await expect(page.locator('main'), 'it says where it came from').toContainText(/rolled back to deployment 1(?!\d)/i);
    expect((await image()).digest, 'the digest of version 1').toBe(deployedDigest);
    await expect.poll(() => answerOf(port)).toBe('version 1');
    expect(await buildIds(), 'no build was started').toEqual(builds);
    expect(git.requests.length, 'the repository was not asked').toBe(asked);
    await story.picture(page, 'builds');
  });

  await test.step('the other pages', async () => {
    for (const where of ['/', '/services', '/builds', '/jobs', '/settings', `/services/${service}/delete`, '/nowhere']) {
      await page.goto(`${app.url}${where}`);
      await expect(page.locator('h1')).toHaveCount(1);
      await expectAccessible(page, info);
    }
    await page.goto(`${app.url}/`);
    await story.picture(page, 'overview');
    await page.goto(`${app.url}/settings`);
    await story.picture(page, 'settings');
  });

  await test.step('delete: the Swarm service goes, its history stays', async () => {
    await page.goto(`${app.url}/services/${service}/delete`);
    await page.getByRole('textbox').fill('Web shop');
    await page.getByRole('button', { name: /^Delete/ }).click();
    await expect.poll(() => swarmServices(project), { timeout: 20_000 }).toEqual([]);
    await page.goto(`${app.url}/builds`);
    await expect(page.locator('main a[href^="/builds/bld_"]').first()).toBeVisible();
  });
});

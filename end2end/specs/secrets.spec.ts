// No secret can be read anywhere (acceptance 4; K1, K3, K4, K5, K7): not in Docker, arguments, environments, logs, answers,
// the database, or what the browser received. One long day is lived through, with failures, while everything is watched.
import fs from 'node:fs';
import path from 'node:path';
import { binaryNeedles, needles, Sweep } from '../fixtures/canaries';
import { owner } from '../fixtures/client';
import { Repository } from '../fixtures/git';
import { docker, freePort, lab, swarmServices, uniqueName } from '../fixtures/lab';
import { ProcessWatch } from '../fixtures/processes';
import * as story from '../fixtures/story';
import { expect, ownerOf, test, useApp } from '../fixtures/test';
import { addRegistry, addService, buildAndDeploy, buildEnds, deploymentEnds, idsOn, logOf, startBuild } from '../fixtures/things';

// As talkative as it gets.
const it = useApp(() => ({ env: { SLIPWAY_LOG: 'trace' } }));

// A secret that is found once is found.
test.describe.configure({ retries: 0 });

test('a day with many secrets, and a search for each of them', async ({ page, context, faults }) => {
  test.setTimeout(150_000);
  faults.expect(/404.*\/nowhere/);
  const { app } = it;
  const project = uniqueName('secret');
  app.projects.push(project);
  const token = app.setupToken();
  const environmentValue = 'env/canary+7d1f~c0de:value';
  const wrongPassword = 'a wrong one, typed by mistake';
  const registrySecrets = [...needles('the registry password', lab().password), ...needles('a mistyped password', wrongPassword)];
  const accountSecrets = needles('the owner password', owner.password);
  const everywhere = [...registrySecrets, ...accountSecrets];
  const watch = await ProcessWatch.start([...everywhere, ...needles('an environment value', environmentValue)]);

  // What the browser receives, but the pages that a form with the secret is typed into are its own.
  const received = new Sweep(everywhere);
  const bodies: Promise<void>[] = [];
  context.on('response', (response) => {
    received.text(`headers of ${response.url()}`, JSON.stringify(response.headers()));
    if (response.headers()['content-type']?.includes('event-stream')) return;
    bodies.push(response.body().then((body) => received.text(response.url(), body), () => undefined));
  });

  // ── The day ──
  const client = await ownerOf(app);
  await story.signIn(page, app.url, wrongPassword);
  await expect(page.getByRole('alert')).toBeVisible();
  await story.enter(page, app.url);
  await story.newCredential(page, app.url);
  await story.saveCredential(page, 'Browser', wrongPassword);
  await expect(page.getByLabel('Password or token')).toHaveAttribute('aria-invalid', 'true');
  await story.saveCredential(page, 'Browser', lab().password);
  await expect(page).toHaveURL(/\/credentials\/cred_/);
  const browserHas = await page.evaluate(() => JSON.stringify([document.documentElement.outerHTML, { ...localStorage }, { ...sessionStorage }, location.href]));
  received.text('the page after saving', browserHas);
  await addRegistry(client, 'Lab');

  const port = await freePort();
  const repository = await Repository.create(path.join(app.repositories, 'web'));
  // A build that finds the registry's password by itself and prints it: its log must not. Backwards in the Dockerfile.
  const backwards = [...lab().password].reverse().join('');
  const prints = `RUN echo "found: $(echo ${backwards} | rev)" && env && echo "and again $(echo ${backwards} | rev | base64)"`;
  await repository.website('version 1', { extra: prints });
  const service = await addService(client, { project, name: 'web', repository: repository.folder, port, env: `CANARY=${environmentValue}\nPLAIN=hello` });
  const build = await startBuild(client, service);
  await page.goto(`${app.url}/builds/${build}`);
  const ended = await buildEnds(client, build);
  expect(ended.state, ended.text).toBe('succeeded');
  await deploymentEnds(client, ended.deployment ?? '');
  const log = await logOf(client, ended.job);
  expect(log, 'what the build printed is masked').toMatch(/found: •+/);
  await repository.commit({ Dockerfile: `FROM ${lab().base}\nRUN exit 7\n` }, 'Break it');
  const broken = await buildEnds(client, await startBuild(client, service));
  expect(broken.state).toBe('failed');
  await repository.website('version 2');
  await buildAndDeploy(client, service);
  const oldest = (await idsOn(client, `/services/${service}`, 'dep')).at(-1) ?? '';
  await client.submit('services/roll-back', `/services/${service}`, { to: oldest });
  const lines = await client.stream(`/jobs/${ended.job}/log`, (text) => text.includes('found:'));
  expect(lines).toContain('found:');
  for (const where of ['/', '/services', '/builds', '/registries', '/credentials', '/jobs', '/settings', '/credentials/new', '/nowhere']) {
    await page.goto(`${app.url}${where}`);
    await client.get(where);
  }
  const [credential = ''] = await idsOn(client, '/credentials', 'cred');
  const shown = await client.get(`/credentials/${credential}`);
  expect(shown.body, 'a password field comes empty').not.toMatch(/<input[^>]*type="password"[^>]*value="[^"]+"/);

  // ── The search ──
  const processes = await watch.stop();
  expect(processes.looked, 'processes were seen').toBeGreaterThan(100);
  expect(processes.programs, 'the builder among them').toEqual(expect.arrayContaining(['git', 'docker']));
  // The website itself gets its environment; nobody else does.
  const leaks = processes.hits.filter((hit) => !/^an environment value \(plain\) in \/proc\/\d+\/environ of httpd$/.test(hit));
  expect(leaks, 'in arguments or environments').toEqual([]);

  await Promise.all(bodies);
  for (const { what, text } of client.answers) received.text(what, text);
  expect(received.places).toBeGreaterThan(60);
  expect(received.hits, 'in answers').toEqual([]);

  const masterKey = fs.readFileSync(path.join(app.data, 'master.key'));
  const sessions = [...client.cookies].flatMap(([name, value]) => needles(`the cookie ${name}`, value));
  const sealed = [
    ...everywhere,
    ...needles('an environment value', environmentValue),
    ...needles('the setup token', token),
    ...sessions,
    ...binaryNeedles('the master key', masterKey),
  ];
  const written = new Sweep(sealed);
  written.files(app.data, (file) => file === path.join(app.data, 'master.key'));
  expect(written.places, 'the database, its journal and logs were searched').toBeGreaterThan(3);
  expect(written.hits, 'in files').toEqual([]);
  expect(fs.readdirSync(path.join(app.data, 'builds')), 'the builds folder is empty again').toEqual([]);
  expect((fs.statSync(app.data).mode & 0o777).toString(8)).toBe('700');
  expect((fs.statSync(path.join(app.data, 'master.key')).mode & 0o777).toString(8)).toBe('600');

  const printed = new Sweep([...everywhere, ...needles('an environment value', environmentValue), ...sessions, ...binaryNeedles('the master key', masterKey)]);
  printed.files(app.logFile);
  expect(fs.statSync(app.logFile).size, 'the log says something').toBeGreaterThan(2_000);
  expect(printed.hits, 'in its own log').toEqual([]);

  const engine = new Sweep(everywhere);
  const services = await swarmServices(project);
  expect(services).toHaveLength(1);
  const tasks = (await docker(['service', 'ps', '--no-trunc', '--quiet', ...services])).split('\n').filter(Boolean);
  const containers = (await docker(['ps', '--all', '--quiet', '--filter', `label=com.docker.swarm.service.id=${await fullId(services[0])}`])).split('\n').filter(Boolean);
  const images = (await docker(['image', 'ls', '--quiet', '--no-trunc', `${lab().registry}/${project}/*`])).split('\n').filter(Boolean);
  expect(tasks.length * containers.length * images.length, 'there is something to search').toBeGreaterThan(0);
  for (const [what, ids] of Object.entries({ service: services, task: tasks, container: containers, image: images })) {
    engine.text(what, await docker(['inspect', ...ids]));
  }
  for (const image of new Set(images)) engine.text('history', await docker(['image', 'history', '--no-trunc', image]));
  for (const what of ['network', 'config', 'secret', 'volume', 'node']) {
    const ids = (await docker([what, 'ls', '--quiet'])).split('\n').filter(Boolean);
    if (ids.length > 0) engine.text(what, await docker([what, 'inspect', ...ids]));
  }
  engine.text('info', await docker(['info']));
  expect(engine.hits, 'in docker inspect').toEqual([]);
});

async function fullId(service = ''): Promise<string> {
  return (await docker(['service', 'inspect', '--format', '{{.ID}}', service])).trim();
}

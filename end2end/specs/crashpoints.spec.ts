// A crash at every step of every job (P1, P3, one kill per step): the binary aborts itself there, once, when the step's work
// is done and nothing of that is written yet; also before the first step and after the last. After the next start the job
// is taken up again and ends well; nothing is left of it; and the service works.
import fs from 'node:fs';
import path from 'node:path';
import { childrenEnd, nothingStays } from '../fixtures/aftermath';
import type { Client } from '../fixtures/client';
import { Repository } from '../fixtures/git';
import { answerOf, freePort, swarmServices, uniqueName } from '../fixtures/lab';
import { expect, ownerOf, test, useApp } from '../fixtures/test';
import { addRegistry, addService, buildAndDeploy, buildEnds, deploymentEnds, idsOn, logOf, until } from '../fixtures/things';

/** The steps of a job, from its source, so that a new step is covered without a word here. */
function stepsOf(file: string): string[] {
  const read = (name: string) => fs.readFileSync(path.join(__dirname, '../../src', name), 'utf8');
  const constant = (module: string, name: string) =>
    new RegExp(`const ${name}: &str = "([^"]+)"`).exec(read(path.join(path.dirname(file), `${module}.rs`)))?.[1] ?? '';
  const calls = [...read(file).matchAll(/\b(?:fresh_)?step\(\s*(?:"([^"]+)"|(\w+)::([A-Z_]+))/g)];
  return calls.map(([, name, module, named]) => name ?? constant(module ?? '', named ?? ''));
}

const it = useApp();
const project = uniqueName('points');
let client: Client;
let repository: Repository;
let service = '';
let port = 0;
/** The first two deployments, by what they answer. */
const versions: Record<string, string> = {};

test.beforeAll(async () => {
  test.setTimeout(90_000);
  it.app.projects.push(project);
  client = await ownerOf(it.app);
  await addRegistry(client, 'Lab');
  repository = await Repository.create(path.join(it.app.repositories, 'web'));
  port = await freePort();
  await repository.website('version 0');
  service = await addService(client, { project, name: 'web', repository: repository.folder, port });
  versions['version 0'] = await buildAndDeploy(client, service);
  await repository.website('version 1');
  versions['version 1'] = await buildAndDeploy(client, service);
});

/** Starts with a stopping point, asks for something, and starts again after the abort. Returns where the wish led. */
async function abortAt(point: string, ask: () => Promise<{ headers: { location?: string } }>): Promise<string> {
  const { app } = it;
  fs.rmSync(app.aborted, { force: true });
  await app.stop();
  await app.boot({ SLIPWAY_ABORT_AT: point, SLIPWAY_ABORT_ONCE: app.aborted });
  const answer = await ask();
  const ended = await Promise.race([app.end(), new Promise<undefined>((resolve) => setTimeout(resolve, 40_000))]);
  expect(ended, `${point} was reached`).toBeDefined();
  expect(fs.existsSync(app.aborted), `${point} was the reason`).toBe(true);
  await childrenEnd(app);
  await app.boot({ SLIPWAY_ABORT_AT: point, SLIPWAY_ABORT_ONCE: app.aborted });
  return answer.headers.location ?? '';
}

function points(kind: string, file: string): string[] {
  const steps = stepsOf(file);
  return [`${kind}.claimed`, ...steps.map((step) => `${kind}.${step}.done`), `${kind}.${steps.at(-1)}.after`];
}

let version = 1;
for (const point of points('build_image', 'builds/build_image.rs')) {
  test(`a crash at ${point}`, async () => {
    version += 1;
    const commit = await repository.website(`version ${version}`);
    const location = await abortAt(point, () => client.post('builds/start', `/services/${service}`, { service, deploy: 'yes' }));
    const build = await buildEnds(client, /bld_\w{12}/.exec(location)?.[0] ?? '');
    expect(build.state, `${build.text}\n${await logOf(client, build.job)}`).toBe('succeeded');
    expect(build.reference).toContain(`:${commit}`);
    const deployed = await deploymentEnds(client, build.deployment ?? '');
    expect(deployed.state, deployed.text).toBe('succeeded');
    await expect.poll(() => answerOf(port)).toBe(`version ${version}`);
    nothingStays(it.app);
  });
}

const deploys = points('deploy', 'services/deploy.rs');
// Going back to what ran well before isn't watched.
const watched = deploys.filter((point) => point.includes('.monitor.'));
for (const point of watched) {
  test(`a crash at ${point}`, async () => {
    test.setTimeout(120_000);
    const checked = await addService(client, {
      project,
      name: 'checked',
      repository: repository.folder,
      more: { health_command: 'true', health_interval: '1', health_retries: '1', health_start_period: '1' },
    });
    const location = await abortAt(point, () => client.post('builds/start', `/services/${checked}`, { service: checked, deploy: 'yes' }));
    const build = await buildEnds(client, /bld_\w{12}/.exec(location)?.[0] ?? '');
    const deployed = await deploymentEnds(client, build.deployment ?? '');
    expect(deployed.state, `${deployed.text}\n${await logOf(client, deployed.job)}`).toBe('succeeded');
    expect(await idsOn(client, `/services/${checked}`, 'dep'), 'one deployment').toHaveLength(1);
    nothingStays(it.app);
  });
}

for (const point of deploys.filter((point) => !watched.includes(point))) {
  test(`a crash at ${point}`, async () => {
    const deployments = await idsOn(client, `/services/${service}`, 'dep');
    const goal = (await answerOf(port)) === 'version 0' ? 'version 1' : 'version 0';
    const location = await abortAt(point, () => client.post('services/roll-back', `/services/${service}`, { to: versions[goal] ?? '' }));
    const deployed = await deploymentEnds(client, /dep_\w{12}/.exec(location)?.[0] ?? '');
    expect(deployed.state, `${deployed.text}\n${await logOf(client, deployed.job)}`).toBe('succeeded');
    expect(deployed.digest).toBeTruthy();
    await expect.poll(() => answerOf(port)).toBe(goal);
    expect(await idsOn(client, `/services/${service}`, 'dep'), 'one more deployment, not two').toHaveLength(deployments.length + 1);
    nothingStays(it.app);
  });
}

for (const point of points('remove_service', 'services/remove.rs')) {
  test(`a crash at ${point}`, async () => {
    test.setTimeout(90_000);
    const name = `gone ${point}`;
    const doomed = await addService(client, { project, name, repository: repository.folder });
    await buildAndDeploy(client, doomed);
    const before = await swarmServices(project);
    await abortAt(point, () => client.post('services/delete', `/services/${doomed}/delete`, { id: doomed, confirm: name }));
    await until('the end of its Swarm service', async () => (await swarmServices(project)).length === before.length - 1, 20);
    expect(await idsOn(client, '/services', 'srv'), 'it is not in the list').not.toContain(doomed);
    nothingStays(it.app);
  });
}

// kill -9 in the middle (acceptance 5): while cloning, building, pushing, deploying. After the next start the job goes on
// or has failed with a reason, and nothing is left: no lock, no build folder, no process; the log can still be read.
import type { Client } from '../fixtures/client';
import { childrenEnd, nothingStays } from '../fixtures/aftermath';
import { GitServer } from '../fixtures/git';
import { answerOf, freePort, uniqueName } from '../fixtures/lab';
import { processesIn, processesWith } from '../fixtures/processes';
import { RegistryGate } from '../fixtures/proxy';
import { binary } from '../fixtures/app';
import { expect, ownerOf, test, useApp } from '../fixtures/test';
import { addRegistry, addService, buildAndDeploy, buildEnds, buildFacts, deploymentEnds, deploymentFacts, logOf, startBuild, until } from '../fixtures/things';
import { execFile } from 'node:child_process';

const project = uniqueName('crash');
let git: GitServer;
let gate: RegistryGate;
const it = useApp(async () => {
  git = await GitServer.start();
  gate = await RegistryGate.start();
  return { gitAuthority: git.authority };
});

test.afterAll(async () => {
  await git.stop();
  await gate.stop();
});

let client: Client;
test.beforeAll(async () => {
  it.app.projects.push(project);
  client = await ownerOf(it.app);
  await addRegistry(client, 'Gate', gate.address);
});

test.afterEach(() => {
  git.release();
  gate.open();
});

/** A service of its own for a test, with its repository and port. */
async function newService(name: string, options: { extra?: string; health?: string } = {}) {
  const repository = await git.create(`${name}.git`);
  const port = await freePort();
  await repository.website('version 1', { base: `${gate.address}/base:1`, extra: options.extra });
  const service = await addService(client, { project, name, repository: git.url(repository), port, health: options.health });
  return { repository, port, service };
}

/** Kills Slipway, looks that its children end, and starts it again. */
async function crash() {
  const { app } = it;
  await app.kill();
  await childrenEnd(app);
  await app.boot();
}

/** After the job's end nothing of it is left, and the service can be built again. */
async function nothingIsLeft(service: string) {
  const { app } = it;
  nothingStays(app);
  git.release();
  gate.open();
  await buildAndDeploy(client, service);
}

/** The build goes on or has failed with the reason; its log can be read; and the service can be built again. */
async function endsWell(build: string, service: string, port: number) {
  const after = await buildEnds(client, build);
  expect(['succeeded', 'failed']).toContain(after.state);
  if (after.state === 'failed') expect(after.text).toMatch(/interrupted|restart|stopped/i);
  expect(await logOf(client, after.job)).not.toBe('');
  await nothingIsLeft(service);
  await expect.poll(() => answerOf(port)).toBe('version 1');
}

test('kill -9 during the clone', async () => {
  test.setTimeout(90_000);
  const { service, port } = await newService('cloning');
  git.hold();
  const build = await startBuild(client, service);
  await until('a clone that waits', () => git.waiting > 0);
  expect(processesIn(it.app.data).some(({ command }) => command.includes('git')), 'git is at work').toBe(true);
  await crash();
  git.release();
  await endsWell(build, service, port);
});

test('kill -9 during the build', async () => {
  test.setTimeout(90_000);
  const marker = `98765.${Math.floor(Math.random() * 1e6)}`;
  const { repository, service } = await newService('building', { extra: `RUN echo before the crash && sleep ${marker}` });
  const build = await startBuild(client, service);
  const job = (await buildFacts(client, build)).job;
  await until('a step that runs', async () => processesWith(`sleep ${marker}`).length > 0 && (await logOf(client, job)).includes('before the crash'));
  await crash();
  const log = await logOf(client, job);
  expect(log, 'the log up to the crash is readable').toContain('before the crash');
  // Taken up again, the job builds the same commit again, which waits again; so it is cancelled.
  const state = await until('a state after the restart', async () => {
    const seen = await buildFacts(client, build);
    return (seen.state === 'failed' || processesWith(`sleep ${marker}`).length > 0) && seen.state;
  });
  if (state === 'failed') expect((await buildFacts(client, build)).text).toMatch(/interrupted|restart|stopped/i);
  else await client.submit('builds/cancel', `/builds/${build}`, { id: build });
  await buildEnds(client, build);
  await until('the end of the build step', () => processesWith(`sleep ${marker}`).length === 0, 15);
  await repository.website('version 1', { base: `${gate.address}/base:1` });
  await nothingIsLeft(service);
});

test('kill -9 during the push', async () => {
  test.setTimeout(90_000);
  const { service, port } = await newService('pushing');
  gate.rule = (method, where) => (method === 'PUT' && where.includes('/manifests/') ? 'hold' : 'pass');
  const build = await startBuild(client, service);
  await until('a push that waits', () => gate.waiting > 0);
  await crash();
  gate.open();
  await endsWell(build, service, port);
});

test('kill -9 during the deployment', async () => {
  test.setTimeout(120_000);
  // Healthy only once the website itself says so, which takes a while.
  const { repository, service, port } = await newService('deploying', { health: 'test -e /tmp/well' });
  const slowly = 'CMD ["/bin/sh", "-c", "(sleep 6; touch /tmp/well) & exec httpd -f -p 8080 -h /www"]';
  await repository.commit({ Dockerfile: `FROM ${gate.address}/base:1\nSTOPSIGNAL SIGKILL\nCOPY www /www\n${slowly}\n` }, 'Be slow');
  const build = await buildEnds(client, await startBuild(client, service));
  expect(build.state, build.text).toBe('succeeded');
  const deployment = build.deployment ?? '';
  await until('a deployment under way', async () => (await deploymentFacts(client, deployment)).state === 'running' && (await answerOf(port)) === 'version 1');
  await crash();
  const after = await deploymentEnds(client, deployment);
  expect(['succeeded', 'failed']).toContain(after.state);
  if (after.state === 'succeeded') await expect.poll(() => answerOf(port)).toBe('version 1');
  else expect(after.text).toMatch(/interrupted|restart|stopped/i);
  expect(await logOf(client, after.job)).not.toBe('');
  await nothingIsLeft(service);
});

test('a second process on the same data folder is refused (P9)', async () => {
  const { app } = it;
  const began = Date.now();
  const refusal = await new Promise<{ code: number | null; text: string }>((resolve) => {
    const env = { ...app.environment(), SLIPWAY_LISTEN: '127.0.0.1:0' };
    const child = execFile(binary(), ['serve'], { env, timeout: 5_000 }, (error, stdout, stderr) =>
      resolve({ code: error ? child.exitCode : 0, text: stdout + stderr }),
    );
  });
  expect(refusal.code, refusal.text).toBeGreaterThan(0);
  expect(refusal.text, 'it names the process that holds it').toContain(String(app.pid));
  expect(Date.now() - began).toBeLessThan(3_000);
  expect((await client.get('/')).status, 'the first one goes on').toBe(200);
});


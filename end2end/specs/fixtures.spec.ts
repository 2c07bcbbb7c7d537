// The tests' own tools: a search that finds nothing proves something only if it would find it.
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { needles, Sweep } from '../fixtures/canaries';
import { GitServer, websiteDockerfile } from '../fixtures/git';
import { docker, lab, run, uniqueName } from '../fixtures/lab';
import { ProcessWatch, processesWith } from '../fixtures/processes';
import { EngineDoor, RegistryGate } from '../fixtures/proxy';
import { expect, test } from '../fixtures/test';
import { until } from '../fixtures/things';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'slipway-e2e-tools-'));
test.afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

test('a secret is found in every form', () => {
  const secret = 'pa55 wörd+with/odd?chars';
  const sought = needles('it', secret);
  const bytes = Buffer.from(secret);
  const forms = [
    `before ${secret} after`,
    Buffer.from(`user:${secret}`).toString('base64'),
    Buffer.from(`user1:${secret}!`).toString('base64'),
    Buffer.from(`user12:${secret}xyz`).toString('base64url'),
    new URLSearchParams({ a: 'b' }).toString() + encodeURIComponent(secret),
    bytes.toString('hex'),
    `{"x":${JSON.stringify(secret)}}`,
  ];
  for (const form of forms) {
    const sweep = new Sweep(sought);
    sweep.text('here', form);
    expect(sweep.hits, form).not.toEqual([]);
  }
  const nothing = new Sweep(sought);
  nothing.text('here', 'pa55 word');
  expect(nothing.hits).toEqual([]);
});

test('a secret in arguments or environment is seen, however short the process lives', async () => {
  const [inArguments, inEnvironment] = ['canary-in-arguments-17', 'canary-in-environment-23'];
  const watch = await ProcessWatch.start([...needles('A', inArguments), ...needles('B', inEnvironment)]);
  await run('sh', ['-c', 'sleep 0.05; exit 0', inArguments]);
  await run('sleep', ['0.05'], { env: { PATH: process.env.PATH, X: inEnvironment } });
  const { hits } = await watch.stop();
  expect(hits.some((hit) => hit.startsWith('A (plain)') && hit.includes('cmdline')), hits.join()).toBe(true);
  expect(hits.some((hit) => hit.startsWith('B (plain)') && hit.includes('environ')), hits.join()).toBe(true);
});

test('the git server serves over HTTPS, and holds', async () => {
  const git = await GitServer.start();
  try {
    const repository = await git.create('web.git');
    const commit = await repository.website('version 1');
    const env = { PATH: process.env.PATH, GIT_SSL_CAINFO: git.authority, GIT_CONFIG_GLOBAL: '/dev/null' };
    expect(await run('git', ['ls-remote', git.url(repository), 'main'], { env })).toContain(commit);
    expect(git.requests.some(({ fetches }) => fetches), 'listing is not fetching').toBe(false);
    git.hold();
    const clone = run('git', ['clone', '--quiet', '--depth=1', git.url(repository), path.join(folder, 'clone')], { env });
    await until('a clone that waits', () => git.waiting === 1);
    git.release();
    await clone;
    expect(fs.readFileSync(path.join(folder, 'clone/www/index.html'), 'utf8')).toBe('version 1\n');
    await expect(run('git', ['ls-remote', git.url(repository)], { env: { ...env, GIT_SSL_CAINFO: undefined } }), 'only with its authority').rejects.toThrow(/certificate/i);
  } finally {
    await git.stop();
  }
});

test('the gate before the registry passes a push, counts, refuses, and holds', async () => {
  const gate = await RegistryGate.start();
  const name = uniqueName('gate');
  try {
    const config = path.join(folder, 'docker');
    fs.mkdirSync(config);
    const auth = Buffer.from(`${lab().username}:${lab().password}`).toString('base64');
    fs.writeFileSync(path.join(config, 'config.json'), JSON.stringify({ auths: { [gate.address]: { auth } } }));
    const context = path.join(folder, 'context');
    fs.mkdirSync(path.join(context, 'www'), { recursive: true });
    fs.writeFileSync(path.join(context, 'Dockerfile'), websiteDockerfile(`${gate.address}/base:1`));
    const image = `${gate.address}/${name}/web:1`;
    const env = { PATH: process.env.PATH, HOME: folder, DOCKER_HOST: lab().docker_host, DOCKER_CONFIG: config };
    const build = () => run('docker', ['buildx', 'build', '--quiet', '--push', '--provenance=false', '-t', image, context], { env });
    await build();
    expect(gate.seen.filter(({ method, path: where }) => method === 'PUT' && where.includes(`/${name}/`)).length).toBeGreaterThan(0);
    gate.rule = (method, where) => (method === 'PUT' && where.includes('/manifests/') ? { status: 503, body: '{}' } : 'pass');
    fs.writeFileSync(path.join(context, 'www/new'), 'new');
    await expect(build()).rejects.toThrow(/503/);
    gate.rule = (method, where) => (method === 'PUT' && where.includes('/manifests/') ? 'hold' : 'pass');
    const held = build();
    await until('a push that waits', () => gate.waiting > 0, 20);
    gate.open();
    await held;
    await docker(['image', 'rm', '--force', image]);
  } finally {
    await gate.stop();
  }
});

test('the door to the engine opens and shuts', async () => {
  const door = new EngineDoor(path.join(folder, 'door.sock'));
  await expect(docker(['version'], door.host)).rejects.toThrow();
  await door.open();
  expect(await docker(['version', '--format', '{{.Server.Version}}'], door.host)).toMatch(/^\d+\./);
  await door.shut();
  await expect(docker(['version'], door.host)).rejects.toThrow();
});

test('a process is found by its arguments, and gone when it has ended', async () => {
  const child = execFile('sleep', ['43210.5']);
  await until('the process', () => processesWith('sleep 43210.5').length === 1);
  child.kill();
  await until('its end', () => processesWith('sleep 43210.5').length === 0);
});

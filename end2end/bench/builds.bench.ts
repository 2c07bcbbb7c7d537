// How much longer a build takes in Slipway than `git clone` and `docker buildx build --push` by hand, of the same tree, with
// the same engine, registry and git server, in the same run: with nothing new, and with a large context that is new each
// time for both. Prints medians; says whether Slipway is within 1 s + 2 %, and judges nothing, since times depend on the
// machine. BENCH_ROUNDS (3) measurements of each; BENCH_MB (200) is the size of the context, 0 leaves it out.
import { randomFillSync } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from '@playwright/test';
import { App } from '../fixtures/app';
import { Client } from '../fixtures/client';
import { GitServer, type Repository } from '../fixtures/git';
import { lab, run, uniqueName } from '../fixtures/lab';
import { addRegistry, addService, buildEnds, logOf, startBuild } from '../fixtures/things';

const rounds = Number(process.env.BENCH_ROUNDS ?? 3);
const megabytes = Number(process.env.BENCH_MB ?? 200);
const project = uniqueName('bench');
const dockerfile = 'FROM scratch\nCOPY content /content\n';
/** What Slipway may take longer. */
const allowed = { millis: 1_000, share: 0.02 };

const row = (name: string, value: string) => console.log(`    ${name.padEnd(40)} ${value}`);
const seconds = (millis: number) => `${(millis / 1_000).toFixed(2)} s`;
const median = (times: number[]) => [...times].sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? Number.NaN;

let git: GitServer;
let app: App;
let client: Client;
const folders: string[] = [];

function temporary(): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'slipway-bench-'));
  folders.push(folder);
  return folder;
}

test.beforeAll(async () => {
  test.setTimeout(120_000);
  git = await GitServer.start();
  app = await App.start({ gitAuthority: git.authority });
  app.projects.push(project);
  client = new Client(app);
  await client.setUp(app.setupToken());
  await addRegistry(client, 'Lab', undefined, 'bench');
});

test.afterAll(async () => {
  test.setTimeout(120_000);
  await app?.remove();
  await git?.stop();
  for (const folder of folders) fs.rmSync(folder, { recursive: true, force: true });
});

/** As somebody does it who knows that the history isn't needed, without a record of how the image was made. */
async function byHand(url: string): Promise<number> {
  const folder = temporary();
  const [tree, config] = [path.join(folder, 'tree'), path.join(folder, 'config')];
  fs.mkdirSync(config, { mode: 0o700 });
  const auth = Buffer.from(`${lab().username}:${lab().password}`).toString('base64');
  fs.writeFileSync(path.join(config, 'config.json'), JSON.stringify({ auths: { [lab().registry]: { auth } } }), { mode: 0o600 });
  const env = {
    PATH: process.env.PATH,
    HOME: folder,
    DOCKER_HOST: lab().docker_host,
    DOCKER_CONFIG: config,
    GIT_SSL_CAINFO: git.authority,
    GIT_CONFIG_SYSTEM: '/dev/null',
  };
  const began = performance.now();
  await run('git', ['clone', '--quiet', '--depth=1', '--branch=main', '--', url, tree], { env });
  const tag = `${lab().registry}/bench/${project}/by-hand:latest`;
  await run('docker', ['buildx', 'build', '--push', '--provenance=false', '--progress=plain', `--tag=${tag}`, '--', tree], { env });
  const took = performance.now() - began;
  fs.rmSync(folder, { recursive: true, force: true });
  return took;
}

/** `quiet`: milliseconds in which nobody looks at its page, whose making would take the machine from the build. */
async function bySlipway(service: string, quiet = 0): Promise<number> {
  const began = performance.now();
  const id = await startBuild(client, service, false);
  await new Promise((resolve) => setTimeout(resolve, quiet));
  const build = await buildEnds(client, id, 900);
  const took = performance.now() - began;
  if (build.state !== 'succeeded') throw new Error(`${build.text}\n${await logOf(client, build.job)}`);
  return took;
}

/** A tree whose content is of this size and like no other. */
async function renew(repository: Repository, bytes: number): Promise<void> {
  const folder = path.join(repository.folder, 'content');
  fs.mkdirSync(folder, { recursive: true });
  const part = Buffer.alloc(Math.max(1, Math.ceil(bytes / 8)));
  for (let index = 0; index < 8; index++) fs.writeFileSync(path.join(folder, `part-${index}`), randomFillSync(part));
  await repository.commit({ Dockerfile: dockerfile }, 'New content');
}

async function make(name: string): Promise<{ repository: Repository; service: string; url: string }> {
  const repository = await git.create(`${name}.git`);
  // What is random can't be pressed; both would wait for git to try.
  for (const setting of ['core.compression', 'pack.compression']) await repository.git('config', setting, '0');
  await renew(repository, 8);
  const url = git.url(repository);
  return { repository, url, service: await addService(client, { project, name, repository: url }) };
}

function report(name: string, hand: number[], slipway: number[]): void {
  const [a, b] = [median(hand), median(slipway)];
  const limit = a * (1 + allowed.share) + allowed.millis;
  row(`${name}: by hand`, `${seconds(a)}  (${hand.map(seconds).join(', ')})`);
  row(`${name}: Slipway`, `${seconds(b)}  (${slipway.map(seconds).join(', ')})`);
  row(`${name}: Slipway to by hand`, `${(b / a).toFixed(2)}, ${seconds(b - a)} more; within 1 s + 2 %: ${b <= limit ? 'yes' : 'NO'}`);
}

test('nothing new', async () => {
  test.setTimeout(600_000);
  const { service, url } = await make('same');
  const [hand, slipway]: [number[], number[]] = [[], []];
  // Once each, so that layers and caches are there.
  await byHand(url);
  await bySlipway(service);
  for (let round = 0; round < rounds; round++) {
    hand.push(await byHand(url));
    slipway.push(await bySlipway(service));
  }
  report('build of nothing new', hand, slipway);
});

test('a large context', async () => {
  test.skip(megabytes === 0, 'BENCH_MB is 0');
  test.setTimeout(3_600_000);
  const { repository, service, url } = await make('large');
  const [hand, slipway]: [number[], number[]] = [[], []];
  // Looked at from when it can't be done yet by hand.
  const quiet = () => Math.min(...hand, Number.MAX_SAFE_INTEGER) * 0.9;
  const sides = [
    async () => hand.push(await byHand(url)),
    async () => slipway.push(await bySlipway(service, hand.length > 0 ? quiet() : 0)),
  ];
  for (let round = 0; round < rounds; round++) {
    // Who begins has no advantage in the end.
    for (const side of round % 2 === 0 ? sides : [...sides].reverse()) {
      await renew(repository, megabytes * 1_000_000);
      await side();
    }
  }
  report(`build of ${megabytes} MB`, hand, slipway);
});

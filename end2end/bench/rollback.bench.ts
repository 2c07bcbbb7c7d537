// How long going back takes: from the click to the first healthy task of the old image, against `docker service update
// --image` of the same digest on a twin service, in the same run and by turns (ABBA). Both have what they need on the node.
// Prints medians and their ratio; the goal is 1.1, and it judges nothing, since times depend on the machine. BENCH_ROUNDS (6).
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from '@playwright/test';
import { App } from '../fixtures/app';
import { Client } from '../fixtures/client';
import { GitServer } from '../fixtures/git';
import { docker, freePort, lab, run, uniqueName } from '../fixtures/lab';
import { addRegistry, addService, buildAndDeploy, deploymentEnds, until } from '../fixtures/things';

const rounds = Number(process.env.BENCH_ROUNDS ?? 6);
const project = uniqueName('benchback');
const goal = 1.1;
const row = (name: string, value: string) => console.log(`    ${name.padEnd(40)} ${value}`);
const seconds = (millis: number) => `${(millis / 1_000).toFixed(2)} s`;
const median = (times: number[]) => {
  const sorted = [...times].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[half] ?? 0) : ((sorted[half - 1] ?? 0) + (sorted[half] ?? 0)) / 2;
};

let git: GitServer;
let app: App;
let client: Client;
let twin = '';
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'slipway-bench-'));

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
  if (twin) await docker(['service', 'rm', twin]).catch(() => '');
  await app?.remove();
  await git?.stop();
  fs.rmSync(folder, { recursive: true, force: true });
});

/** The client of somebody who is signed in at the registry. */
function byHand(args: string[]): Promise<string> {
  const auth = Buffer.from(`${lab().username}:${lab().password}`).toString('base64');
  fs.writeFileSync(path.join(folder, 'config.json'), JSON.stringify({ auths: { [lab().registry]: { auth } } }), { mode: 0o600 });
  return run('docker', args, { env: { PATH: process.env.PATH, HOME: folder, DOCKER_HOST: lab().docker_host, DOCKER_CONFIG: folder } });
}

/** The containers that run and are healthy now. */
async function healthy(service: string): Promise<Set<string>> {
  const filter = ['--filter', `label=com.docker.swarm.service.name=${service}`, '--filter', 'health=healthy'];
  return new Set((await docker(['ps', '--quiet', '--no-trunc', ...filter])).split('\n').filter(Boolean));
}

/** Does it, and waits for the first container of the service that gets healthy afterwards, as the engine tells it. */
async function untilHealthy(service: string, act: () => Promise<unknown>): Promise<number> {
  const filters = [`label=com.docker.swarm.service.name=${service}`, 'event=health_status'];
  const events = spawn('docker', ['-H', lab().docker_host, 'events', '--format', '{{.Action}} {{.Actor.ID}}', ...filters.flatMap((filter) => ['--filter', filter])]);
  let at = 0;
  events.stdout.on('data', (text: Buffer) => {
    if (text.toString().includes('health_status: healthy')) at ||= performance.now();
  });
  await new Promise((resolve) => setTimeout(resolve, 300));
  const before = await healthy(service);
  const began = performance.now();
  const acted = act();
  await until('a healthy task', () => at > 0, 60);
  events.kill();
  await acted;
  const after = await healthy(service);
  if ([...after].every((id) => before.has(id))) throw new Error('it was no new task');
  return at - began;
}

test('rollback', async () => {
  test.setTimeout(1_800_000);
  const repository = await git.create('back.git');
  const port = await freePort();
  const check = 'HEALTHCHECK --interval=250ms --retries=3 CMD test -e /www/index.html';
  await repository.website('version 1', { extra: check });
  const service = await addService(client, { project, name: 'back', repository: git.url(repository), port });
  const ids = [await buildAndDeploy(client, service)];
  await repository.website('version 2', { extra: check });
  ids.push(await buildAndDeploy(client, service));

  const [ours = ''] = (await docker(['service', 'ls', '--filter', `label=slipway.service=${service}`, '--format', '{{.Name}}'])).split('\n');
  const image = async () => (await docker(['service', 'inspect', '--format', '{{.Spec.TaskTemplate.ContainerSpec.Image}}', ours])).trim();
  const images: string[] = [];
  images[1] = await image();
  const ended = await client.create('services/roll-back', `/services/${service}`, { to: ids[0] ?? '' });
  await deploymentEnds(client, ended);
  images[0] = await image();

  // The same settings by hand: a port of the host, the old task first, the same network.
  twin = uniqueName('benchtwin');
  const network = (await docker(['service', 'inspect', '--format', '{{(index .Spec.TaskTemplate.Networks 0).Target}}', ours])).trim();
  const mode = (await docker(['service', 'inspect', '--format', '{{.Spec.EndpointSpec.Mode}}', ours])).trim();
  const published = mode === 'dnsrr' ? 'host' : 'ingress';
  const order = (await docker(['service', 'inspect', '--format', '{{.Spec.UpdateConfig.Order}}', ours])).trim();
  await byHand([
    'service', 'create', '--quiet', '--with-registry-auth', '--name', twin, '--network', network, '--endpoint-mode', mode, '--update-order', order,
    '--publish', `published=${await freePort()},target=8080,mode=${published}`, images[0] ?? '',
  ]);

  const [hand, slipway]: [number[], number[]] = [[], []];
  const sides = [
    async (to: number) => {
      const wanted = images[to] ?? '';
      hand.push(await untilHealthy(twin, () => byHand(['service', 'update', '--quiet', '--with-registry-auth', '--image', wanted, twin])));
    },
    async (to: number) => {
      let deployment = '';
      slipway.push(
        await untilHealthy(ours, async () => {
          deployment = await client.create('services/roll-back', `/services/${service}`, { to: ids[to] ?? '' });
        }),
      );
      await deploymentEnds(client, deployment);
    },
  ];
  for (let round = 0; round < rounds; round++) {
    // Who begins has no advantage in the end.
    for (const side of round % 2 === 0 ? sides : [...sides].reverse()) await side((round + 1) % 2);
  }
  const [a, b] = [median(hand), median(slipway)];
  row('docker service update --image', `${seconds(a)}  (${hand.map(seconds).join(', ')})`);
  row('roll back in Slipway', `${seconds(b)}  (${slipway.map(seconds).join(', ')})`);
  row('Slipway to docker', `${(b / a).toFixed(3)}; within ${goal}: ${b <= a * goal ? 'yes' : 'NO'}`);
});

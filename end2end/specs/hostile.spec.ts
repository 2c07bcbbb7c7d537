// Bad input (acceptance 7; I4, I5, I7, I8, I12): a clear error at the field, nothing executed, nothing written.
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import type { Page } from '@playwright/test';
import { textOf, type Client } from '../fixtures/client';
import { Repository, websiteDockerfile } from '../fixtures/git';
import { markup, refusedServiceTexts } from '../fixtures/hostile';
import { lab, uniqueName } from '../fixtures/lab';
import * as story from '../fixtures/story';
import { expect, ownerOf, test, useApp } from '../fixtures/test';
import { addRegistry, addService, buildEnds, idsOn, logOf, serviceFields, startBuild } from '../fixtures/things';

const it = useApp();
const project = uniqueName('hostile');
let client: Client;

/** A file that appears only if somebody executed something. */
const mark = () => path.join(it.app.folder, 'executed');

test.beforeAll(async () => {
  it.app.projects.push(project);
  client = await ownerOf(it.app);
  await addRegistry(client, 'Lab');
});

test.afterEach(() => {
  expect(fs.existsSync(mark()), 'something was executed').toBe(false);
});

/** Files that Slipway wrote, apart from its database and logs. */
function written(): string[] {
  return fs
    .readdirSync(it.app.data, { recursive: true, withFileTypes: true })
    .map((entry) => path.relative(it.app.data, path.join(entry.parentPath, entry.name)))
    .filter((file) => !/^(state\.db|slipway\.db|.*\.db(-wal|-shm)?$)/.test(file))
    .sort();
}

test('every hostile text is refused at its field', async () => {
  test.setTimeout(120_000);
  const before = { written: written(), services: await idsOn(client, '/services', 'srv') };
  const good = { project, name: 'fine', repository: path.join(it.app.repositories, 'fine') };
  await (await Repository.create(good.repository)).website('version 1');
  const accepted: string[] = [];
  for (const { field, text } of refusedServiceTexts(mark())) {
    const answer = await client.post('services/create', '/services/new', { ...serviceFields(good), [`form[${field}]`]: text });
    const label = `${field} = ${JSON.stringify(text)}`;
    if (answer.status !== 303 || answer.headers.location !== '/services/new') {
      accepted.push(`${label}: ${answer.status} ${answer.headers.location}`);
      continue;
    }
    const { body, status } = await client.get('/services/new');
    expect(status, label).toBe(200);
    const input = new RegExp(`<(?:input|textarea|select)[^>]*name="form\\[${field}\\]"[^>]*>`).exec(body)?.[0] ?? '';
    if (!input.includes('aria-invalid="true"')) accepted.push(`${label}: the error is not at the field: ${textOf(/role="alert"[^>]*>([\s\S]{0,600})/.exec(body)?.[1] ?? '')}`);
    expect(body, `${label}: no inner workings`).not.toMatch(/panicked|sqlx|src\/\w+\.rs|thread '/);
  }
  expect(accepted).toEqual([]);
  expect(await idsOn(client, '/services', 'srv'), 'nothing was created').toEqual(before.services);
  expect(written(), 'nothing was written').toEqual(before.written);
});

test('programs get the same refusals, as JSON', async () => {
  const fields = { ...serviceFields({ project, name: 'x', repository: 'ext::sh -c true' }), 'form[branch]': '--upload-pack=x' };
  const answer = await client.post('services/create', '/services/new', fields, { headers: { Accept: 'application/json' } });
  expect(answer.status).toBe(422);
  const errors = (JSON.parse(answer.body) as { Invalid: Array<{ field: string }> }).Invalid;
  expect(errors.map(({ field }) => field).sort()).toEqual(['branch', 'repository']);
});

test('a form of 10 MB is refused before it is read', async () => {
  const memory = () => Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${it.app.pid}/status`, 'utf8'))?.[1]);
  const before = memory();
  for (const chunked of [false, true]) {
    const status = await sendOnlyPart(chunked);
    expect(status, chunked ? 'without its length: once too much has come' : 'with its length: from that alone').toBe(413);
  }
  expect((memory() - before) / 1024, 'megabytes that the server grew').toBeLessThan(8);
  expect((await client.get('/services')).status).toBe(200);
});

/** Begins to send a form of 10 MB, and waits for the answer in the middle. Returns its status. */
function sendOnlyPart(chunked: boolean): Promise<number> {
  const url = new URL(it.app.url);
  return new Promise((resolve, reject) => {
    const socket = net.connect(Number(url.port), url.hostname);
    const head = [
      'POST /api/services/create HTTP/1.1',
      `Host: ${url.host}`,
      `Origin: ${it.app.url}`,
      'Content-Type: application/x-www-form-urlencoded',
      `Cookie: ${[...client.cookies].map((pair) => pair.join('=')).join('; ')}`,
      chunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${10 << 20}`,
    ];
    socket.write(`${head.join('\r\n')}\r\n\r\n`);
    // One and a half of ten megabytes; the limit is one.
    if (chunked) for (let piece = 0; piece < 24; piece++) socket.write(`10000\r\n${'a'.repeat(65_536)}\r\n`);
    socket.setTimeout(10_000, () => socket.destroy(new Error('no answer')));
    socket.once('data', (data) => {
      resolve(Number(data.toString('latin1').split(' ')[1]));
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

test('links out of the repository lead nowhere (I7)', async () => {
  test.setTimeout(120_000);
  const canary = 'canary-outside-the-repository-5f1e';
  const outside = path.join(it.app.folder, 'outside');
  fs.mkdirSync(outside);
  fs.writeFileSync(path.join(outside, 'secret'), `${canary}\n`);
  fs.writeFileSync(path.join(outside, 'Dockerfile'), `FROM ${lab().base}\n# ${canary}\nCOPY secret /\n`);
  const master = path.join(it.app.data, 'master.key');
  const cases: Array<{ name: string; links: Record<string, string>; files?: Record<string, string>; dockerfile?: string; context?: string; mayBuild?: boolean }> = [
    { name: 'a Dockerfile', links: { Dockerfile: path.join(outside, 'Dockerfile') } },
    { name: 'a Dockerfile by dots', links: { Dockerfile: '../../../../../../etc/passwd' } },
    { name: 'the folder of the Dockerfile', links: { docker: outside }, dockerfile: 'docker/Dockerfile' },
    { name: 'the context', links: { context: outside }, files: { Dockerfile: websiteDockerfile() }, context: 'context' },
    { name: 'the folder of the context', links: { up: '/' }, files: { Dockerfile: websiteDockerfile() }, context: `up${outside}` },
    { name: 'the ignore file', links: { '.dockerignore': path.join(outside, 'secret') }, files: { Dockerfile: websiteDockerfile(), 'www/index.html': 'x' }, mayBuild: true },
    { name: 'a copied file', links: { secret: path.join(outside, 'secret'), key: master }, files: { Dockerfile: `FROM ${lab().base}\nCOPY secret key /\nRUN cat /secret /key\n` } },
  ];
  for (const [index, { name, links, files, dockerfile, context, mayBuild }] of cases.entries()) {
    const repository = await Repository.create(path.join(it.app.repositories, `links${index}`));
    for (const [link, target] of Object.entries(links)) fs.symlinkSync(target, path.join(repository.folder, link));
    await repository.commit(files ?? { README: 'links' }, `Link ${name}`);
    const service = await addService(client, { project, name: `links ${index}`, repository: repository.folder, dockerfile, context });
    const build = await buildEnds(client, await startBuild(client, service, false));
    const log = await logOf(client, build.job);
    if (!mayBuild) expect(build.state, `${name}: ${build.text}\n${log}`).toBe('failed');
    if (!mayBuild && !name.includes('copied')) expect(build.text, `${name}: a plain reason`).toMatch(/link|outside|leaves/i);
    const everything = `${log}\n${(await client.get(`/services/${service}`)).body}\n${build.html}`;
    expect(everything, `${name}: nothing of the file is shown`).not.toContain(canary);
    expect(everything, name).not.toContain('root:x:0');
    expect(fs.readdirSync(path.join(it.app.data, 'builds'))).toEqual([]);
  }
});

test('hooks, filters and submodules of a repository do nothing (I6, in part)', async () => {
  const repository = await Repository.create(path.join(it.app.repositories, 'tricks'));
  await repository.commit(
    {
      '.gitattributes': '* filter=evil\n',
      '.gitmodules': `[submodule "evil"]\n\tpath = evil\n\turl = ext::sh -c touch% ${mark()}\n`,
      'post-checkout': `#!/bin/sh\ntouch ${mark()}\n`,
    },
    'Tricks',
  );
  const head = await repository.git('rev-parse', 'HEAD');
  await repository.git('update-index', '--add', '--cacheinfo', `160000,${head},evil`);
  await repository.git('config', 'filter.evil.smudge', `touch ${mark()}; cat`);
  for (const hook of ['post-checkout', 'post-merge', 'pre-auto-gc', 'reference-transaction', 'post-index-change']) {
    const file = path.join(repository.folder, '.git', 'hooks', hook);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, `#!/bin/sh\n[ "$PWD" = "${repository.folder}" ] || [ "$PWD" = "${repository.folder}/.git" ] || touch ${mark()}\n`, { mode: 0o755 });
  }
  await repository.website('version 1');
  const service = await addService(client, { project, name: 'tricks', repository: repository.folder });
  const build = await buildEnds(client, await startBuild(client, service, false));
  // Built or refused: what counts is that nothing of it ran.
  expect(['succeeded', 'failed'], build.text).toContain(build.state);
});

test('markup in every text stays text (I12)', async ({ page, faults }) => {
  test.setTimeout(150_000);
  // The two addresses that don't exist.
  faults.expect(/status of 404 .*\/(services\/%3Cscript|%3Cimg)/);
  const { app } = it;
  // Numbered, as two services can't have names that differ in case alone.
  const names = markup.map((text, index) => `${index}${text}`.slice(0, 60).trim());
  expect(names.length).toBeGreaterThanOrEqual(100);
  const repository = await Repository.create(path.join(app.repositories, 'markup'));
  // The log prints each of them, in colour and not; the commit has them as subject and author.
  await repository.commit(
    {
      texts: `${repository.mark}\n${names.map((text) => text.replaceAll('\n', ' ')).join('\n')}\n\u001b[31m${names[0]}\u001b[0m \u001b]8;;javascript:pwned()\u0007link\u001b]8;;\u0007\n`,
      Dockerfile: `FROM ${lab().base}\nLABEL evil="<img src=x onerror=pwned()>"\nCOPY texts /\nRUN cat /texts\nRUN echo '<img src=x onerror=pwned()>' && exit 3\n`,
    },
    names.slice(0, 12).join(' '),
    // Git itself takes angle brackets out of names, and marks off their ends.
    { author: 'Eve " autofocus onfocus=pwned() x="&lt;img&gt; Eve' },
  );
  const services: string[] = [];
  for (const [index, name] of names.entries()) {
    services.push(await addService(client, { project, name, repository: repository.folder, env: index === 0 ? `EVIL=${name}` : '' }));
  }
  const [first = '', second = ''] = services;
  for (const name of names.slice(0, 8)) {
    const id = await client.create('credentials/create', '/credentials/new', { 'form[name]': name, 'form[url]': lab().registry, 'form[username]': lab().username, 'form[password]': lab().password, 'form[internal]': 'on' });
    await client.create('registries/create', '/registries/new', { 'form[name]': name, 'form[credential]': id, 'form[base_path]': '' });
  }
  // A branch with such a name can't be chosen, but what was typed comes back in the form.
  await client.post('services/create', '/services/new', { ...serviceFields({ project, name: '"><img src=x onerror=pwned()>', repository: '"><script>pwned()</script>' }), 'form[branch]': '<img src=x onerror=pwned()>' });
  const refused = await client.get('/services/new');
  expect(refused.body).toContain('aria-invalid="true"');
  expect(elementsFrom(refused.body), 'in the form that came back').toEqual([]);

  await story.enter(page, app.url);
  await page.addInitScript(() => {
    const target = window as unknown as { pwnedCalls: number; pwned(): void };
    target.pwnedCalls = 0;
    target.pwned = () => (target.pwnedCalls += 1);
  });
  // While the build runs, its page is live.
  const build = await startBuild(client, second, false);
  await page.goto(`${app.url}/builds/${build}`);
  await expect(page.locator('#log')).toContainText('<script>pwned()</script>', { timeout: 30_000 });
  await nothingCameAlive(page);
  const ended = await buildEnds(client, build);
  expect(ended.state).toBe('failed');
  // The live page loads itself anew at the end, which would get in the way of the next navigation.
  await expect(page.locator(`[data-job="${ended.job}"]`)).toHaveAttribute('data-state', 'failed');
  expect(ended.text, 'the author is shown as typed').toContain('Eve " autofocus onfocus=pwned() x="&lt;img&gt; Eve');

  const credential = (await idsOn(client, '/credentials', 'cred'))[0] ?? '';
  const registry = (await idsOn(client, '/registries', 'reg'))[0] ?? '';
  const places = ['/', '/services', `/services/${first}`, `/services/${first}/edit`, `/services/${first}/delete`, `/services/${second}`, '/services/new', '/builds', `/builds/${build}`, '/jobs', `/jobs/${ended.job}`, '/credentials', `/credentials/${credential}`, `/credentials/${credential}/delete`, '/registries', `/registries/${registry}`, '/registries/new', `/registries/${registry}/delete`, '/settings', '/services/%3Cscript%3Epwned()%3C/script%3E', '/%3Cimg%20src=x%20onerror=pwned()%3E?q=%3Cscript%3Epwned()%3C/script%3E'];
  for (const where of places) {
    const { body } = await client.get(where);
    expect(elementsFrom(body), `${where}, as it comes from the server`).toEqual([]);
    await page.goto(`${app.url}${where}`);
    await nothingCameAlive(page);
  }
  await page.goto(`${app.url}/services`);
  const spaced = (text: string) => text.replaceAll(/\s+/g, ' ');
  const shown = spaced(await page.locator('main').innerText());
  for (const name of names) expect(shown).toContain(spaced(name));
});

/** Elements and attributes in a page's source that only our texts can have brought. */
function elementsFrom(html: string): string[] {
  const tags = html.match(/<[a-z!/][^>]*pwned\(\)[^>]*>/gi) ?? [];
  // A text in an attribute's value is no element; the value has its quotes escaped.
  return tags.filter((tag) => {
    const bare = tag.replaceAll(/="[^"]*"/g, '=""');
    return /pwned/.test(bare);
  }).concat(html.match(/<script(?![^>]*\bnonce=)[^>]*>/gi) ?? [], html.match(/<(iframe|object|embed|base|math)\b/gi) ?? [], html.match(/evil\.example\/[^"]*"[^>]*rel=/g) ?? []);
}

/** No element of ours was made, none ran. */
async function nothingCameAlive(page: Page) {
  await page.waitForLoadState('load');
  const found = await page.evaluate(() => {
    const bad: string[] = [];
    const calls = (window as unknown as { pwnedCalls?: number }).pwnedCalls ?? 0;
    if (calls > 0) bad.push(`${calls} calls`);
    for (const element of document.querySelectorAll('*')) {
      const name = element.localName;
      if (['iframe', 'object', 'embed', 'base', 'math', 'marquee', 'video'].includes(name)) bad.push(element.outerHTML.slice(0, 120));
      if (name === 'script' && !(element as HTMLScriptElement).nonce) bad.push(element.outerHTML.slice(0, 120));
      for (const attribute of element.attributes) {
        if (/^on/.test(attribute.name) || (/^(href|src|action|formaction)$/.test(attribute.name) && /^\s*javascript:/i.test(attribute.value))) {
          bad.push(`${name} ${attribute.name}=${attribute.value}`);
        }
      }
    }
    return bad;
  });
  expect(found, `on ${page.url()}`).toEqual([]);
}

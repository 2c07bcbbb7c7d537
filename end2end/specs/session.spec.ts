// Sessions, cookies, posts from other sites, and headers (A5, A9, C1, C8, C9, signing out everywhere).
import fs from 'node:fs';
import http from 'node:http';
import type net from 'node:net';
import path from 'node:path';
import { Client, owner } from '../fixtures/client';
import { lab } from '../fixtures/lab';
import * as story from '../fixtures/story';
import { expect, ownerOf, test, useApp } from '../fixtures/test';
import { addRegistry, idsOn } from '../fixtures/things';

const it = useApp();
let client: Client;
test.beforeAll(async () => {
  client = await ownerOf(it.app);
  await addRegistry(client, 'Lab');
});

const setCookies = (lines: string[]) => lines.filter((line) => /^set-cookie:/i.test(line));

/** A client whose session exists before anybody signs in: a failed try makes one. */
async function stranger(): Promise<Client> {
  const other = new Client(it.app);
  expect(await other.signIn({ username: owner.username, password: 'certainly not the password' })).toBe(false);
  return other;
}

test('the session gets a new id at sign-in (A5)', async () => {
  const victim = await stranger();
  const before = new Map(victim.cookies);
  expect(before.size, 'there is a session before').toBeGreaterThan(0);
  expect(await victim.signIn()).toBe(true);
  const attacker = new Client(it.app);
  for (const [name, value] of before) attacker.cookies.set(name, value);
  expect((await attacker.get('/services')).path, 'the old id is nobody’s').toMatch(/^\/sign-in/);
  const session = [...victim.cookies].find(([name]) => before.has(name));
  expect(session?.[1]).not.toBe(before.get(session?.[0] ?? ''));

  // An id is never taken from the address or the body.
  const id = `${session?.[0]}=${session?.[1]}`;
  const nobody = new Client(it.app);
  expect((await nobody.get(`/services?${id}&session=${session?.[1]}`)).path).toMatch(/^\/sign-in/);
  const posted = await nobody.post('builds/start', '/', { service: 'srv_000000000000', ...Object.fromEntries([id.split('=') as [string, string]]) });
  expect(posted.headers.location).toMatch(/^\/sign-in/);

  // An id that somebody made up is not adopted.
  const invented = new Client(it.app);
  invented.cookies.set(session?.[0] ?? '', 'A'.repeat(session?.[1]?.length ?? 22));
  expect(await invented.signIn()).toBe(true);
  expect(invented.cookies.get(session?.[0] ?? '')).not.toMatch(/^A+$/);
});

test('cookies have all their flags (A9)', async () => {
  const fresh = new Client(it.app);
  const answer = await fresh.post('accounts/sign-in', '/sign-in', { 'form[username]': owner.username, 'form[password]': owner.password });
  const cookies = setCookies(answer.lines);
  expect(cookies.length).toBeGreaterThan(0);
  for (const cookie of cookies) {
    expect(cookie).toMatch(/^set-cookie: __Host-/i);
    expect(cookie).toMatch(/; *Secure/i);
    expect(cookie).toMatch(/; *HttpOnly/i);
    expect(cookie).toMatch(/; *SameSite=(Lax|Strict)/i);
    expect(cookie).toMatch(/; *Path=\/(;|$)/i);
    expect(cookie).not.toMatch(/Domain=/i);
  }
});

test('plain HTTP from another machine gets no cookie, and is told why (A9)', async () => {
  const { app } = it;
  const plain = new Client(app);
  const Host = `slipway.example.com:${app.port}`;
  const answer = await plain.post('accounts/sign-in', '/sign-in', { 'form[username]': owner.username, 'form[password]': owner.password }, { headers: { Host, Origin: `http://${Host}` } });
  expect(setCookies(answer.lines)).toEqual([]);
  const page = await plain.request('GET', '/sign-in', { headers: { Host } });
  expect(setCookies(page.lines)).toEqual([]);
  expect(`${answer.body} ${page.body}`).toMatch(/https/i);
});

test('signing out ends the session, here and everywhere', async ({ page, browser }) => {
  const { app } = it;
  const elsewhere = new Client(app);
  expect(await elsewhere.signIn()).toBe(true);
  await story.enter(page, app.url);
  const cookie = (await page.context().cookies()).map(({ name, value }) => [name, value] as const);
  await story.signOut(page);
  const replay = new Client(app);
  for (const [name, value] of cookie) replay.cookies.set(name, value);
  expect((await replay.get('/services')).path, 'the cookie is worthless').toMatch(/^\/sign-in/);
  expect((await elsewhere.get('/services')).path, 'others stay').toBe('/services');
  await page.goBack();
  await expect(page.getByLabel('Password', { exact: true }), 'back shows nothing').toBeVisible();

  await story.enter(page, app.url);
  await page.goto(`${app.url}/settings`);
  const other = await browser.newContext();
  try {
    const second = await other.newPage();
    await story.enter(second, app.url);
    await page.getByRole('button', { name: /Sign out everywhere/i }).click();
    await expect(page).toHaveURL(/\/sign-in/);
    await second.goto(`${app.url}/services`);
    await expect(second).toHaveURL(/\/sign-in/);
    expect((await elsewhere.get('/services')).path).toMatch(/^\/sign-in/);
  } finally {
    await other.close();
  }
  client = await ownerOf(app);
});

/** Addresses of all functions that change something, read from the source, so that new ones are covered. */
function functions(): string[] {
  const folder = path.join(__dirname, '../../app/src/api');
  const found = fs.readdirSync(folder).flatMap((file) => [...fs.readFileSync(path.join(folder, file), 'utf8').matchAll(/endpoint = "([^"]+)"/g)]);
  return found.map((match) => `/api/${match[1]}`);
}

test('forms of other sites change nothing (C1)', async ({ page, faults }) => {
  test.setTimeout(90_000);
  const { app } = it;
  faults.expect(/403|sandboxed|Failed to load resource|frame-ancestors|X-Frame-Options/i);
  expect(functions().length).toBeGreaterThan(15);
  const [registry = ''] = await idsOn(client, '/registries', 'reg');
  const [credential = ''] = await idsOn(client, '/credentials', 'cred');
  const fields = {
    id: registry,
    'form[name]': 'made by another site',
    'form[url]': lab().registry,
    'form[username]': lab().username,
    'form[password]': lab().password,
    'form[internal]': 'on',
    'form[credential]': credential,
    advertise_address: '127.0.0.1',
    confirm: 'Lab',
    version: '1',
    request_id: 'ffffffffffffffffffffffffffffffff',
    page: '/',
  };
  // A page on another port of the same host gets the cookie sent along, since ports don't part sites; one on another
  // name doesn't. Both must be refused.
  const evil = http.createServer((request, response) => {
    const query = new URL(request.url ?? '/', 'http://evil.example').searchParams;
    const inputs = Object.entries(fields).map(([name, value]) => `<input name="${name}" value="${value}">`);
    response.setHeader('Content-Type', 'text/html');
    response.end(`<!doctype html><title>evil</title><link rel=icon href=data:,><form id=f method=post enctype="${query.get('type')}" action="${app.url}${query.get('action')}">${inputs.join('')}</form>`);
  });
  await new Promise<void>((resolve) => evil.listen(0, '127.0.0.1', resolve));
  const { port } = evil.address() as net.AddressInfo;
  await story.enter(page, app.url);
  try {
    const wrong: string[] = [];
    const answers = new Map<string, number>();
    let withCookie = 0;
    page.on('response', async (response) => {
      if (response.request().method() !== 'POST') return;
      answers.set(new URL(response.url()).pathname, response.status());
      if ((await response.request().allHeaders()).cookie?.includes('__Host-')) withCookie += 1;
    });
    for (const host of ['127.0.0.1', 'localhost']) {
      // As a form that sends itself, in each encoding: the guard stands before any function, so some of them do.
      for (const type of ['application/x-www-form-urlencoded', 'multipart/form-data', 'text/plain']) {
        for (const action of ['/api/credentials/create', '/api/registries/delete', '/api/accounts/sign-out']) {
          answers.clear();
          await page.goto(`http://${host}:${port}/?type=${encodeURIComponent(type)}&action=${encodeURIComponent(action)}`);
          await page.evaluate(() => (document.getElementById('f') as HTMLFormElement).submit());
          await page.waitForURL(`${app.url}${action}`);
          if (answers.get(action) !== 403) wrong.push(`${type} from ${host} to ${action}: ${answers.get(action)}`);
        }
      }
      // And every function, by script, as far as browsers let another site's script go.
      answers.clear();
      await page.goto(`http://${host}:${port}/`);
      const body = new URLSearchParams(fields).toString();
      await page.evaluate(
        ([to, actions, text]) =>
          Promise.all(
            actions.map((action) =>
              fetch(`${to}${action}`, {
                method: 'POST',
                mode: 'no-cors',
                credentials: 'include',
                headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
                body: text,
              }),
            ),
          ),
        [app.url, functions(), body] as const,
      );
      await expect.poll(() => answers.size).toBe(functions().length);
      for (const [action, status] of answers) if (status !== 403) wrong.push(`a script from ${host} to ${action}: ${status}`);
    }
    expect(wrong).toEqual([]);
    expect(withCookie, 'the browser did send the session along with forms').toBeGreaterThanOrEqual(9);
    expect(await idsOn(client, '/registries', 'reg')).toEqual([registry]);
    expect(await idsOn(client, '/credentials', 'cred')).toEqual([credential]);
    await page.goto(`${app.url}/services`);
    await expect(page, 'nobody was signed out').toHaveURL(/\/services$/);
  } finally {
    evil.closeAllConnections();
    await new Promise((resolve) => evil.close(resolve));
  }
});

test('every answer has its headers, pages a strict policy (C8, C9)', async () => {
  const anonymous = new Client(it.app);
  const [registry = ''] = await idsOn(client, '/registries', 'reg');
  const page = await client.get('/');
  const asset = /(?:href|src)="(\/[^"]+\.(?:css|js|wasm))"/.exec(page.body)?.[1] ?? '';
  expect(asset, 'a style sheet').not.toBe('');
  const nonces = new Set<string>();
  const look = async (who: Client, method: string, where: string, kind: 'page' | 'asset' | 'other') => {
    const answer = await who.request(method, where, method === 'POST' ? { body: 'x=1', headers: { 'Content-Type': 'application/x-www-form-urlencoded' } } : {});
    const at = `${method} ${where} (${answer.status})`;
    const { headers } = answer;
    expect(headers['x-content-type-options'], at).toBe('nosniff');
    expect(headers['referrer-policy'], at).toBe('same-origin');
    expect(headers['cross-origin-opener-policy'], at).toBe('same-origin');
    expect(headers['strict-transport-security'], `${at}: no HSTS over plain HTTP`).toBeUndefined();
    expect(headers['access-control-allow-origin'], at).toBeUndefined();
    expect(headers.server, at).toBeUndefined();
    if (kind === 'asset') {
      expect(headers['cache-control'], at).toMatch(/immutable/);
      return;
    }
    expect(headers['cache-control'], at).toContain('no-store');
    const policy = String(headers['content-security-policy']);
    expect(policy, at).not.toMatch(/'unsafe-(inline|eval)'/);
    for (const part of ["object-src 'none'", "base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'"]) expect(policy, at).toContain(part);
    const scripts = /script-src ([^;]*)/.exec(policy)?.[1] ?? '';
    if (kind === 'page') {
      expect(headers['content-type'], at).toMatch(/^text\/html; charset=utf-8$/i);
      const nonce = /'nonce-([^']+)'/.exec(scripts)?.[1] ?? '';
      if (/<script/.test(answer.body)) {
        expect(scripts, at).toContain("'wasm-unsafe-eval'");
        expect(nonce.length, at).toBeGreaterThanOrEqual(16);
        for (const script of answer.body.match(/<script\b[^>]*>/g) ?? []) expect(script, at).toContain(`nonce="${nonce}"`);
        expect(nonces.has(nonce), 'a nonce is used once').toBe(false);
        nonces.add(nonce);
      }
      expect(answer.body, at).not.toMatch(/<[^>]+\sstyle="/);
    }
  };
  for (const where of ['/', '/services', '/services/new', '/builds', '/registries', `/registries/${registry}`, '/credentials', '/credentials/new', '/jobs', '/settings', '/nowhere', '/services/srv_000000000000']) {
    await look(client, 'GET', where, 'page');
  }
  await look(anonymous, 'GET', '/sign-in', 'page');
  await look(anonymous, 'GET', '/services', 'other');
  await look(anonymous, 'GET', '/api/nowhere', 'other');
  await look(anonymous, 'POST', '/api/builds/start', 'other');
  await look(client, 'POST', '/api/credentials/create', 'other');
  await look(client, 'GET', '/jobs/job_000000000000/log.txt', 'other');
  await look(anonymous, 'GET', '/healthz', 'other');
  await look(anonymous, 'GET', '/readyz', 'other');
  await look(anonymous, 'GET', asset, 'asset');
  expect((await client.get('/nowhere')).status).toBe(404);
  expect((await client.get('/services/srv_000000000000')).status).toBe(404);
});

test('a function answers posts alone, and leads to our own pages alone (C3, C4)', async () => {
  for (const action of functions()) {
    for (const method of ['GET', 'HEAD', 'PUT', 'DELETE']) {
      const answer = await client.request(method, action, { headers: { 'X-HTTP-Method-Override': 'POST' } });
      expect([404, 405, 403], `${method} ${action}: ${answer.status}`).toContain(answer.status);
    }
  }
  for (const target of ['https://evil.example/', '//evil.example', '/\\evil.example', 'https:evil.example', '/\t/evil.example', '\\/evil.example', 'javascript:alert(1)']) {
    const answer = await client.post('credentials/create', target, { next: target, 'form[name]': '', 'form[url]': '', 'form[username]': '' }, { headers: { Referer: 'https://evil.example/x' } });
    expect(answer.headers.location ?? '', target).not.toMatch(/evil|javascript/);
    const signedIn = await new Client(it.app).post('accounts/sign-in', '/sign-in', { next: target, 'form[username]': owner.username, 'form[password]': owner.password });
    expect(signedIn.headers.location, target).toMatch(/^\/(?![/\\])/);
    expect(signedIn.headers.location, target).not.toMatch(/evil|javascript/);
  }
});

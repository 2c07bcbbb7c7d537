// Credentials as people make them: tiles, the internal network, the doctor with one red light and its remedy, and the
// import of what Docker's tools keep (acceptance 4).
import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { expectAccessible } from '../fixtures/axe';
import { lab } from '../fixtures/lab';
import * as story from '../fixtures/story';
import { expect, test, useApp } from '../fixtures/test';

const it = useApp();

/** A registry whose mood can change: it takes every password, or none. */
class Moody {
  takes = true;
  readonly passwords: string[] = [];
  private readonly server = http.createServer((request, response) => {
    const sent = request.headers.authorization;
    if (sent) this.passwords.push(Buffer.from(sent.replace('Basic ', ''), 'base64').toString());
    if (sent && this.takes) {
      response.writeHead(200, { 'Content-Type': 'application/json', 'Docker-Distribution-Api-Version': 'registry/2.0' });
      response.end('{}');
      return;
    }
    response.writeHead(401, { 'Content-Type': 'application/json', 'WWW-Authenticate': 'Basic realm="moody"' });
    response.end(JSON.stringify({ errors: [{ code: 'UNAUTHORIZED', message: sent ? 'this token was revoked on Monday' : 'who are you?' }] }));
  });

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}

test.describe.configure({ mode: 'serial' });

test('tiles lead to a form that knows the provider', async ({ page }, info) => {
  const { app } = it;
  await story.setUp(page, app.url, app.setupToken());
  await page.goto(`${app.url}/credentials/new`);
  await expect(page.locator('.tile')).toHaveCount(11);
  await expectAccessible(page, info);
  await page.getByRole('link', { name: /GHCR/ }).click();
  await expect(page.getByLabel('Registry address')).toHaveValue('https://ghcr.io');
  await expect(page.getByLabel('Personal access token (classic)')).toBeVisible();
  await expect(page.locator('main')).toContainText('read:packages');
  await expect(page.getByLabel('Owners to list')).toBeVisible();
  await expect(page.getByLabel('Internal network'), 'options are folded away').toBeHidden();
  await expectAccessible(page, info);
});

test('a look-alike host wants a tick, and the internal network too', async ({ page }, info) => {
  const { app } = it;
  await story.enter(page, app.url);
  await story.newCredential(page, app.url);
  await page.getByLabel('Name', { exact: true }).fill('Typo');
  await page.getByLabel('Registry address').fill('ghrc.io');
  await page.getByLabel('User name').fill('ada');
  await page.getByLabel('Password or token').fill('not sent anywhere');
  await page.getByRole('button', { name: 'Save credential' }).click();
  await expect(page.locator('#field-sure-error')).toContainText('looks like ghcr.io');
  await expect(page.getByLabel('This really is the host I mean')).not.toBeChecked();
  await expectAccessible(page, info);

  await page.getByLabel('Registry address').fill(lab().registry);
  await page.getByLabel('Password or token').fill(lab().password);
  await page.getByRole('button', { name: 'Save credential' }).click();
  await expect(page.locator('#field-url-error')).toContainText('Internal network');
  await expect(page.getByLabel('Internal network'), 'the options are open now').toBeVisible();
  await expect(page.getByLabel('Registry address')).toHaveAttribute('aria-invalid', 'true');
  await story.saveCredential(page, 'Lab', lab().password);
  await expect(page).toHaveURL(/\/credentials\/cred_/);
});

test('the doctor shows one red light with its remedy, and the overview says so', async ({ page }, info) => {
  const { app } = it;
  const moody = new Moody();
  const address = await moody.start();
  try {
    await story.enter(page, app.url);
    await story.newCredential(page, app.url);
    await story.saveCredential(page, 'Moody', 'right for now', address);
    await expect(page).toHaveURL(/\/credentials\/cred_/);
    await expect(page.locator('main')).toContainText('Only the sign-in was tested');

    moody.takes = false;
    await page.getByRole('button', { name: 'Test again' }).click();
    const light = (check: string) => page.locator(`.lights [data-check="${check}"]`);
    await expect(page.locator('.lights > li')).toHaveCount(7);
    await expect(page.locator('.lights [data-lamp="red"]')).toHaveCount(1);
    for (const check of ['Name', 'Connection', 'Registry']) await expect(light(check)).toHaveAttribute('data-lamp', 'green');
    await expect(light('Sign-in')).toHaveAttribute('data-lamp', 'red');
    await expect(light('Sign-in'), 'a word, not colour alone').toContainText('Fails');
    await expect(light('Sign-in'), "the registry's own words").toContainText('this token was revoked on Monday');
    await expect(light('Sign-in').locator('.remedy'), 'a remedy').not.toBeEmpty();
    for (const check of ['List', 'Pull', 'Push']) await expect(light(check)).toHaveAttribute('data-lamp', 'dark');
    await expectAccessible(page, info);
    await story.picture(page, 'doctor-red');

    await page.goto(app.url);
    await expect(page.getByRole('link', { name: "Credential Moody doesn't work" })).toBeVisible();
    moody.takes = true;
    await page.getByRole('link', { name: "Credential Moody doesn't work" }).click();
    await page.getByRole('button', { name: 'Test again' }).click();
    await expect(light('Sign-in')).toHaveAttribute('data-lamp', 'green');
    expect(await page.content(), 'the password is nowhere').not.toContain('right for now');
  } finally {
    moody.stop();
  }
});

test('the real registry is green, up to the right to push', async ({ page }, info) => {
  const { app } = it;
  await story.enter(page, app.url);
  await page.goto(`${app.url}/credentials`);
  await page.getByRole('link', { name: 'Lab', exact: true }).click();
  await page.getByRole('button', { name: 'Test again' }).click();
  for (const check of ['Name', 'Connection', 'Registry', 'Sign-in', 'List', 'Push']) {
    await expect(page.locator(`.lights [data-check="${check}"]`)).toHaveAttribute('data-lamp', 'green');
  }
  await expectAccessible(page, info);
  await story.picture(page, 'doctor-green');
});

for (const script of [true, false]) {
  test.describe(script ? 'with script' : 'without script', () => {
    test.use({ javaScriptEnabled: script });
    test('a pasted config.json is imported line by line', async ({ page }, info) => {
      const { app } = it;
      const moody = new Moody();
      const address = await moody.start();
      const auth = (username: string, password: string) => ({ auth: Buffer.from(`${username}:${password}`).toString('base64') });
      const secret = `canary-${script}-9q2m5x`;
      const config = JSON.stringify({
        auths: {
          [`http://${address}/v2/`]: auth('ada', secret),
          [address]: auth('ada', secret),
          [lab().registry]: auth(lab().username, 'not the password'),
        },
        credHelpers: { 'gcr.io': 'gcloud' },
      });
      try {
        await story.enter(page, app.url);
        await page.goto(`${app.url}/credentials/import`);
        if (script) await expectAccessible(page, info);
        if (script) {
          await page.getByLabel('Command or file content').fill(config);
        } else {
          const file = path.join(info.outputDir, 'config.json');
          fs.mkdirSync(info.outputDir, { recursive: true });
          fs.writeFileSync(file, config);
          await page.getByLabel('Or choose the file').setInputFiles(file);
        }
        await page.getByRole('button', { name: 'Find logins' }).click();
        await expect(page).toHaveURL(/\/credentials\/import\/imp_/);
        if (script) await expectAccessible(page, info);
        const line = (state: string) => page.locator(`[data-import="${state}"]`);
        await expect(line('duplicate')).toHaveCount(1);
        await expect(line('skipped')).toContainText('gcloud');
        expect(await page.content(), 'passwords stay on the server').not.toContain(secret);
        expect(moody.passwords, 'nothing is asked yet').toEqual([]);

        // The lab's login has the user of a credential that is there already.
        await expect(line('there')).toContainText('Lab');
        await page.getByLabel('Name of the credential').fill(script ? 'Pasted' : 'Uploaded');
        await page.getByRole('button', { name: 'Test and import' }).click();
        await expect(page.locator('.flash')).toContainText('1 credential imported');
        await expect(line('imported')).toHaveCount(1);
        expect(moody.passwords).toContain(`ada:${secret}`);
        if (script) await expectAccessible(page, info);
        await story.picture(page, `import-${script ? 'pasted' : 'uploaded'}`);
        await line('imported').getByRole('link', { name: 'Open the credential' }).click();
        await expect(page.getByRole('heading', { level: 1 })).toContainText(script ? 'Pasted' : 'Uploaded');
      } finally {
        moody.stop();
      }
    });
  });
}

test('a docker login command is read, and what a shell would run is refused with a hint', async ({ page }) => {
  const { app } = it;
  await story.enter(page, app.url);
  await page.goto(`${app.url}/credentials/import`);
  await page.getByLabel('Command or file content').fill('echo $TOKEN | docker login ghcr.io -u ada --password-stdin');
  await page.getByRole('button', { name: 'Find logins' }).click();
  await expect(page.locator('#field-secret_text-error')).toContainText('Slipway runs nothing');
  await expect(page.getByLabel('Command or file content'), 'a secret never comes back').toHaveValue('');
  await page.getByLabel('Command or file content').fill("docker login -u ada -p 'wrong; password' " + lab().registry);
  await page.getByRole('button', { name: 'Find logins' }).click();
  await page.getByRole('button', { name: 'Test and import' }).click();
  await expect(page.locator('[data-import="refused"]')).toContainText('rejects the user name or the password');
});

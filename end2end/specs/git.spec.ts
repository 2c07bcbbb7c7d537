// Git access in Settings: a deploy key is made in the page; what is shown of it, and what never is.
import { expectAccessible } from '../fixtures/axe';
import { freePort } from '../fixtures/lab';
import * as story from '../fixtures/story';
import { expect, ownerOf, test, useApp } from '../fixtures/test';

const it = useApp();

test('a deploy key shows its public half, and its private half to nobody', async ({ page }, info) => {
  const client = await ownerOf(it.app);
  await story.enter(page, it.app.url);
  await page.goto(`${it.app.url}/settings`);
  await page.getByRole('link', { name: 'Manage git access' }).click();
  await page.getByRole('link', { name: 'New deploy key' }).click();
  await page.getByLabel('Name', { exact: true }).fill('Own host');
  // Nobody answers there: the key is made all the same.
  await page.getByLabel('Host', { exact: true }).fill(`127.0.0.1:${await freePort()}`);
  await page.getByRole('button', { name: 'Make deploy key' }).click();
  await expect(page.locator('#public-key')).toHaveText(/^ssh-ed25519 AAAA\S+ slipway/);
  await expect(page.getByText('Host to be confirmed')).toBeVisible();
  await expectAccessible(page, info);
  const { pathname } = new URL(page.url());
  for (const where of [pathname, `${pathname}/delete`, '/settings/git', '/settings', '/services/new']) {
    const { status, body } = await client.get(where);
    expect(status, where).toBe(200);
    expect(body, where).not.toMatch(/PRIVATE KEY|b3BlbnNzaC1rZXktdjEA/);
  }
  expect(it.app.log()).not.toMatch(/PRIVATE KEY|b3BlbnNzaC1rZXktdjEA/);

  await page.goto(`${it.app.url}/services/new`);
  await expect(page.getByLabel('Access', { exact: true }).locator('option')).toContainText(['None', 'Own host']);

  await page.goto(`${it.app.url}${pathname}`);
  await page.getByRole('link', { name: 'Delete' }).click();
  await page.getByRole('button', { name: 'Delete access' }).click();
  await expect(page).toHaveURL(/\/settings\/git$/);
  await expect(page.getByText('No access yet')).toBeVisible();
});

test('a token that was typed comes back nowhere', async ({ page }) => {
  const client = await ownerOf(it.app);
  await story.enter(page, it.app.url);
  await page.goto(`${it.app.url}/settings/git/new`);
  await page.getByLabel('Name', { exact: true }).fill('Shop');
  await page.getByLabel('Host', { exact: true }).fill('not a host');
  await page.getByLabel('User', { exact: true }).fill('x-access-token');
  await page.getByLabel('Token', { exact: true }).fill('ghp_canary0123456789');
  await page.getByRole('button', { name: 'Save token' }).click();
  await expect(page.getByRole('alert')).toContainText('A host looks like');
  await expect(page.getByLabel('User', { exact: true })).toHaveValue('x-access-token');
  await expect(page.getByLabel('Token', { exact: true })).toHaveValue('');
  await page.getByLabel('Host', { exact: true }).fill('git.example.com');
  await page.getByLabel('Token', { exact: true }).fill('ghp_canary0123456789');
  await page.getByRole('button', { name: 'Save token' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Shop');
  const { body } = await client.get(new URL(page.url()).pathname);
  expect(body).not.toContain('canary');
  expect(it.app.log()).not.toContain('canary');
});

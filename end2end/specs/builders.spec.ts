// Builders in Settings, without script: the engine's own, a container whose image can't be had, and its end.
import { expectAccessible } from '../fixtures/axe';
import { uniqueName } from '../fixtures/lab';
import * as story from '../fixtures/story';
import { expect, ownerOf, test, useApp } from '../fixtures/test';

test.use({ javaScriptEnabled: false });
const it = useApp();

test('a builder is added, says what is wrong with it, and goes', async ({ page }) => {
  test.setTimeout(120_000);
  const { app } = it;
  await ownerOf(app);
  await story.enter(page, app.url);
  await page.goto(`${app.url}/settings`);
  await page.getByRole('link', { name: 'Manage builders' }).click();

  await test.step('the engine is there, with what it builds for', async () => {
    await expect(async () => {
      await page.reload();
      await expect(page.getByRole('row', { name: /This engine/ })).toContainText(/linux\/(amd64|arm64)/);
      await expect(page.getByRole('row', { name: /This engine/ })).toContainText('Builds');
    }).toPass({ timeout: 60_000 });
  });

  const name = uniqueName('beside');
  await test.step('wrong values come back with words', async () => {
    await page.getByRole('link', { name: 'New builder' }).click();
    await page.getByRole('link', { name: /A container on this engine/ }).click();
    await page.getByLabel('Name', { exact: true }).fill(name);
    await page.getByLabel('Processor cap').fill('many');
    await page.getByRole('button', { name: 'Save builder' }).click();
    await expect(page.getByLabel('Processor cap')).toHaveAttribute('aria-invalid', 'true');
    await expect(page.getByLabel('Name', { exact: true })).toHaveValue(name);
  });

  await test.step('an image that nobody has is a problem with a remedy', async () => {
    await page.getByLabel('Processor cap').fill('1.5');
    await page.getByLabel('BuildKit image').fill('127.0.0.1:9/moby/buildkit:none');
    await page.getByRole('button', { name: 'Save builder' }).click();
    await expect(page).toHaveURL(/\/settings\/builders\/bdr_/);
    await expect(async () => {
      await page.reload();
      await expect(page.locator('[data-problem="builder.image"]')).toContainText('127.0.0.1:9/moby/buildkit:none');
    }).toPass({ timeout: 60_000 });
    await expect(page.locator('[data-problem="builder.image"]')).toContainText('Check its name');
    await expect(page.getByLabel('Processor cap')).toHaveValue('1.5');
  });

  await test.step('it goes', async () => {
    await page.getByRole('link', { name: 'Delete' }).click();
    await page.getByRole('button', { name: 'Delete builder' }).click();
    await expect(page).toHaveURL(/\/settings\/builders$/);
    await expect(page.getByRole('table')).not.toContainText(name);
  });

  await test.step('machines elsewhere want TLS where they are reached by tcp', async () => {
    await page.goto(`${app.url}/settings/builders/new?kind=remote`);
    await page.getByLabel('Name', { exact: true }).fill(name);
    await page.getByLabel('Platform', { exact: true }).fill('linux/arm64');
    await page.getByLabel('Address').fill('tcp://arm.example.com:1234');
    await page.getByRole('button', { name: 'Save builder' }).click();
    await expect(page.getByLabel('Authority')).toHaveAttribute('aria-invalid', 'true');
    await expect(page.getByLabel('Key', { exact: true })).toHaveAttribute('aria-invalid', 'true');
  });
});

test.describe('with script', () => {
  test.use({ javaScriptEnabled: true });

  test('the pages of builders are accessible', async ({ page }, info) => {
    await ownerOf(it.app);
    await story.enter(page, it.app.url);
    for (const where of ['', '/engine', '/new?kind=container', '/new?kind=remote']) {
      await page.goto(`${it.app.url}/settings/builders${where}`);
      await expectAccessible(page, info);
    }
  });
});

// Narrow screens and the keyboard: nothing runs out of the page, everything can be reached.
import path from 'node:path';
import { Repository } from '../fixtures/git';
import { uniqueName } from '../fixtures/lab';
import * as story from '../fixtures/story';
import { expect, ownerOf, test, useApp } from '../fixtures/test';
import { expectAccessible } from '../fixtures/axe';
import { addRegistry, addService, buildEnds, startBuild } from '../fixtures/things';

const it = useApp();
const project = uniqueName('narrow');

test('no page scrolls sideways at 390 and 320 pixels', async ({ page }, info) => {
  test.setTimeout(90_000);
  const { app } = it;
  app.projects.push(project);
  await page.goto(`${app.url}/setup`);
  const wide: string[] = [];
  const look = async (where: string) => {
    for (const width of [390, 320]) {
      await page.setViewportSize({ width, height: 800 });
      await page.goto(`${app.url}${where}`);
      const [inner, scroll] = await page.evaluate(() => [document.documentElement.clientWidth, document.documentElement.scrollWidth]);
      if ((scroll ?? 0) > (inner ?? 0)) wide.push(`${where} at ${width}: ${scroll} pixels`);
    }
  };
  await look('/setup');
  const client = await ownerOf(app);
  await look('/sign-in');
  const registry = await addRegistry(client, 'A registry with a rather long name for a small screen');
  const repository = await Repository.create(path.join(app.repositories, 'a-folder-with-quite-a-long-name-for-a-repository'));
  await repository.website('version 1', { message: 'Anunbreakablesubjectlinethatisfartoolongforanyscreenofatelephone'.repeat(2) });
  const service = await addService(client, { project, name: 'A service with a rather long name, for small screens', repository: repository.folder });
  const build = await startBuild(client, service, false);
  await buildEnds(client, build);
  await story.enter(page, app.url);
  for (const where of ['/', '/services', '/services/new', `/services/${service}`, `/services/${service}/edit`, '/builds', `/builds/${build}`, '/registries', '/registries/new', `/registries/${registry}`, '/credentials', '/credentials/new', '/jobs', '/settings', '/settings/builds']) {
    await look(where);
  }
  expect(wide).toEqual([]);
  await page.setViewportSize({ width: 360, height: 740 });
  await page.goto(`${app.url}/builds/${build}`);
  await expectAccessible(page, info);
  await story.picture(page, 'build-phone');
  await page.getByRole('button', { name: 'Menu' }).click();
  await expect(page.getByRole('navigation').getByRole('link', { name: 'Services' })).toBeVisible();
  await expectAccessible(page, info);
});

test('signing in by keyboard alone', async ({ page }) => {
  const { app } = it;
  await ownerOf(app);
  await page.goto(`${app.url}/sign-in`);
  const focused = () => page.evaluate(() => (document.activeElement as HTMLInputElement | null)?.name || document.activeElement?.textContent?.trim() || '');
  const order: string[] = [];
  for (let presses = 0; presses < 8 && !order.includes('Sign in'); presses++) {
    await page.keyboard.press('Tab');
    order.push(await focused());
    const outline = await page.evaluate(() => (document.activeElement ? getComputedStyle(document.activeElement).outlineStyle : 'none'));
    expect(outline, `the focus on ${order.at(-1)} can be seen`).not.toBe('none');
  }
  const fields = order.filter((name) => name.startsWith('form['));
  expect(fields).toEqual(['form[username]', 'form[password]']);
  expect(order).toContain('Sign in');
  await page.getByLabel('User name').focus();
  await page.keyboard.type('owner');
  await page.keyboard.press('Tab');
  await page.keyboard.type('five words are quite enough');
  await page.keyboard.press('Enter');
  await expect(page).not.toHaveURL(/sign-in/);
  // The skip link comes first, and leads to the main part.
  await page.keyboard.press('Tab');
  await expect(page.locator(':focus')).toHaveText(/skip/i);
  await page.keyboard.press('Enter');
  await expect.poll(() => page.evaluate(() => location.hash)).toBe('#main');
});

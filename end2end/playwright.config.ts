// How the browser tests run: Chromium from the system, one Slipway per spec file, two files at a time.
//
// Files are independent of each other, so they may run side by side; inside a file the tests share one Slipway and run
// in order. `SLIPWAY_CHROMIUM` names another browser.
import { defineConfig, devices } from '@playwright/test';

export default defineConfig({
  testDir: 'specs',
  outputDir: 'test-results',
  workers: 2,
  fullyParallel: false,
  forbidOnly: !!process.env.CI,
  // Where nobody watches, one race on a busy machine does not hide what the other tests say. What passed at the second
  // try only is named at the end of the run and is to be put right; secrets.spec.ts never gets a second try.
  retries: process.env.CI ? 1 : 0,
  timeout: 60_000,
  expect: { timeout: 10_000 },
  reporter: [['list'], ['./fixtures/summary.ts']],
  use: {
    ...devices['Desktop Chrome'],
    channel: undefined,
    headless: true,
    locale: 'en-GB',
    timezoneId: 'UTC',
    actionTimeout: 10_000,
    navigationTimeout: 15_000,
    trace: 'off',
    screenshot: 'only-on-failure',
    launchOptions: {
      executablePath: process.env.SLIPWAY_CHROMIUM ?? '/usr/bin/chromium',
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
});

// Measurements against real parts (`scripts/bench builds`): one after the other, without a browser and a second try.
import { defineConfig } from '@playwright/test';

export default defineConfig({
  testDir: 'bench',
  testMatch: '*.bench.ts',
  outputDir: 'test-results',
  workers: 1,
  reporter: [['line']],
});

import { defineConfig, type TestProjectConfiguration } from 'vitest/config'

const postgres = ['./packages/testkit/src/postgres/global-setup.ts']
const leaks = ['./packages/testkit/src/leaks.ts']
const never = ['**/node_modules/**', '**/dist/**']

/** One per layer of tests; `npm test` runs them in this order. */
const projects: TestProjectConfiguration[] = [
  {
    test: {
      name: 'unit',
      include: ['{apps,packages}/*/src/**/*.test.{ts,tsx}', 'infra/**/*.test.ts'],
      exclude: [...never, '**/*.db.test.ts'],
      setupFiles: leaks,
    },
  },
  {
    test: {
      name: 'database',
      include: ['{apps,packages}/*/{src,test}/**/*.db.test.ts'],
      exclude: never,
      globalSetup: postgres,
      setupFiles: leaks,
      testTimeout: 30_000,
    },
  },
  {
    test: {
      name: 'app',
      include: ['{apps,packages}/*/test/**/*.test.{ts,tsx}'],
      exclude: [...never, '**/*.db.test.ts'],
      globalSetup: postgres,
      setupFiles: leaks,
      testTimeout: 30_000,
      hookTimeout: 60_000,
    },
  },
  {
    test: {
      name: 'architecture',
      include: ['test/architecture/**/*.test.ts'],
      exclude: never,
      testTimeout: 30_000,
    },
  },
  {
    test: {
      name: 'e2e',
      include: ['test/e2e/**/*.test.ts'],
      exclude: never,
      globalSetup: postgres,
      setupFiles: leaks,
      fileParallelism: false,
      testTimeout: 120_000,
      hookTimeout: 120_000,
    },
  },
  {
    test: {
      name: 'faults',
      include: ['test/faults/**/*.test.ts'],
      exclude: never,
      globalSetup: postgres,
      setupFiles: leaks,
      fileParallelism: false,
      testTimeout: 180_000,
      hookTimeout: 120_000,
    },
  },
]

export default defineConfig({
  test: {
    projects,
    pool: 'forks',
    maxWorkers: 2,
    // A worker that does not end is a leak; it must not hold up the run for long.
    teardownTimeout: 10_000,
  },
})

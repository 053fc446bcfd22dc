import { availableParallelism } from 'node:os'
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config'

/**
 * One project per tier, run one after another. The tiers that start real agents get few workers: timings there are real, and a
 * crowded machine would make them lie.
 */
const cores = availableParallelism()

function realConsulTier(
  name: string,
  order: number,
  include = `test/${name}/**/*.test.ts`,
): TestProjectInlineConfiguration {
  return {
    extends: true,
    test: {
      name,
      include: [include],
      globalSetup: ['test/support/vitest/find-consul.ts'],
      setupFiles: ['test/support/vitest/logs-on-failure.ts'],
      testTimeout: 30_000,
      hookTimeout: 60_000,
      maxWorkers: Math.max(2, Math.floor(cores / 2)),
      sequence: { groupOrder: order },
    },
  }
}

export default defineConfig({
  test: {
    pool: 'forks',
    reporters: ['dot', './test/support/vitest/tally-reporter.ts'],
    silent: 'passed-only',
    restoreMocks: true,
    unstubEnvs: true,
    unstubGlobals: true,
    coverage: { include: ['src/**/*.ts'], reporter: ['text-summary', 'html'] },
    projects: [
      {
        extends: true,
        test: { name: 'unit', include: ['test/unit/**/*.test.ts'], testTimeout: 60_000, sequence: { groupOrder: 1 } },
      },
      {
        extends: true,
        test: {
          name: 'types',
          include: [],
          // Errors in src itself are told once, by `npm run typecheck`.
          typecheck: {
            enabled: true,
            only: true,
            ignoreSourceErrors: true,
            include: ['test/types/**/*.test-d.ts'],
            tsconfig: 'tsconfig.json',
          },
          sequence: { groupOrder: 2 },
        },
      },
      realConsulTier('harness', 3, 'test/harness/*.test.ts'),
      realConsulTier('contract', 4),
      realConsulTier('integration', 5),
      realConsulTier('fault', 6),
      realConsulTier('container', 7, 'test/harness/container/*.test.ts'),
    ],
  },
})

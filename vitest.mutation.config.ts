import { defineConfig } from 'vitest/config'

/** The unit tests of the folder that `npm run mutation` is about. */
export default defineConfig({
  test: {
    include: [`test/unit/${process.env['MUTATED_FOLDER'] ?? 'none'}/**/*.test.ts`],
    testTimeout: 5_000,
    restoreMocks: true,
    unstubEnvs: true,
    unstubGlobals: true,
  },
})

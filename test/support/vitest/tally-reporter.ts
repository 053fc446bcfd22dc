import { writeFileSync } from 'node:fs'
import type { Reporter, SerializedError, TestModule } from 'vitest/node'

/** How a run went. A file that could not be loaded and an error outside any test count as a failure each. */
export interface Tally {
  passed: number
  failed: number
  skipped: number
}

/** Counts the tests and writes the result, as JSON, to the file that `PROCONSUL_TALLY` names. */
export default class TallyReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const file = process.env['PROCONSUL_TALLY']
    if (file === undefined) return
    const tally: Tally = { passed: 0, failed: unhandled.length, skipped: 0 }
    for (const module of modules) {
      tally.failed += module.errors().length
      for (const suite of module.children.allSuites()) tally.failed += suite.errors().length
      for (const test of module.children.allTests()) {
        const { state } = test.result()
        // A test still pending when the run ended never proved anything.
        tally[state === 'pending' ? 'failed' : state] += 1
      }
    }
    writeFileSync(file, JSON.stringify(tally))
  }
}

import type { Clock } from '../../core/clock.js'
import type { CheckStatus } from '../state/records.js'

/** Something that finds out the state of a check, again and again. */
export interface CheckRunner {
  /** Ends it: no timer and no socket is left, and nothing is reported any more. */
  stop(): void
}

/** Where a runner reports what it found. */
export type CheckReport = (status: CheckStatus, output: string) => void

/** What every runner gets. */
export interface RunnerContext {
  readonly clock: Clock
  readonly report: CheckReport
}

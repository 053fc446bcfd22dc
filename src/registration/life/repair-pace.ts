import type { Clock } from '../../core/clock.js'
import { sleep } from '../../core/sleep.js'
import { TokenBucket } from '../../core/token-bucket.js'

/** Repairs in a row that follow each other at once, and the pace after that: others may be changing the record on purpose. */
const REPAIRS = Object.freeze({ burst: 5, refillMs: 5_000 })

/** Bounds how often a record is written against what others did to it. */
export class RepairPace {
  readonly #clock: Clock
  readonly #repairs: TokenBucket

  constructor(clock: Clock) {
    this.#clock = clock
    this.#repairs = new TokenBucket(clock, REPAIRS)
  }

  /** Resolves when the next repair may begin; rejects when the signal is aborted. */
  async untilAllowed(signal: AbortSignal): Promise<void> {
    await sleep(this.#repairs.take(), { clock: this.#clock, signal })
  }
}

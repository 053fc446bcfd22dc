import type { Clock } from '../../core/clock.js'
import type { ResolvedRetryBudget } from './retry-options.js'

/** What whoever repeats calls by himself asks. */
export interface CallBudget {
  /** A call is made that may be repeated. */
  deposit(): void
  /** Takes the right to repeat a call; false when there is none left. */
  withdraw(): boolean
}

/** How long a call counts. */
const WINDOW_SECONDS = 10

/**
 * How many calls may be repeated: a share of those of the last ten seconds, and a few a second beside that. So when everything fails, the
 * calls that are sent grow by that share and not by the number of tries.
 */
export class RetryBudget implements CallBudget {
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #options: ResolvedRetryBudget
  readonly #calls = new Int32Array(WINDOW_SECONDS)
  readonly #retries = new Int32Array(WINDOW_SECONDS)
  #callsInWindow = 0
  /** Repetitions in the window that were taken from the share. */
  #retriesInWindow = 0
  #second: number
  /** What is left of the few a second. */
  #floor: number
  #floorAt: number

  constructor(clock: Pick<Clock, 'monotonic'>, options: ResolvedRetryBudget) {
    this.#clock = clock
    this.#options = options
    const now = clock.monotonic()
    this.#second = Math.floor(now / 1_000)
    this.#floor = mostAtOnce(options.perSecond)
    this.#floorAt = now
  }

  deposit(): void {
    const slot = this.#advance(this.#clock.monotonic())
    this.#calls[slot] = (this.#calls[slot] ?? 0) + 1
    this.#callsInWindow += 1
  }

  withdraw(): boolean {
    const now = this.#clock.monotonic()
    const slot = this.#advance(now)
    const { share, perSecond } = this.#options
    if (this.#retriesInWindow + 1 <= share * this.#callsInWindow) {
      this.#retries[slot] = (this.#retries[slot] ?? 0) + 1
      this.#retriesInWindow += 1
      return true
    }
    this.#floor = Math.min(mostAtOnce(perSecond), this.#floor + ((now - this.#floorAt) / 1_000) * perSecond)
    this.#floorAt = now
    if (this.#floor < 1) return false
    this.#floor -= 1
    return true
  }

  /** Forgets what is older than the window, and returns the slot of the present second. */
  #advance(now: number): number {
    const second = Math.floor(now / 1_000)
    const passed = Math.min(second - this.#second, WINDOW_SECONDS)
    for (let step = 1; step <= passed; step += 1) {
      const slot = (this.#second + step) % WINDOW_SECONDS
      this.#callsInWindow -= this.#calls[slot] ?? 0
      this.#retriesInWindow -= this.#retries[slot] ?? 0
      this.#calls[slot] = 0
      this.#retries[slot] = 0
    }
    this.#second = second
    return second % WINDOW_SECONDS
  }
}

/** After a quiet time; one, where there is one every few seconds. */
function mostAtOnce(perSecond: number): number {
  return perSecond === 0 ? 0 : Math.max(1, perSecond)
}

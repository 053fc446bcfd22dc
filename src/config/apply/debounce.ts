import type { Clock, Timer } from '../../core/clock.js'

/** At the latest after so many times the quiet time, however restless the values are. */
const MAX_DEBOUNCES = 10

/** The watch reads a restless query every 250 ms: within a burst of changes, anything shorter than this shows no quiet. */
const BURST_QUIET_MS = 300

/** Waits until what changes has been quiet for a while. */
export class Debounce {
  readonly #clock: Clock
  readonly #quietMs: number
  readonly #onQuiet: () => void
  /** Undefined while nothing waits. */
  #waiting: { readonly timer: Timer; readonly dueAt: number } | undefined

  /** @param quietMs 0 waits for nothing */
  constructor(clock: Clock, quietMs: number, onQuiet: () => void) {
    this.#clock = clock
    this.#quietMs = quietMs
    this.#onQuiet = onQuiet
  }

  get isWaiting(): boolean {
    return this.#waiting !== undefined
  }

  /** Something changed. */
  stir(): void {
    if (this.#quietMs === 0) {
      this.#onQuiet()
      return
    }
    const now = this.#clock.monotonic()
    const dueAt = this.#waiting?.dueAt ?? now + MAX_DEBOUNCES * this.#quietMs
    const quietMs = this.#waiting === undefined ? this.#quietMs : Math.max(this.#quietMs, BURST_QUIET_MS)
    this.cancel()
    const timer = this.#clock.setTimer(
      () => {
        this.#waiting = undefined
        this.#onQuiet()
      },
      Math.max(0, Math.min(quietMs, dueAt - now)),
    )
    this.#waiting = { timer, dueAt }
  }

  /** Forgets what waits. */
  cancel(): void {
    this.#waiting?.timer.cancel()
    this.#waiting = undefined
  }
}

import type { Clock, Timer } from './clock.js'

/** A time that runs down only while it is told to, and goes on from where it stood. */
export class Countdown {
  readonly #clock: Clock
  readonly #fullMs: number
  readonly #onEnd: () => void
  #leftMs: number
  #running: { readonly timer: Timer; readonly since: number } | undefined

  constructor(clock: Clock, fullMs: number, onEnd: () => void) {
    this.#clock = clock
    this.#fullMs = fullMs
    this.#leftMs = fullMs
    this.#onEnd = onEnd
  }

  /** Runs on. At its end already, it ends again in a moment. Does nothing while it runs. */
  run(): void {
    if (this.#running !== undefined) return
    const timer = this.#clock.setTimer(() => {
      this.#running = undefined
      this.#leftMs = 0
      this.#onEnd()
    }, this.#leftMs)
    this.#running = { timer, since: this.#clock.monotonic() }
  }

  /** Stands still until it is told to run. */
  stop(): void {
    if (this.#running === undefined) return
    this.#running.timer.cancel()
    this.#leftMs = Math.max(0, this.#leftMs - (this.#clock.monotonic() - this.#running.since))
    this.#running = undefined
  }

  /** Runs with the full time. */
  restart(): void {
    this.stop()
    this.#leftMs = this.#fullMs
    this.run()
  }
}

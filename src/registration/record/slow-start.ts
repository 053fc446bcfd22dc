import type { Timer } from '../../core/clock.js'
import type { Runtime } from '../../core/runtime.js'

/** Steps of a ramp. More would cost the servers writes without callers noticing. */
const STEPS = 10

/** Raises a weight from 1 to its full value in equal steps of time. */
export class SlowStart {
  readonly #runtime: Runtime
  readonly #apply: (weight: number | undefined) => Promise<unknown>
  #timer: Timer | undefined
  #step = 0

  /** `apply` is called with each weight, and with undefined when the full one holds. */
  constructor(runtime: Runtime, apply: (weight: number | undefined) => Promise<unknown>) {
    this.#runtime = runtime
    this.#apply = apply
  }

  start(durationMs: number, fullWeight: () => number): void {
    const stepMs = durationMs / STEPS
    const next = (): void => {
      this.#step += 1
      const isDone = this.#step >= STEPS
      const weight = isDone ? undefined : Math.max(1, Math.round((fullWeight() * this.#step) / STEPS))
      void this.#apply(weight)
      if (!isDone) this.#timer = this.#runtime.clock.setTimer(next, stepMs, { keepAlive: false })
    }
    this.#timer = this.#runtime.clock.setTimer(next, stepMs, { keepAlive: false })
  }

  stop(): void {
    this.#timer?.cancel()
  }
}

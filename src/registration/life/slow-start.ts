import type { Timer } from '../../core/clock.js'
import type { Runtime } from '../../core/runtime.js'

/** Steps of a ramp. More would cost the registry writes without callers noticing. */
const STEPS = 10

/** Raises a weight from 1 to its full value in equal steps of time. */
export class SlowStart {
  readonly #runtime: Runtime
  readonly #apply: () => Promise<unknown>
  #timer: Timer | undefined
  #step = 0
  #weight: number | undefined

  /** `apply` is called whenever the weight has changed. */
  constructor(runtime: Runtime, apply: () => Promise<unknown>) {
    this.#runtime = runtime
    this.#apply = apply
  }

  /** What the service is to weigh at present; undefined when the full weight holds. */
  get weight(): number | undefined {
    return this.#weight
  }

  /** The service begins with the least weight. */
  prepare(): void {
    this.#weight = 1
  }

  start(durationMs: number, fullWeight: () => number): void {
    const stepMs = durationMs / STEPS
    const next = (): void => {
      this.#step += 1
      const isDone = this.#step >= STEPS
      this.#weight = isDone ? undefined : Math.max(1, Math.round((fullWeight() * this.#step) / STEPS))
      void this.#apply()
      if (!isDone) this.#timer = this.#runtime.clock.setTimer(next, stepMs, { keepAlive: false })
    }
    this.#timer = this.#runtime.clock.setTimer(next, stepMs, { keepAlive: false })
  }

  /** Changes the weight no more. */
  stop(): void {
    this.#timer?.cancel()
  }

  /** The full weight holds from now on. */
  end(): void {
    this.stop()
    this.#weight = undefined
  }
}

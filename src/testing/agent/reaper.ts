import type { Clock, Timer } from '../../core/clock.js'
import { deregisterAfterMs, type LocalState } from './local-state.js'

/** When the reaper looks, and what it never goes below. */
export interface ReaperOptions {
  /** How often it looks. The real agent: 30 s. */
  readonly intervalMs: number
  /** The shortest time that a registration can ask for. The real agent: 1 min. */
  readonly minimumMs: number
}

/** Removes services that have been critical for longer than their registration allows (`DeregisterCriticalServiceAfter`). */
export class Reaper {
  readonly #clock: Clock
  readonly #local: LocalState
  readonly #options: ReaperOptions
  #timer: Timer | undefined

  constructor(clock: Clock, local: LocalState, options: ReaperOptions) {
    this.#clock = clock
    this.#local = local
    this.#options = options
  }

  start(): void {
    this.#timer = this.#clock.setTimer(
      () => {
        this.#reap()
        this.start()
      },
      this.#options.intervalMs,
      { keepAlive: false },
    )
  }

  stop(): void {
    this.#timer?.cancel()
  }

  #reap(): void {
    const nowMs = this.#clock.monotonic()
    for (const check of this.#local.checks()) {
      const limitMs = deregisterAfterMs(check, this.#options.minimumMs)
      const { serviceId } = check.definition
      if (limitMs === undefined || serviceId === '' || check.criticalSinceMs === undefined) continue
      if (nowMs - check.criticalSinceMs > limitMs) this.#local.removeService(serviceId)
    }
  }
}

import type { HealthStatus } from '../definition/health-status.js'
import type { RegistrationHealth } from '../health/probe-board.js'
import type { LifeContext } from './context.js'

/** Tells of the health of a service: listeners of every change, operators of what turned. */
export class HealthNews {
  readonly #life: LifeContext
  #told: RegistrationHealth
  /** What operators know: the status of each probe, and of the whole. Unknown is passing, the way a service is meant to be. */
  readonly #probes = new Map<string, HealthStatus>()
  #whole: HealthStatus = 'passing'
  #isBegun = false

  constructor(life: LifeContext) {
    this.#life = life
    this.#told = this.current
  }

  /** The probes by name, with the worst of them and of the checks that the registry carries out. */
  get current(): RegistrationHealth {
    return Object.freeze({ status: this.#life.status, probes: this.#life.health.current.probes })
  }

  /** The service is registered as it is now: operators hear of what turns from here on, and of the probes that fail already. */
  begin(): void {
    this.#isBegun = true
    this.#whole = this.#life.status
    this.#tellProbes(this.current)
  }

  /** A result of a probe has changed. */
  tell(): void {
    const previous = this.#told
    this.#told = this.current
    if (this.#isBegun) {
      this.#tellProbes(this.#told)
      this.#tellWhole(this.#told.status)
    }
    this.#life.emit('health', this.#told, previous)
  }

  /** The same where the checks that the registry carries out have changed the status of the whole. */
  note(): void {
    if (this.#life.status !== this.#told.status) this.tell()
  }

  #tellProbes({ probes }: RegistrationHealth): void {
    for (const [probe, { status, output }] of Object.entries(probes)) {
      const before = this.#probes.get(probe) ?? 'passing'
      this.#probes.set(probe, status)
      if (before !== status) this.#life.tell(status, { probe, before, output }, `the probe ${probe} is ${status}`)
    }
  }

  #tellWhole(status: HealthStatus): void {
    const before = this.#whole
    this.#whole = status
    if (before !== status) this.#life.tell(status, { before }, `the service is ${status}`)
  }
}

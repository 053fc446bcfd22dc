import { outOfContext } from '../../core/async-context.js'
import type { Clock, Timer } from '../../core/clock.js'
import { formatDuration } from '../../core/duration.js'
import type { ResolvedProbe } from '../definition/probe-definition.js'
import type { LagBounds } from '../definition/resolve-heartbeat.js'
import type { ProbeVerdict } from './verdict.js'

/** How often the loop is looked at. A block shorter than the smallest bound of the option is none. */
const SAMPLE_MS = 100

/** Measures by how much timers are late. */
export class EventLoopLag {
  readonly #clock: Clock
  #timer: Timer | undefined
  #worstMs = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  start(): void {
    this.#timer ??= outOfContext(() => this.#sample())
  }

  stop(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }

  /** What the longest block since the last call means. */
  verdict({ warnAfterMs, criticalAfterMs }: LagBounds): ProbeVerdict {
    const lagMs = this.#worstMs
    this.#worstMs = 0
    const output = lagMs < warnAfterMs ? '' : `event loop blocked for ${formatDuration(lagMs)}`
    if (lagMs >= criticalAfterMs) return { status: 'critical', output }
    return { status: lagMs >= warnAfterMs ? 'warning' : 'passing', output }
  }

  /** The same as a probe among others. */
  asProbe(bounds: LagBounds): ResolvedProbe {
    const run = (): ProbeVerdict => this.verdict(bounds)
    return { name: 'event-loop', run, runInContext: run, timeoutMs: 1_000, intervalMs: 1_000, onFailure: 'critical' }
  }

  #sample(): Timer {
    const plannedAt = this.#clock.monotonic() + SAMPLE_MS
    const look = (): void => {
      this.#worstMs = Math.max(this.#worstMs, this.#clock.monotonic() - plannedAt)
      this.#timer = this.#sample()
    }
    return this.#clock.setTimer(look, SAMPLE_MS, { keepAlive: false })
  }
}

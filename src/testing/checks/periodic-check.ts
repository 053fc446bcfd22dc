import type { Timer } from '../../core/clock.js'
import type { CheckStatus } from '../state/records.js'
import type { CheckRunner, RunnerContext } from './check-runner.js'

/** What one attempt found. */
export interface ProbeResult {
  readonly status: CheckStatus
  readonly output: string
}

/** One attempt. It settles when `signal` aborts, and never rejects. */
export type Probe = (signal: AbortSignal) => Promise<ProbeResult>

/** How often, how long, and after how many attempts a check changes its state. */
export interface PeriodicOptions {
  readonly intervalMs: number
  readonly timeoutMs: number
  /** Successes in a row before it passes. */
  readonly successBeforePassing: number
  /** Failures in a row before it is critical. */
  readonly failuresBeforeCritical: number
}

/** Node.js fires timers beyond this at once. */
const SHORTEST_INTERVAL_MS = 1

/** A check that the agent makes itself. The first attempt is made at once, where the real agent waits for a random part of the interval. */
export class PeriodicCheck implements CheckRunner {
  readonly #context: RunnerContext
  readonly #options: PeriodicOptions
  readonly #probe: Probe
  #controller = new AbortController()
  #timer: Timer | undefined
  #deadline: Timer | undefined
  #isStopped = false
  #successes = 0
  #failures = 0

  constructor(context: RunnerContext, options: PeriodicOptions, probe: Probe) {
    this.#context = context
    this.#options = options
    this.#probe = probe
    this.#schedule(0)
  }

  stop(): void {
    this.#isStopped = true
    this.#timer?.cancel()
    this.#deadline?.cancel()
    this.#controller.abort()
  }

  #schedule(delayMs: number): void {
    this.#timer = this.#context.clock.setTimer(() => void this.#attempt(), delayMs, { keepAlive: false })
  }

  async #attempt(): Promise<void> {
    const { clock } = this.#context
    this.#controller = new AbortController()
    this.#deadline = clock.setTimer(() => this.#controller.abort(), this.#options.timeoutMs, { keepAlive: false })
    const result = await this.#probe(this.#controller.signal)
    this.#deadline.cancel()
    if (this.#isStopped) return
    this.#count(result)
    this.#schedule(Math.max(SHORTEST_INTERVAL_MS, this.#options.intervalMs))
  }

  #count(result: ProbeResult): void {
    if (result.status === 'critical') {
      this.#successes = 0
      this.#failures += 1
      if (this.#failures >= this.#options.failuresBeforeCritical) this.#context.report('critical', result.output)
    } else {
      this.#failures = 0
      this.#successes += 1
      if (this.#successes >= this.#options.successBeforePassing) this.#context.report(result.status, result.output)
    }
  }
}

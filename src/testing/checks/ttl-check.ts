import type { Timer } from '../../core/clock.js'
import type { CheckStatus } from '../state/records.js'
import type { CheckRunner, RunnerContext } from './check-runner.js'

/** A check that whoever registered it keeps alive: it turns critical when it has not been heard of for its TTL. */
export class TtlCheck implements CheckRunner {
  readonly #context: RunnerContext
  readonly #ttlMs: number
  #timer: Timer | undefined
  #lastOutput: string
  #expiresAtMs = 0

  /** `lastOutput` is what was last reported before this runner took over. */
  constructor(context: RunnerContext, ttlMs: number, lastOutput = '') {
    this.#context = context
    this.#ttlMs = ttlMs
    this.#lastOutput = lastOutput
    this.#arm()
  }

  /** When it expires unless it is heard of, in wall time. */
  get expiresAtMs(): number {
    return this.#expiresAtMs
  }

  /** Takes a report and starts the TTL anew. */
  update(status: CheckStatus, output: string): void {
    this.#lastOutput = output
    this.#arm()
    this.#context.report(status, output)
  }

  stop(): void {
    this.#timer?.cancel()
  }

  #arm(): void {
    this.#timer?.cancel()
    this.#expiresAtMs = this.#context.clock.now() + this.#ttlMs
    this.#timer = this.#context.clock.setTimer(() => this.#expire(), this.#ttlMs, { keepAlive: false })
  }

  #expire(): void {
    const last = this.#lastOutput
    const output = last === '' ? 'TTL expired' : `TTL expired (last output before timeout follows): ${last}`
    this.#context.report('critical', output)
  }
}

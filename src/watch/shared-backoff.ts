import { throwIfAborted } from '../core/abort.js'
import type { BackoffOptions } from '../core/backoff.js'
import type { Timer } from '../core/clock.js'
import { retryPauseMs } from '../core/persist.js'
import type { Runtime } from '../core/runtime.js'
import { sleep } from '../core/sleep.js'
import { WaitingLine } from '../core/waiting-line.js'
import type { ProconsulError, ProconsulErrorCode } from '../errors/proconsul-error.js'

/** Pauses in an outage. The ceiling bounds how late a client notices the end of a long one; the jitter below it spreads a fleet. */
export const OUTAGE_DELAYS: BackoffOptions = Object.freeze({ firstMs: 250, maxMs: 10_000 })

/** After an outage each waiting query adds so much to the time over which they all start, up to the second figure. */
const SPREAD_PER_QUERY_MS = 10
const LONGEST_SPREAD_MS = 2_000

const OUTAGES: readonly ProconsulErrorCode[] = [
  'PROCONSUL_UNAVAILABLE',
  'PROCONSUL_NO_LEADER',
  'PROCONSUL_RATE_LIMITED',
  'PROCONSUL_TIMEOUT',
  'PROCONSUL_TLS',
]

/** Whether the agent, or what is behind it, is at fault and not the one query. */
export function isOutage({ code }: ProconsulError): boolean {
  return OUTAGES.includes(code)
}

/** Leave to read once. Each must be answered by `succeeded`, `failed` or `abandoned`. */
export interface Pass {
  /** Counts the failures; a read position from an earlier epoch must not be trusted, for the agent may have lost its state. */
  readonly epoch: number
  /** Whether this read is the one that finds out if the agent is back. */
  readonly probe: boolean
}

/** Hears why it has to wait. */
type OutageListener = (error: ProconsulError) => void

type State =
  | { readonly type: 'open' }
  /** Nobody may try before the timer fires. */
  | { readonly type: 'closed'; readonly error: ProconsulError; readonly timer: Timer }
  /** The next who asks is the one to try. */
  | { readonly type: 'due'; readonly error: ProconsulError }
  | { readonly type: 'probing'; readonly error: ProconsulError }

/**
 * One back-off for all queries that fail together. After a failure of the agent they stop at this gate; one of them tries after a
 * jittered, growing delay, and when it gets an answer the others go on, spread over a moment.
 */
export class SharedBackoff {
  readonly #runtime: Runtime
  /** Who waits is given the milliseconds after which to look again. */
  readonly #waiting = new WaitingLine<number, OutageListener>()
  #state: State = { type: 'open' }
  #failures = 0
  #epoch = 0

  constructor(runtime: Runtime) {
    this.#runtime = runtime
  }

  /** Failures so far, those of reads that were under way at once counted as one. */
  get epoch(): number {
    return this.#epoch
  }

  /**
   * Resolves at once while all is well; else when it is the caller's turn to try, or another's try was answered. Until then `onOutage`
   * hears what the last try failed with: at once, and after each further one.
   */
  async pass(signal: AbortSignal, onOutage: OutageListener): Promise<Pass> {
    throwIfAborted(signal)
    while (this.#state.type !== 'open') {
      const { type, error } = this.#state
      if (type === 'due') {
        this.#state = { type: 'probing', error }
        return { epoch: this.#epoch, probe: true }
      }
      onOutage(error)
      const afterMs = await this.#waiting.wait(onOutage, signal)
      if (afterMs > 0) await sleep(afterMs, { clock: this.#runtime.clock, signal })
    }
    return { epoch: this.#epoch, probe: false }
  }

  /** The agent answered. */
  succeeded(): void {
    if (this.#state.type === 'open') return
    this.close()
    this.#failures = 0
    const spreadMs = Math.min(LONGEST_SPREAD_MS, SPREAD_PER_QUERY_MS * this.#waiting.size)
    for (const waiter of this.#waiting) waiter.give(spreadMs * this.#runtime.random())
  }

  /** The agent failed. The failures of all reads that were under way at once count as one. */
  failed(pass: Pass, error: ProconsulError): void {
    if (pass.epoch !== this.#epoch) return
    this.close()
    const pauseMs = retryPauseMs(error, this.#failures, { runtime: this.#runtime, delays: OUTAGE_DELAYS })
    this.#failures += 1
    this.#epoch += 1
    this.#state = { type: 'closed', error, timer: this.#runtime.clock.setTimer(() => this.#due(error), pauseMs) }
    for (const { request: onOutage } of this.#waiting) onOutage(error)
  }

  /** The read was given up without an answer. */
  abandoned(pass: Pass): void {
    if (pass.probe && pass.epoch === this.#epoch && this.#state.type === 'probing') this.#due(this.#state.error)
  }

  /** Opens the gate and leaves no timer behind. */
  close(): void {
    if (this.#state.type === 'closed') this.#state.timer.cancel()
    this.#state = { type: 'open' }
  }

  #due(error: ProconsulError): void {
    this.#state = { type: 'due', error }
    this.#waiting.first()?.give(0)
  }
}

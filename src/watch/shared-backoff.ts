import { abortError, throwIfAborted } from '../core/abort.js'
import { backoffMs, type BackoffOptions } from '../core/backoff.js'
import type { Timer } from '../core/clock.js'
import type { Runtime } from '../core/runtime.js'
import { sleep } from '../core/sleep.js'
import type { ProconsulError } from '../errors/proconsul-error.js'

/** Delays of the gate. The ceiling bounds how late a client notices the end of a long outage; the jitter below it spreads a fleet. */
const DELAYS: BackoffOptions = Object.freeze({ firstMs: 250, maxMs: 10_000 })

/** After an outage each waiting query adds so much to the time over which they all start, up to the second figure. */
const SPREAD_PER_QUERY_MS = 10
const LONGEST_SPREAD_MS = 2_000

/** Leave to read once. Each must be answered by `succeeded`, `failed` or `abandoned`. */
export interface Pass {
  /** Counts the failures; a read position from an earlier epoch must not be trusted, for the agent may have lost its state. */
  readonly epoch: number
  /** Whether this read is the one that finds out if the agent is back. */
  readonly probe: boolean
}

type State =
  | { readonly type: 'open' }
  /** Nobody may try before the timer fires. */
  | { readonly type: 'closed'; readonly timer: Timer }
  /** The next who asks is the one to try. */
  | { readonly type: 'due' }
  | { readonly type: 'probing' }

/**
 * One back-off for all queries that fail together. After a failure of the agent they stop at this gate; one of them tries after a
 * jittered, growing delay, and when it gets an answer the others go on, spread over a moment.
 */
export class SharedBackoff {
  readonly #runtime: Runtime
  readonly #waiting = new Set<(afterMs: number) => void>()
  #state: State = { type: 'open' }
  #attempt = 0
  #epoch = 0

  constructor(runtime: Runtime) {
    this.#runtime = runtime
  }

  /** How many tries in a row have failed. */
  get attempt(): number {
    return this.#attempt
  }

  get epoch(): number {
    return this.#epoch
  }

  /** Resolves at once while all is well; else when it is the caller's turn to try, or another's try was answered. */
  async pass(signal: AbortSignal): Promise<Pass> {
    throwIfAborted(signal)
    while (this.#state.type !== 'open') {
      if (this.#state.type === 'due') {
        this.#state = { type: 'probing' }
        return { epoch: this.#epoch, probe: true }
      }
      const afterMs = await this.#word(signal)
      if (afterMs > 0) await sleep(afterMs, { clock: this.#runtime.clock, signal })
    }
    return { epoch: this.#epoch, probe: false }
  }

  /** The agent answered. */
  succeeded(): void {
    if (this.#state.type === 'open') return
    this.close()
    this.#attempt = 0
    const spreadMs = Math.min(LONGEST_SPREAD_MS, SPREAD_PER_QUERY_MS * this.#waiting.size)
    for (const tell of [...this.#waiting]) tell(spreadMs * this.#runtime.random())
  }

  /** The agent failed. The failures of all reads that were under way at once count as one. */
  failed(pass: Pass, error: ProconsulError): void {
    if (pass.epoch !== this.#epoch) return
    this.close()
    const delayMs = Math.max(backoffMs(this.#attempt, DELAYS, this.#runtime.random), error.retryAfterMs ?? 0)
    this.#attempt += 1
    this.#epoch += 1
    this.#state = { type: 'closed', timer: this.#runtime.clock.setTimer(() => this.#due(), delayMs) }
  }

  /** The read was given up without an answer. */
  abandoned(pass: Pass): void {
    if (pass.probe && this.#state.type === 'probing') this.#due()
  }

  /** Opens the gate and leaves no timer behind. */
  close(): void {
    if (this.#state.type === 'closed') this.#state.timer.cancel()
    this.#state = { type: 'open' }
  }

  #due(): void {
    this.#state = { type: 'due' }
    const [first] = this.#waiting
    first?.(0)
  }

  /** Waits to be told to look again, and after how many milliseconds. */
  async #word(signal: AbortSignal): Promise<number> {
    return await new Promise<number>((resolve, reject) => {
      const tell = (afterMs: number): void => {
        this.#waiting.delete(tell)
        signal.removeEventListener('abort', leave)
        resolve(afterMs)
      }
      const leave = (): void => {
        this.#waiting.delete(tell)
        reject(abortError(signal))
      }
      this.#waiting.add(tell)
      signal.addEventListener('abort', leave, { once: true })
    })
  }
}

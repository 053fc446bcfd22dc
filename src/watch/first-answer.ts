import { AbortLink, abortError, throwIfAborted } from '../core/abort.js'
import type { Clock } from '../core/clock.js'
import type { ProconsulError } from '../errors/proconsul-error.js'

/** How long to wait. */
export interface FirstAnswerBounds {
  readonly signal: AbortSignal | undefined
  /** For ever when undefined. */
  readonly timeoutMs: number | undefined
  readonly onTimeout: (timeoutMs: number) => ProconsulError
}

interface Waiter<T> {
  readonly resolve: (value: T) => void
  readonly reject: (error: ProconsulError) => void
}

/**
 * The wait for the first answer of a watch, for any number of callers. They have what they waited for at the moment it is given: who
 * hears of the same answer a moment later and closes the watch, or aborts the wait, takes it from nobody.
 */
export class FirstAnswer<T> {
  readonly #clock: Clock
  readonly #waiting = new Set<Waiter<T>>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Callers that wait. */
  get waiting(): number {
    return this.#waiting.size
  }

  /** Gives the answer to those who wait. */
  resolve(value: T): void {
    for (const waiter of this.#waiting) waiter.resolve(value)
    this.#waiting.clear()
  }

  /** Ends every wait with an error. */
  reject(error: ProconsulError): void {
    for (const waiter of this.#waiting) waiter.reject(error)
    this.#waiting.clear()
  }

  /** Settles with what comes first: the answer, an error, the signal, or the end of the time. Leaves no timer and no listener. */
  async wait({ signal, timeoutMs, onTimeout }: FirstAnswerBounds): Promise<T> {
    throwIfAborted(signal)
    const link = new AbortLink(signal)
    const timer =
      timeoutMs === undefined ? undefined : this.#clock.setTimer(() => link.abort(onTimeout(timeoutMs)), timeoutMs)
    try {
      return await this.#next(link.signal)
    } finally {
      timer?.cancel()
      link.unlink()
    }
  }

  #next(signal: AbortSignal): Promise<T> {
    return new Promise((resolve, reject) => {
      const waiter: Waiter<T> = { resolve, reject }
      this.#waiting.add(waiter)
      const giveUp = (): void => {
        this.#waiting.delete(waiter)
        reject(abortError(signal))
      }
      signal.addEventListener('abort', giveUp, { once: true })
    })
  }
}

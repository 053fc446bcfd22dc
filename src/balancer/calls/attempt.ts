import { AbortLink, abortError, orAborted } from '../../core/abort.js'
import type { Timer } from '../../core/clock.js'
import type { Runtime } from '../../core/runtime.js'
import type { ProconsulError } from '../../errors/proconsul-error.js'
import type { ServiceInstance } from '../../instances/service-instance.js'
import type { Pick } from '../members/pick.js'
import type { Call } from './call-options.js'
import { discard, isBadAnswer } from './answer.js'

/** How a try ended. */
export type Ended<T> =
  | { readonly type: 'answered'; readonly value: T }
  /** It answered, and says itself that it cannot serve at present. */
  | { readonly type: 'bad-answer'; readonly value: T }
  /** It rejected, or took too long. */
  | { readonly type: 'failed'; readonly error: unknown; readonly isInstancesFault: boolean }
  /** Its caller gave it up, the time for the whole call is over, or another try was faster. */
  | { readonly type: 'stopped'; readonly error: ProconsulError }

/** What a try works with. */
export interface AttemptParts<T> {
  readonly runtime: Runtime
  readonly call: Call<T>
  /** 1 for the first. */
  readonly number: number
  readonly pick: Pick
  /** Ends every try. */
  readonly signal: AbortSignal
  /** Whether the signal was aborted because time was up, which is the instance's fault. */
  readonly isTimeUp: () => boolean
  readonly timeoutMs: number | undefined
  readonly onTimeout: (instance: ServiceInstance) => ProconsulError
  readonly isInstancesFault: (error: unknown) => boolean
}

/** One try of a call on one instance. Tells the pool how it went, whatever happens. */
export class Attempt<T> {
  readonly instance: ServiceInstance
  readonly ended: Promise<Ended<T>>
  readonly #parts: AttemptParts<T>
  readonly #link: AbortLink
  #timeout: ProconsulError | undefined

  constructor(parts: AttemptParts<T>) {
    this.#parts = parts
    this.instance = parts.pick.instance
    this.#link = new AbortLink(parts.signal)
    this.ended = this.#run()
  }

  /** Another was faster, or nobody waits any more. */
  stop(reason: ProconsulError): void {
    this.#link.abort(reason)
  }

  async #run(): Promise<Ended<T>> {
    const { pick, call, number } = this.#parts
    const { signal } = this.#link
    const timer = this.#startTimer()
    let answering: Promise<T> | undefined
    try {
      const context = Object.freeze({ attempt: number, signal })
      answering = (async () => await call(pick.instance, context))()
      const value = await orAborted(signal, answering)
      const isBad = isBadAnswer(value)
      pick.done({ ok: !isBad })
      return { type: isBad ? 'bad-answer' : 'answered', value }
    } catch (error) {
      // What comes when nobody waits for it any more must not hold a connection.
      if (signal.aborted) answering?.then(discard, () => undefined)
      return this.#failed(error)
    } finally {
      timer?.cancel()
      this.#link.unlink()
    }
  }

  #failed(error: unknown): Ended<T> {
    const { pick, isTimeUp } = this.#parts
    const { signal } = this.#link
    if (this.#timeout !== undefined && signal.reason === this.#timeout) {
      pick.done({ ok: false, error: this.#timeout })
      return { type: 'failed', error: this.#timeout, isInstancesFault: true }
    }
    if (signal.aborted) {
      pick.done(isTimeUp() ? { ok: false, error: abortError(signal) } : { cancelled: true })
      return { type: 'stopped', error: abortError(signal) }
    }
    const isInstancesFault = this.#parts.isInstancesFault(error)
    pick.done({ ok: !isInstancesFault, error })
    return { type: 'failed', error, isInstancesFault }
  }

  #startTimer(): Timer | undefined {
    const { timeoutMs, runtime, onTimeout } = this.#parts
    if (timeoutMs === undefined) return undefined
    return runtime.clock.setTimer(() => {
      this.#timeout = onTimeout(this.instance)
      this.#link.abort(this.#timeout)
    }, timeoutMs)
  }
}

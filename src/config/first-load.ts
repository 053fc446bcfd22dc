import { abortError } from '../core/abort.js'
import type { Clock } from '../core/clock.js'
import { formatDuration } from '../core/duration.js'
import { ProconsulError } from '../errors/proconsul-error.js'
import type { ResolvedConfigOptions } from './config-options.js'

/** How the first load went, settled once: done, or the failure for which to look into the cache or to give up. */
export class FirstLoad {
  readonly #clock: Clock
  readonly #options: Pick<ResolvedConfigOptions, 'layers' | 'timeoutMs' | 'signal'>
  readonly #settled: Promise<ProconsulError | undefined>
  #settle: (failure: ProconsulError | undefined) => void = () => undefined
  #hasCache = false
  #reason: ProconsulError | undefined

  constructor(clock: Clock, options: Pick<ResolvedConfigOptions, 'layers' | 'timeoutMs' | 'signal'>) {
    this.#clock = clock
    this.#options = options
    this.#settled = new Promise((resolve) => {
      this.#settle = resolve
    })
  }

  /** Call it at once, before anything can have happened. Resolves with nothing when a configuration is applied, or with what stands in the way. Rejects when the signal is aborted. */
  async outcome(hasCache: boolean): Promise<ProconsulError | undefined> {
    this.#hasCache = hasCache
    const { timeoutMs, signal } = this.#options
    const timer = this.#clock.setTimer(() => this.#settle(this.#timeout()), timeoutMs)
    const onAbort = (): void => this.#settle(abortError(signal))
    if (signal?.aborted === true) onAbort()
    signal?.addEventListener('abort', onAbort, { once: true })
    try {
      const failure = await this.#settled
      if (signal?.aborted === true) throw abortError(signal)
      return failure
    } finally {
      timer.cancel()
      signal?.removeEventListener('abort', onAbort)
    }
  }

  done(): void {
    this.#settle(undefined)
  }

  /** A read failed. What waiting will not mend ends the load; so does any failure when there is a cache to start from. */
  failed(error: ProconsulError): void {
    this.#reason = error
    if (!error.retryable || this.#hasCache) this.#settle(this.#explained(error))
  }

  /** Consul answered, and what it holds is not acceptable. */
  rejected(error: ProconsulError): void {
    this.#settle(error)
  }

  /** Consul answered, and layers that must be there are not. */
  missing(layers: readonly string[]): void {
    const message = `nothing is stored under ${layers.map((path) => JSON.stringify(path)).join(' and ')}, or the token may not read it`
    this.#reason = new ProconsulError('PROCONSUL_NOT_FOUND', message)
  }

  /** Ends the wait. */
  fail(error: ProconsulError): void {
    this.#settle(error)
  }

  #timeout(): ProconsulError {
    if (this.#reason !== undefined) return this.#explained(this.#reason)
    return new ProconsulError(
      'PROCONSUL_TIMEOUT',
      `${this.#what} within ${formatDuration(this.#options.timeoutMs)}: no answer`,
    )
  }

  #explained(reason: ProconsulError): ProconsulError {
    const message = `${this.#what} within ${formatDuration(this.#options.timeoutMs)}: ${reason.message}`
    return new ProconsulError(reason.code, message, {
      cause: reason,
      ...(reason.status !== undefined && { status: reason.status }),
    })
  }

  get #what(): string {
    const layers = this.#options.layers.map(({ path }) => JSON.stringify(path)).join(', ')
    return `the configuration of the layers ${layers} could not be loaded`
  }
}

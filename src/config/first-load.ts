import { AbortLink, abortError } from '../core/abort.js'
import { tell } from '../core/channels.js'
import type { Timer } from '../core/clock.js'
import { formatDuration } from '../core/duration.js'
import type { Runtime } from '../core/runtime.js'
import { ProconsulError } from '../errors/proconsul-error.js'
import { holdOver, type Hold } from '../live/live-source.js'
import { configObserverOver, type ConfigObserver, type ConfigSource } from './apply/config-source.js'
import type { Applier } from './assembly/applier.js'
import type { LayerDocuments } from './assembly/documents.js'
import { ConfigRejection } from './assembly/issue.js'
import type { CachedConfig } from './cache/config-cache.js'

/** What the first load works with. */
export interface FirstLoadParts<T> {
  readonly runtime: Runtime
  readonly applier: Applier<T>
  /** How long to wait for Consul. */
  readonly timeoutMs: number
  /** What to start from as soon as Consul does not do. */
  readonly cached: CachedConfig | undefined
  /** Empty layers, to start from the defaults when there is no answer in time, and nothing kept. */
  readonly nothing: readonly LayerDocuments[] | undefined
  /** Ends the load. */
  readonly signal: AbortSignal | undefined
}

type State =
  /** `reason` is why there is nothing yet. */
  | { readonly type: 'waiting'; readonly timer?: Timer; readonly reason?: ProconsulError }
  | { readonly type: 'falling-back'; readonly link: AbortLink }
  | { readonly type: 'over' }

/** Why there is nothing: Consul cannot be read, or what it holds does not do. */
type Kind = 'unreadable' | 'unusable'

/** The same configurations, with a bound for the first one, and with what to start from when Consul has none. */
export class FirstLoad<T> implements ConfigSource<T> {
  readonly label: string
  /** Resolves when there is a configuration. Rejects when there is none in time, or never can be. */
  readonly outcome: Promise<void>
  readonly #source: ConfigSource<T>
  readonly #parts: FirstLoadParts<T>
  #resolve: () => void = () => undefined
  #reject: (error: ProconsulError) => void = () => undefined
  #state: State = { type: 'waiting' }

  constructor(source: ConfigSource<T>, parts: FirstLoadParts<T>) {
    this.label = source.label
    this.#source = source
    this.#parts = parts
    this.outcome = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    // Whoever opened the configuration waits for it, but may have been told to stop.
    this.outcome.catch(() => undefined)
  }

  observe(observer: ConfigObserver<T>): Hold {
    const { runtime, timeoutMs } = this.#parts
    const timer = runtime.clock.setTimer(() => this.#timeIsUp(observer), timeoutMs)
    this.#state = { type: 'waiting', timer }
    const observing = configObserverOver(observer, {
      onValue: (fact) => {
        this.#end()
        observer.onValue(fact)
        this.#resolve()
      },
      onFailure: (error) => {
        observer.onFailure(error)
        this.#without(observer, error, 'unreadable', !error.retryable || this.#parts.cached !== undefined)
      },
      onDoubt: (error) => {
        observer.onDoubt(error)
        this.#without(observer, error, 'unusable', true)
      },
      onRejected: (rejected) => {
        observer.onRejected(rejected)
        // What is missing may come.
        this.#without(observer, rejected.error, 'unusable', rejected.error.code !== 'PROCONSUL_NOT_FOUND')
      },
      onMissing: (error) => this.#without(observer, error, 'unusable', false),
    })
    const hold = this.#source.observe(observing)
    return holdOver(hold, {
      close: () => {
        this.#end()
        const { signal } = this.#parts
        const isAborted = signal?.aborted === true
        this.#reject(isAborted ? abortError(signal) : new ProconsulError('PROCONSUL_CLOSED', `${this.label} is closed`))
        return hold.close()
      },
    })
  }

  /** Nothing comes after it: a value is there, or this is closed. */
  #end(): void {
    if (this.#state.type === 'waiting') this.#state.timer?.cancel()
    if (this.#state.type === 'falling-back') {
      this.#state.link.abort(new ProconsulError('PROCONSUL_CLOSED', 'a newer configuration is there'))
    }
    this.#state = { type: 'over' }
  }

  #without(observer: ConfigObserver<T>, reason: ProconsulError, kind: Kind, isFinal: boolean): void {
    if (this.#state.type !== 'waiting') return
    this.#state = { ...this.#state, reason }
    if (isFinal) this.#giveUp(observer, reason, kind)
  }

  #timeIsUp(observer: ConfigObserver<T>): void {
    if (this.#state.type !== 'waiting') return
    const { reason } = this.#state
    const kind = reason?.code === 'PROCONSUL_NOT_FOUND' ? 'unusable' : 'unreadable'
    this.#giveUp(observer, reason ?? new ProconsulError('PROCONSUL_TIMEOUT', 'no answer'), kind)
  }

  /** Consul does not do: what else is there? */
  #giveUp(observer: ConfigObserver<T>, reason: ProconsulError, kind: Kind): void {
    const { cached, nothing, runtime } = this.#parts
    this.#end()
    // A token that is refused is a mistake to be seen, and not an outage.
    const isRefused = reason.code === 'PROCONSUL_PERMISSION_DENIED' && kind === 'unreadable'
    if (cached !== undefined && !isRefused) {
      void this.#fallBack(observer, cached, reason, kind)
    } else if (nothing !== undefined && !isRefused && kind === 'unreadable') {
      const fields = { source: this.label, err: reason }
      tell(runtime.logger, 'started-from-defaults', fields, `${this.label}: the defaults are used until it can be read`)
      void this.#fallBack(observer, { layers: nothing, version: 0 }, reason, kind)
    } else {
      this.#reject(this.#explained(reason))
    }
  }

  async #fallBack(
    observer: ConfigObserver<T>,
    { layers, version, savedAt }: Omit<CachedConfig, 'savedAt'> & { readonly savedAt?: number },
    reason: ProconsulError,
    kind: Kind,
  ): Promise<void> {
    const { applier, runtime } = this.#parts
    const link = new AbortLink()
    this.#state = { type: 'falling-back', link }
    try {
      const config = await applier.apply(layers, version, link.signal)
      // Consul may have answered in the meantime: its answer is the better one.
      if (link.signal.aborted) return
      this.#state = { type: 'over' }
      if (savedAt === undefined) observer.onValue({ ...config, confirmedAt: runtime.clock.now() })
      else observer.onSaved({ ...config, confirmedAt: savedAt })
      if (kind === 'unreadable') observer.onFailure(reason)
      else observer.onDoubt(reason)
      this.#resolve()
    } catch (error) {
      if (!link.signal.aborted) this.#reject(this.#explained(reason, error))
    }
  }

  #explained(reason: ProconsulError, fallbackFailure?: unknown): ProconsulError {
    if (reason.code === 'PROCONSUL_CONFIG_INVALID' && fallbackFailure === undefined) return reason
    const within = formatDuration(this.#parts.timeoutMs)
    const other =
      fallbackFailure === undefined ? '' : `; and what to start from instead does not do: ${textOf(fallbackFailure)}`
    const message = `${this.label} could not be loaded within ${within}: ${reason.message}${other}`
    return new ProconsulError(reason.code, message, {
      cause: reason,
      ...(reason.status !== undefined && { status: reason.status }),
    })
  }
}

function textOf(failure: unknown): string {
  return failure instanceof ConfigRejection ? failure.error.message : 'it could not be put together'
}

import { AbortLink } from '../core/abort.js'
import type { Timer } from '../core/clock.js'
import { formatDuration } from '../core/duration.js'
import type { Runtime } from '../core/runtime.js'
import { ProconsulError, isProconsulError } from '../errors/proconsul-error.js'
import type { Closeable } from '../lifecycle/closeable.js'
import type { Applier, AppliedConfig } from './assembly/applier.js'
import type { CacheWriter } from './cache/cache-writer.js'
import type { CachedConfig } from './cache/config-cache.js'
import type { ResolvedConfigOptions } from './config-options.js'
import type { DocumentReader, LayerDocuments } from './assembly/documents.js'
import { FirstLoad } from './first-load.js'
import { ConfigRejection, configInvalid, type ConfigIssue } from './issue.js'
import { isWithin } from './layer-finder.js'
import { LossGuard } from './loss-guard.js'
import { newestIndex, type LayerState, type StateObserver, type StateSource } from './source/layer-state.js'

/** Why a value may be out of date. */
export interface ConfigStaleness {
  /** Wall time since which it may be. */
  readonly since: number
  readonly error: ProconsulError
}

/** A state that is not applied. */
export interface ConfigRejected {
  readonly issues: readonly ConfigIssue[]
  readonly error: ProconsulError
  /** The version that the state would have had. */
  readonly version: number
}

/** Hears of what the loop does. */
export interface ConfigObserver<T> {
  onApplied(config: AppliedConfig<T>, previous: AppliedConfig<T>): void
  onRejected(rejected: ConfigRejected): void
  onStale(stale: ConfigStaleness): void
  onRecovered(): void
  onError(error: ProconsulError): void
}

/** What the loop works with. */
export interface ConfigLoopParts<T> {
  readonly runtime: Runtime
  readonly options: ResolvedConfigOptions<T>
  readonly documents: DocumentReader
  readonly applier: Applier<T>
  readonly cache: CacheWriter | undefined
  readonly watch: (observer: StateObserver) => StateSource
}

/** At the latest after so many debounce times a change is applied, however restless the keys are. */
const MAX_DEBOUNCES = 10

/** The watch reads a restless query every 250 ms: within a burst of changes, anything shorter than this shows no quiet. */
const BURST_QUIET_MS = 300

/** Keeps one configuration current: state, guard, debounce, apply. The last good value stays whatever comes. */
export class ConfigLoop<T> implements Closeable {
  readonly #parts: ConfigLoopParts<T>
  readonly #guard: LossGuard
  readonly #link = new AbortLink()
  readonly #first: FirstLoad
  #observer: ConfigObserver<T> | undefined
  #source: StateSource | undefined
  #current: AppliedConfig<T> | undefined
  #known: LayerState | undefined
  #pending: LayerState | undefined
  #debounce: { readonly timer: Timer; readonly dueAt: number } | undefined
  #isApplying = false
  #isFromCache = false
  #stale: ConfigStaleness | undefined
  #rejected: ConfigRejected | undefined
  #closing: Promise<void> | undefined

  constructor(parts: ConfigLoopParts<T>) {
    this.#parts = parts
    const { clock } = parts.runtime
    this.#guard = new LossGuard(clock, parts.options.lossGuardMs, (state) => this.#schedule(state))
    this.#first = new FirstLoad(clock, parts.options)
  }

  /** What is applied; undefined before the first load. */
  get current(): AppliedConfig<T> | undefined {
    return this.#current
  }

  get stale(): ConfigStaleness | undefined {
    return this.#stale
  }

  get rejected(): ConfigRejected | undefined {
    return this.#rejected
  }

  observe(observer: ConfigObserver<T>): void {
    this.#observer = observer
  }

  /** Resolves with the first configuration: from Consul, or from the cache when Consul does not answer. Closes itself when it fails. */
  async start(cached: CachedConfig | undefined): Promise<AppliedConfig<T>> {
    try {
      this.#source = this.#parts.watch({
        onState: (state) => this.#onState(state),
        onFailure: (error) => this.#onFailure(error),
        onRecovery: (isSame) => this.#onRecovery(isSame),
      })
      const failure = await this.#first.outcome(cached !== undefined)
      if (failure !== undefined) await this.#startFromCache(cached, failure)
      if (this.#current !== undefined) return this.#current
      throw new ProconsulError('PROCONSUL_CLOSED', 'the configuration is closed')
    } catch (error) {
      await this.close()
      throw error
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#end()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #end(): Promise<void> {
    const closed = new ProconsulError('PROCONSUL_CLOSED', 'the configuration is closed')
    this.#link.abort(closed)
    this.#source?.close()
    this.#guard.close()
    this.#debounce?.timer.cancel()
    this.#first.fail(closed)
    await this.#parts.cache?.idle()
  }

  #onState(state: LayerState): void {
    const verdict = this.#guard.judge(state)
    if (verdict.type === 'trusted') {
      this.#schedule(state)
      return
    }
    const { lossGuardMs } = this.#parts.options
    const message =
      `${verdict.missing} keys are missing after an outage, or without proof that they were deleted; ` +
      `they are taken for lost, not deleted, for ${formatDuration(lossGuardMs)}`
    this.#becomeStale(new ProconsulError('PROCONSUL_UNAVAILABLE', message))
  }

  #onFailure(error: ProconsulError): void {
    this.#guard.interrupted()
    this.#first.failed(error)
    this.#becomeStale(error)
  }

  #onRecovery(isSame: boolean): void {
    if (!isSame || this.#guard.isHolding) return
    this.#guard.confirmed()
    if (!this.#isFromCache) this.#recover()
  }

  /** Applies a state, when the keys have been quiet for a while. The first one is not kept waiting. */
  #schedule(state: LayerState): void {
    const missing = this.#missingLayers(state)
    if (this.#known === undefined && missing.length > 0) {
      this.#first.missing(missing)
      return
    }
    this.#pending = state
    const { debounceMs } = this.#parts.options
    if (this.#known === undefined || debounceMs === 0) {
      void this.#run()
      return
    }
    const { clock } = this.#parts.runtime
    const dueAt = this.#debounce?.dueAt ?? clock.monotonic() + MAX_DEBOUNCES * debounceMs
    this.#debounce?.timer.cancel()
    const quietMs = this.#debounce === undefined ? debounceMs : Math.max(debounceMs, BURST_QUIET_MS)
    const delayMs = Math.max(0, Math.min(quietMs, dueAt - clock.monotonic()))
    const timer = clock.setTimer(() => {
      this.#debounce = undefined
      void this.#run()
    }, delayMs)
    this.#debounce = { timer, dueAt }
  }

  /** Applies what is pending, one at a time; of several that came meanwhile only the last. */
  async #run(): Promise<void> {
    if (this.#isApplying) return
    this.#isApplying = true
    for (let state = this.#pending; state !== undefined; state = this.#pending) {
      this.#pending = undefined
      await this.#apply(state)
    }
    this.#isApplying = false
  }

  async #apply(state: LayerState): Promise<void> {
    const { signal } = this.#link
    const version = versionOf(state, this.#known, this.#current?.version ?? 0)
    this.#known = state
    try {
      const layers = this.#parts.documents.read(state.entries)
      const next = await this.#parts.applier.apply(layers, version, this.#current, signal)
      if (!signal.aborted) this.#applied(next, layers)
    } catch (error) {
      if (!signal.aborted) this.#failedToApply(error, version)
    }
  }

  #applied(next: AppliedConfig<T>, layers: readonly LayerDocuments[]): void {
    const previous = this.#current
    this.#current = next
    this.#rejected = undefined
    this.#isFromCache = false
    this.#recover()
    if (previous === undefined) this.#first.done()
    else this.#observer?.onApplied(next, previous)
    this.#parts.cache?.save(layers, next.version, next.redaction, (error) => this.#observer?.onError(error))
  }

  #failedToApply(error: unknown, version: number): void {
    const issues = error instanceof ConfigRejection ? error.issues : [{ message: 'it could not be put together' }]
    const invalid = isProconsulError(error) ? error : configInvalid(issues)
    this.#rejected = { issues, error: invalid, version }
    this.#first.rejected(invalid)
    if (!this.#isFromCache) this.#recover()
    this.#observer?.onRejected(this.#rejected)
  }

  async #startFromCache(cached: CachedConfig | undefined, failure: ProconsulError): Promise<void> {
    if (cached === undefined || failure.code === 'PROCONSUL_PERMISSION_DENIED') throw failure
    try {
      const { applier } = this.#parts
      const config = await applier.apply(cached.layers, cached.version, undefined, this.#link.signal)
      // Consul may have answered in the meantime: its answer is the better one.
      this.#current ??= config
      if (this.#current !== config) return
    } catch (error) {
      if (!(error instanceof ConfigRejection)) throw error
      throw startFailed(failure, configInvalid(error.issues))
    }
    this.#isFromCache = true
    this.#stale = { since: cached.savedAt, error: failure }
  }

  #becomeStale(error: ProconsulError): void {
    if (this.#current === undefined) return
    const since = this.#stale?.since
    this.#stale = { since: since ?? this.#parts.runtime.clock.now(), error }
    if (since === undefined) this.#observer?.onStale(this.#stale)
  }

  #recover(): void {
    if (this.#stale === undefined) return
    this.#stale = undefined
    this.#observer?.onRecovered()
  }

  #missingLayers({ entries }: LayerState): readonly string[] {
    return this.#parts.options.layers
      .filter((layer) => !layer.optional && !entries.some(({ key }) => isWithin(layer, key)))
      .map(({ path }) => path)
  }
}

/** The index of the last change: of a key that is there, or of a read that showed that one is gone. */
function versionOf(state: LayerState, before: LayerState | undefined, version: number): number {
  const newest = newestIndex(state.entries)
  if (before === undefined) return newest
  const keys = new Set(state.entries.map(({ key }) => key))
  const isDeletion = before.entries.some(({ key }) => !keys.has(key))
  if (isDeletion) return Math.max(newest, state.index)
  // A version that a deletion gave stays until something newer comes, unless the store began anew.
  return state.index >= version ? Math.max(newest, version) : newest
}

function startFailed(failure: ProconsulError, cacheFailure: ProconsulError): ProconsulError {
  const message = `${failure.message}; and what the cache file holds does not do: ${cacheFailure.message}`
  return new ProconsulError(failure.code, message, { cause: failure })
}

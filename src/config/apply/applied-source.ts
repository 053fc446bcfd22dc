import { AbortLink } from '../../core/abort.js'
import { tell } from '../../core/channels.js'
import type { Runtime } from '../../core/runtime.js'
import { ProconsulError, isProconsulError } from '../../errors/proconsul-error.js'
import type { Hold, LiveSource } from '../../live/live-source.js'
import type { Applier } from '../assembly/applier.js'
import type { DocumentReader } from '../assembly/documents.js'
import { ConfigRejection } from '../assembly/issue.js'
import { isWithin } from '../layers/layer-finder.js'
import type { ConfigLayer } from '../layers/layer.js'
import type { LayerState } from '../source/layer-state.js'
import type { ConfigFact, ConfigObserver, ConfigRejected, ConfigSource } from './config-source.js'
import { Debounce } from './debounce.js'
import { versionOf } from './version.js'

/** What the source works with. */
export interface AppliedSourceParts<T> {
  readonly runtime: Runtime
  readonly layers: readonly ConfigLayer[]
  readonly debounceMs: number
  readonly documents: DocumentReader
  readonly applier: Applier<T>
  /** Says what is there instead of layers that must be there and hold nothing. Never rejects. */
  explainMissing(layers: readonly ConfigLayer[], signal: AbortSignal): Promise<string>
}

/** Makes configurations of the states of the layers: once they are quiet, one at a time, of several that came meanwhile only the last. */
export function appliedSource<T>(source: LiveSource<LayerState>, parts: AppliedSourceParts<T>): ConfigSource<T> {
  return { label: source.label, observe: (observer) => new AppliedHold(source, parts, observer) }
}

/** What became of the newest state. */
type Work =
  | { readonly type: 'nothing' }
  /** It waits for quiet, or is being applied. */
  | { readonly type: 'pending' }
  | { readonly type: 'applied' | 'rejected' }

/** For what nobody foresaw: it may quote a secret, so it is not shown. */
const UNEXPECTED = 'it could not be put together'

class AppliedHold<T> implements Hold {
  readonly #source: LiveSource<LayerState>
  readonly #parts: AppliedSourceParts<T>
  readonly #observer: ConfigObserver<T>
  readonly #link = new AbortLink()
  readonly #debounce: Debounce
  readonly #hold: Hold
  #work: Work = { type: 'nothing' }
  #newest: LayerState | undefined
  /** The state that was applied or rejected last. */
  #tried: LayerState | undefined
  #fact: ConfigFact<T> | undefined
  #isApplying = false
  /** Tells again why nothing newer is to be shown at present; undefined while the source can be read and believed. */
  #trouble: (() => void) | undefined

  constructor(source: LiveSource<LayerState>, parts: AppliedSourceParts<T>, observer: ConfigObserver<T>) {
    this.#source = source
    this.#parts = parts
    this.#observer = observer
    this.#debounce = new Debounce(parts.runtime.clock, parts.debounceMs, () => void this.#run())
    this.#hold = source.observe({
      onValue: (state) => this.#onState(state),
      onFailure: (error) => this.#inTrouble(() => observer.onFailure(error)),
      onDoubt: (error) => this.#inTrouble(() => observer.onDoubt(error)),
      // The layers are kept as they were applied, by another source.
      onSaved: () => undefined,
      onProblem: (error) => observer.onProblem(error),
    })
  }

  pause(): void {
    this.#trouble = () => undefined
    this.#hold.pause?.()
  }

  resume(): void {
    this.#hold.resume?.()
  }

  refresh(): void {
    this.#hold.refresh?.()
  }

  close(): void | Promise<void> {
    this.#link.abort(new ProconsulError('PROCONSUL_CLOSED', 'the configuration is closed'))
    this.#debounce.cancel()
    return this.#hold.close()
  }

  #inTrouble(say: () => void): void {
    this.#trouble = say
    say()
  }

  #onState(state: LayerState): void {
    this.#trouble = undefined
    const isNew = state.entries !== this.#newest?.entries
    this.#newest = state
    if (!isNew) {
      if (this.#work.type !== 'pending') this.#confirmed(state)
      return
    }
    this.#work = { type: 'pending' }
    // As long as there is none, somebody waits for it.
    if (this.#fact === undefined) void this.#run()
    else this.#debounce.stir()
  }

  /** The newest state is what it was. */
  #confirmed({ confirmedAt }: LayerState): void {
    if (this.#fact === undefined) return
    if (this.#work.type === 'applied') this.#fact = { ...this.#fact, confirmedAt }
    this.#observer.onValue(this.#fact)
  }

  async #run(): Promise<void> {
    if (this.#isApplying) return
    this.#isApplying = true
    for (let state = this.#pending; state !== undefined; state = this.#pending) await this.#apply(state)
    this.#isApplying = false
  }

  /** What is to be applied now. */
  get #pending(): LayerState | undefined {
    const isDue = this.#work.type === 'pending' && !this.#debounce.isWaiting && !this.#link.signal.aborted
    return isDue ? this.#newest : undefined
  }

  async #apply(state: LayerState): Promise<void> {
    const { documents, applier } = this.#parts
    const { signal } = this.#link
    const version = versionOf(state, this.#tried, this.#fact?.version ?? 0)
    this.#tried = state
    try {
      await this.#expectLayers(state)
      const config = await applier.apply(documents.read(state.entries), version, signal)
      if (!signal.aborted) this.#applied({ ...config, confirmedAt: state.confirmedAt })
    } catch (error) {
      if (!signal.aborted) this.#rejected(rejectionOf(error, version))
    }
  }

  /** A process could not start with a layer empty that must be there: so a running one does not take such a state either. */
  async #expectLayers({ entries }: LayerState): Promise<void> {
    const { layers } = this.#parts
    const missing = layers.filter((layer) => !layer.optional && !entries.some(({ key }) => isWithin(layer, key)))
    if (missing.length === 0) return
    const paths = missing.map(({ path }) => JSON.stringify(path)).join(' and ')
    const reason = `nothing is stored under ${paths}, or the token may not read it`
    this.#observer.onMissing(new ProconsulError('PROCONSUL_NOT_FOUND', reason))
    const message = reason + (await this.#parts.explainMissing(missing, this.#link.signal))
    const issues = missing.map(({ path }) => ({ message: 'holds nothing', layer: path }))
    throw new ConfigRejection(issues, new ProconsulError('PROCONSUL_NOT_FOUND', message))
  }

  #applied(fact: ConfigFact<T>): void {
    const before = this.#fact
    this.#fact = fact
    this.#settled('applied')
    if (before === undefined || before.value !== fact.value) {
      const { version } = fact
      const message = `${this.#source.label} is applied in version ${version}`
      tell(this.#parts.runtime.logger, 'applied', { source: this.#source.label, version }, message)
    }
    this.#show(before === undefined)
  }

  #rejected(rejected: ConfigRejected): void {
    const { error, version } = rejected
    this.#settled('rejected')
    const isMissing = error.code === 'PROCONSUL_NOT_FOUND'
    const what = isMissing ? 'waits for layers that must be there' : 'is not applied in the state that Consul holds'
    const fields = { source: this.#source.label, version, err: error }
    tell(
      this.#parts.runtime.logger,
      isMissing ? 'layers-missing' : 'rejected',
      fields,
      `${this.#source.label} ${what}: ${error.message}`,
    )
    this.#show(false)
    this.#observer.onRejected(rejected)
  }

  /** Notes what became of the state that was tried, unless there is a newer one. */
  #settled(type: 'applied' | 'rejected'): void {
    if (this.#newest?.entries === this.#tried?.entries) this.#work = { type }
  }

  /** What is applied while Consul cannot be read waits until it can, and is shown then; but the first is shown in any case. */
  #show(isFirst: boolean): void {
    const trouble = this.#trouble
    if (this.#fact === undefined || (trouble !== undefined && !isFirst)) return
    this.#observer.onValue(this.#fact)
    trouble?.()
  }
}

function rejectionOf(error: unknown, version: number): ConfigRejected {
  if (isProconsulError(error)) return { issues: [{ message: error.message }], error, version }
  const rejection = error instanceof ConfigRejection ? error : new ConfigRejection([{ message: UNEXPECTED }])
  return { issues: rejection.issues, error: rejection.error, version }
}

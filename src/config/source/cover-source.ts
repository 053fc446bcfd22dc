import type { ProconsulError } from '../../errors/proconsul-error.js'
import { queryKey } from '../../watch/query-key.js'
import { scopeOf } from '../../watch/read-scope.js'
import type { WatchSubscription } from '../../watch/watch-query.js'
import { CoverReader, FAILURES_OF_THE_WHOLE, type Covered } from './cover-reader.js'
import type { LayerScope, SourceParts } from './layer-reader.js'
import type { LayerState, StateObserver, StateSource } from './layer-state.js'

/**
 * Waits for the layers of one folder with one recursive blocking query. Its answer is one look at the store, so no state is a mix, and
 * the answer that brings the change is the change.
 */
export class CoverSource implements StateSource {
  readonly #parts: SourceParts
  readonly #scope: LayerScope
  readonly #coverage: Covered
  readonly #observer: StateObserver
  readonly #onUnfit: ((told: LayerState | undefined) => void) | undefined
  #subscription: WatchSubscription<LayerState> | undefined
  #told: LayerState | undefined

  /** `onUnfit` hears, with the state told last, that the layers are better read apart; without it that is put up with. */
  constructor(
    parts: SourceParts,
    scope: LayerScope,
    coverage: Covered,
    observer: StateObserver,
    onUnfit?: (told: LayerState | undefined) => void,
  ) {
    this.#parts = parts
    this.#scope = scope
    this.#coverage = coverage
    this.#observer = observer
    this.#onUnfit = onUnfit
  }

  start(): this {
    const { layers, format, access } = this.#scope
    const paths = layers.map(({ path }) => path)
    // Whoever reads the same shares it.
    const reader = new CoverReader(this.#parts, this.#scope, this.#coverage)
    const query = {
      key: queryKey(this.#coverage.cover, format, paths, access),
      scope: scopeOf(access),
      read: reader.read.bind(reader),
    }
    this.#subscription = this.#parts.states.subscribe(query, {
      onValue: ({ value }) => this.#onValue(value),
      onFailure: (error) => this.#onFailure(error),
      onRecovery: ({ value }) => this.#observer.onRecovery(value.entries === this.#told?.entries),
    })
    return this
  }

  close(): void {
    this.#subscription?.close()
  }

  #onValue(state: LayerState): void {
    const isNew = state.entries !== this.#told?.entries
    this.#told = state
    if (isNew) this.#observer.onState(state)
    if (state.isCrowded) this.#unfit()
  }

  #onFailure(error: ProconsulError): void {
    if (this.#onUnfit !== undefined && FAILURES_OF_THE_WHOLE.includes(error.code)) this.#unfit()
    else this.#observer.onFailure(error)
  }

  #unfit(): void {
    if (this.#onUnfit === undefined) return
    // Closed only, the query would go on for its grace time, and ask for the whole crowded folder.
    this.#subscription?.pause()
    this.#onUnfit(this.#told)
  }
}

import { queryKey } from '../../watch/query-key.js'
import type { WatchSubscription } from '../../watch/watch-query.js'
import type { LayerScope, SourceParts } from './layer-reader.js'
import { ownEntries, type LayerState, type StateObserver, type StateSource } from './layer-state.js'

/**
 * Reads the layers with one recursive blocking query. Its answer is one look at the store, so no state is a mix, and the answer that
 * brings the change is the change.
 */
export class CoverSource implements StateSource {
  readonly #parts: SourceParts
  readonly #scope: LayerScope
  readonly #cover: string
  readonly #observer: StateObserver
  #subscription: WatchSubscription<LayerState> | undefined
  #told: LayerState | undefined

  constructor(parts: SourceParts, scope: LayerScope, cover: string, observer: StateObserver) {
    this.#parts = parts
    this.#scope = scope
    this.#cover = cover
    this.#observer = observer
  }

  start(): this {
    const { kv, states } = this.#parts
    const { layers, access } = this.#scope
    let lastIndex = 0
    this.#subscription = states.subscribe(
      {
        key: queryKey(
          this.#cover,
          layers.map(({ path }) => path),
          access,
        ),
        scope: access.datacenter ?? '',
        read: async ({ index, waitMs, fresh, signal }) => {
          const { value, meta } = await kv.list(this.#cover, {
            ...access,
            signal,
            encoding: 'base64',
            consistent: fresh,
            ...(index !== undefined && { index, wait: waitMs }),
          })
          const readIndex = meta.index ?? 0
          const advanced = readIndex > lastIndex && meta.filteredByAcls !== true
          lastIndex = readIndex
          return { value: { ...ownEntries(layers, value), index: readIndex, advanced }, meta }
        },
      },
      {
        onValue: ({ value }) => {
          this.#told = value
          this.#observer.onState(value)
        },
        onFailure: (error) => this.#observer.onFailure(error),
        onRecovery: ({ value }) => this.#observer.onRecovery(value === this.#told),
      },
    )
    return this
  }

  close(): void {
    this.#subscription?.close()
  }
}

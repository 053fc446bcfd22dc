import type { KvEntry } from '../../api/kv-entry.js'
import { TokenBucket } from '../../core/token-bucket.js'
import { askedOptions } from '../../watch/asked-options.js'
import { queryKey } from '../../watch/query-key.js'
import type { WatchRead, WatchReading, WatchSubscription } from '../../watch/watch-query.js'
import type { LayerScope, SourceParts } from './layer-reader.js'
import { ownEntries, type LayerState, type StateObserver, type StateSource } from './layer-state.js'

/** What others keep in the folder may take as much as the layers, and this much in any case: less than a second trip costs. */
const FOREIGN_SIZE_ALLOWED = 64 * 1024

/** What a key takes in an answer beside its name and its value. */
const ENTRY_SIZE = 120

/** So many changes by others are put up with at once, and one more each minute: each is a read for nothing. */
const DISTURBANCES = Object.freeze({ burst: 10, refillMs: 60_000 })

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
    const { layers, access } = this.#scope
    const paths = layers.map(({ path }) => path)
    const query = {
      key: queryKey(this.#cover, paths, access),
      scope: access.datacenter ?? '',
      read: this.#reader(),
    }
    this.#subscription = this.#parts.states.subscribe(query, {
      onValue: ({ value }) => {
        this.#told = value
        this.#observer.onState(value)
      },
      onFailure: (error) => this.#observer.onFailure(error),
      onRecovery: ({ value }) => this.#observer.onRecovery(value === this.#told),
    })
    return this
  }

  close(): void {
    this.#subscription?.close()
  }

  /** How the cover is read; it remembers what it read last, whoever listens. */
  #reader(): (request: WatchRead) => Promise<WatchReading<LayerState>> {
    const { runtime, kv } = this.#parts
    const { layers, access } = this.#scope
    const disturbances = new TokenBucket(runtime.clock, DISTURBANCES)
    let lastIndex = 0
    let last: readonly KvEntry[] = []
    let isRestless = false
    return async (request) => {
      const options = { ...access, ...askedOptions(request), encoding: 'base64' } as const
      const { value, meta } = await kv.list(this.#cover, options)
      const entries = ownEntries(layers, value)
      const index = meta.index ?? 0
      const advanced = index > lastIndex && meta.filteredByAcls !== true
      if (request.index !== undefined && advanced && isSame(last, entries)) isRestless ||= disturbances.take() > 0
      lastIndex = index
      last = entries
      const ownSize = sizeOf(entries)
      const isCrowded = isRestless || sizeOf(value) - ownSize > Math.max(ownSize, FOREIGN_SIZE_ALLOWED)
      return { value: { entries, index, advanced, isCrowded }, meta }
    }
  }
}

function sizeOf(entries: readonly KvEntry[]): number {
  return entries.reduce((size, { key, value }) => size + key.length + value.length + ENTRY_SIZE, 0)
}

function isSame(before: readonly KvEntry[], now: readonly KvEntry[]): boolean {
  return (
    before.length === now.length &&
    now.every(({ key, modifyIndex }, index) => before[index]?.key === key && before[index].modifyIndex === modifyIndex)
  )
}

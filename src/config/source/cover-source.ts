import type { KvEntry } from '../../api/kv-entry.js'
import { TokenBucket } from '../../core/token-bucket.js'
import type { ProconsulErrorCode } from '../../errors/proconsul-error.js'
import { askedOptions } from '../../watch/asked-options.js'
import { queryKey } from '../../watch/query-key.js'
import type { WatchRead, WatchReading, WatchSubscription } from '../../watch/watch-query.js'
import { provesDeletion } from './deletion-proof.js'
import type { LayerScope, SourceParts } from './layer-reader.js'
import { keepEntries, ownEntries, type LayerState, type StateObserver, type StateSource } from './layer-state.js'

/** What others keep in the folder may take as much as the layers, and this much in any case: less than a second trip costs. */
const FOREIGN_SIZE_ALLOWED = 64 * 1024

/** What a key takes in an answer beside its name and its value. */
const ENTRY_SIZE = 120

/** So many changes by others are put up with at once, and one more each minute: each is a read for nothing. */
const DISTURBANCES = Object.freeze({ burst: 10, refillMs: 60_000 })

/** What fails for the folder as a whole and may do for its parts: the token may list the layers only (acl.enable_key_list_policy). */
const FAILURES_OF_THE_WHOLE: readonly ProconsulErrorCode[] = [
  'PROCONSUL_RESPONSE_TOO_LARGE',
  'PROCONSUL_PERMISSION_DENIED',
]

/**
 * Reads the layers with one recursive blocking query. Its answer is one look at the store, so no state is a mix, and the answer that
 * brings the change is the change.
 */
export class CoverSource implements StateSource {
  readonly #parts: SourceParts
  readonly #scope: LayerScope
  readonly #cover: string
  readonly #observer: StateObserver
  readonly #onUnfit: ((told: LayerState | undefined) => void) | undefined
  #subscription: WatchSubscription<LayerState> | undefined
  #told: LayerState | undefined

  /** `onUnfit` hears, with the state told last, that the layers are better read apart; without it that is put up with. */
  constructor(
    parts: SourceParts,
    scope: LayerScope,
    cover: string,
    observer: StateObserver,
    onUnfit?: (told: LayerState | undefined) => void,
  ) {
    this.#parts = parts
    this.#scope = scope
    this.#cover = cover
    this.#observer = observer
    this.#onUnfit = onUnfit
  }

  start(): this {
    const { layers, access } = this.#scope
    const paths = layers.map(({ path }) => path)
    const query = {
      key: queryKey(this.#cover, paths, access),
      scope: access.datacenter ?? '',
      read: coverReader(this.#parts, this.#scope, this.#cover),
    }
    this.#subscription = this.#parts.states.subscribe(query, {
      onValue: ({ value }) => this.#onValue(value),
      onFailure: (error) => {
        if (this.#onUnfit !== undefined && FAILURES_OF_THE_WHOLE.includes(error.code)) this.#onUnfit(this.#told)
        else this.#observer.onFailure(error)
      },
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
    if (state.isCrowded) this.#onUnfit?.(state)
  }
}

/** How the cover is read. It is shared with whoever reads the same, so it holds no source. */
function coverReader(
  parts: SourceParts,
  scope: LayerScope,
  cover: string,
): (request: WatchRead) => Promise<WatchReading<LayerState>> {
  const { layers, access } = scope
  const disturbances = new TokenBucket(parts.runtime.clock, DISTURBANCES)
  let isRestless = false
  let last: Pick<LayerState, 'entries' | 'index'> = { entries: [], index: 0 }
  let before = last
  return async (request) => {
    // A watch that waits by an index has accepted the answer it came with. Others it dropped, and nobody saw them.
    if (request.index === last.index) before = last
    const options = { ...access, ...askedOptions(request), encoding: 'base64' } as const
    const { value, meta } = await parts.kv.list(cover, options)
    const own = ownEntries(layers, value)
    const entries = keepEntries(before.entries, own)
    const index = meta.index ?? 0
    const isWokenForNothing = request.index !== undefined && index > request.index && entries === before.entries
    if (isWokenForNothing) isRestless ||= disturbances.take() > 0
    last = { entries, index }
    const advanced = await provesDeletion(parts, scope, { before, entries }, request.signal)
    const isLarge =
      own.length < value.length && sizeOf(value) > sizeOf(own) + Math.max(sizeOf(own), FOREIGN_SIZE_ALLOWED)
    // Where something is left out, the token may not read all of the folder.
    const isCrowded = isRestless || isLarge || meta.filteredByAcls === true
    return { value: { entries, index, advanced, isCrowded }, meta }
  }
}

function sizeOf(entries: readonly KvEntry[]): number {
  return entries.reduce((size, { key, value }) => size + key.length + value.length + ENTRY_SIZE, 0)
}

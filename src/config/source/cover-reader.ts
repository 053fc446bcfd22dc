import type { KvEntry } from '../../api/kv-entry.js'
import type { Answer } from '../../api/wire.js'
import { TokenBucket } from '../../core/token-bucket.js'
import { isProconsulError, type ProconsulErrorCode } from '../../errors/proconsul-error.js'
import type { QueryMeta } from '../../http/query-meta.js'
import { askedOptions } from '../../watch/asked-options.js'
import type { WatchRead, WatchReading } from '../../watch/watch-query.js'
import { countForeign, type Coverage } from './coverage.js'
import { provesDeletion } from './deletion-proof.js'
import type { LayerScope, SourceParts } from './layer-reader.js'
import { keepEntries, newestIndex, ownEntries, type LayerState } from './layer-state.js'

/** Layers in one folder, or one layer. */
export interface Covered extends Coverage {
  readonly cover: string
}

/** Beside more keys of others than this, the layers are better read apart. */
const FOREIGN_KEYS_ALLOWED = 400

/** More names than this are not read to find out how many of them belong to others. */
const NAMES_MAX_BYTES = 256 * 1024

/** What others keep in the folder may take as much as the layers, and this much in any case: less than a second trip costs. */
const FOREIGN_SIZE_ALLOWED = 64 * 1024

/** What a key takes in an answer beside its name and its value. */
const ENTRY_SIZE = 120

/** So many changes by others are put up with at once, and one more each minute: each is a read for nothing. */
const DISTURBANCES = Object.freeze({ burst: 10, refillMs: 60_000 })

/** What fails for the folder as a whole and may do for its parts: the token may list the layers only (acl.enable_key_list_policy). */
export const FAILURES_OF_THE_WHOLE: readonly ProconsulErrorCode[] = [
  'PROCONSUL_RESPONSE_TOO_LARGE',
  'PROCONSUL_PERMISSION_DENIED',
]

type Names = Answer<readonly string[]>

type SeenState = Pick<LayerState, 'entries' | 'index'>

const NOTHING: SeenState = Object.freeze({ entries: [], index: 0 })

/** One look at the store. */
interface Look {
  readonly own: readonly KvEntry[]
  readonly meta: QueryMeta
  readonly isCrowded: boolean
}

/**
 * Reads the layers of one folder, and whether the folder is crowded. To begin with it reads the layers alone, and beside them the names
 * of what else is there; from then on it waits for the folder as a whole, so that the answer that brings a change is the change.
 */
export class CoverReader {
  readonly #parts: SourceParts
  readonly #scope: LayerScope
  readonly #coverage: Covered
  readonly #disturbances: TokenBucket
  #isRestless = false
  #last: SeenState = NOTHING
  #before: SeenState = NOTHING

  constructor(parts: SourceParts, scope: LayerScope, coverage: Covered) {
    this.#parts = parts
    this.#scope = scope
    this.#coverage = coverage
    this.#disturbances = new TokenBucket(parts.runtime.clock, DISTURBANCES)
  }

  async read(request: WatchRead): Promise<WatchReading<LayerState>> {
    // A watch that waits by an index has accepted the answer it came with. Others it dropped, and nobody saw them.
    if (request.index === this.#last.index) this.#before = this.#last
    const [before, last] = [this.#before, this.#last]
    // Later on the store may be an older one, restored from a snapshot: then only one request is one look for sure.
    const isFirst = last === NOTHING && !request.fresh && this.#coverage.prefixes.length > 1
    const { own, meta, isCrowded } = isFirst ? await this.#layers(request.signal) : await this.#folder(request)
    const entries = keepEntries(before.entries, own)
    const index = meta.index ?? 0
    if (request.index !== undefined && index > request.index && entries === before.entries) {
      this.#isRestless ||= this.#disturbances.take() > 0
    }
    this.#last = { entries, index }
    // Whether the last look was accepted shows only when a watch waits by its index: what is gone since either has to be proven.
    const proofs = [...new Set([before, last])].map((look) =>
      provesDeletion(this.#parts, this.#scope, { before: look, entries }, request.signal),
    )
    const advanced = (await Promise.all(proofs)).every(Boolean)
    return { value: { entries, index, advanced, isCrowded: isCrowded || this.#isRestless }, meta }
  }

  /** The layers alone, and beside them whether others crowd the folder. */
  async #layers(signal: AbortSignal): Promise<Look> {
    const names = await this.#names(signal, '/')
    const [look, isCrowded] = await Promise.all([this.#look(names, signal), this.#hasManyForeign(names, signal)])
    return { ...look, isCrowded }
  }

  async #look(names: Names | undefined, signal: AbortSignal): Promise<Omit<Look, 'isCrowded'>> {
    const { access } = this.#scope
    const listed = names?.meta.index === undefined ? undefined : await this.#sideBySide(names, names.meta.index, signal)
    if (listed !== undefined) return listed
    const own = ownEntries(
      this.#scope,
      await this.#parts.txn.trees(this.#coverage.prefixes, { ...access, signal, repeat: false }),
    )
    // A transaction tells no index. What is newer than the newest key ends a wait by that one's.
    return { own, meta: { index: Math.max(1, newestIndex(own)) } }
  }

  /**
   * The layers side by side, which the agent answers sooner than one request for all. They are one look at the store, that of the names,
   * unless one of them has changed since: then undefined.
   */
  async #sideBySide(names: Names, index: number, signal: AbortSignal): Promise<Omit<Look, 'isCrowded'> | undefined> {
    const { access } = this.#scope
    // A server that lags, or that leads no more, could answer with what was there before the names.
    const options = { ...access, signal, repeat: false, consistent: true, encoding: 'base64' } as const
    const answers = await Promise.all(
      this.#coverage.prefixes.map(async (prefix) => {
        const { value, meta } = await this.#parts.kv.list(prefix, options)
        const isSame = value.length === 0 ? isMissing(prefix, names.value) : (meta.index ?? Infinity) <= index
        return isSame ? value : undefined
      }),
    )
    const entries = answers.flatMap((value) => value ?? [])
    return answers.includes(undefined) ? undefined : { own: ownEntries(this.#scope, entries), meta: { index } }
  }

  async #folder(request: WatchRead): Promise<Look> {
    const { access } = this.#scope
    const options = { ...access, ...askedOptions(request), encoding: 'base64' } as const
    const { value, meta } = await this.#parts.kv.list(this.#coverage.cover, options)
    const own = ownEntries(this.#scope, value)
    const isLarge =
      own.length < value.length && sizeOf(value) > sizeOf(own) + Math.max(sizeOf(own), FOREIGN_SIZE_ALLOWED)
    // Where something is left out, the token may not read all of the folder.
    return { own, meta, isCrowded: isLarge || meta.filteredByAcls === true }
  }

  /** Asks for the names of all keys only where those of the first level leave it open. */
  async #hasManyForeign(folders: Names | undefined, signal: AbortSignal): Promise<boolean> {
    const { layers } = this.#scope
    if (folders === undefined || folders.meta.filteredByAcls === true) return true
    const foreign = countForeign(layers, folders.value)
    if (foreign === 0 || foreign > FOREIGN_KEYS_ALLOWED) return foreign > 0
    const keys = await this.#names(signal)
    return keys === undefined || countForeign(layers, keys.value) > FOREIGN_KEYS_ALLOWED
  }

  /** Names of the folder; undefined when there are too many, or when the token may not list it. */
  async #names(signal: AbortSignal, separator?: string): Promise<Names | undefined> {
    const options = { ...this.#scope.access, separator, signal, repeat: false }
    try {
      return await this.#parts.kv.keys(this.#coverage.cover, options, { maxBytes: NAMES_MAX_BYTES })
    } catch (error) {
      if (isProconsulError(error) && FAILURES_OF_THE_WHOLE.includes(error.code)) return undefined
      throw error
    }
  }
}

/** Whether nothing can have been under a prefix. Of what is further down only the folder is named. */
function isMissing(prefix: string, names: readonly string[]): boolean {
  return !names.some((name) => name.startsWith(prefix) || prefix.startsWith(name))
}

function sizeOf(entries: readonly KvEntry[]): number {
  return entries.reduce((size, { key, value }) => size + key.length + value.length + ENTRY_SIZE, 0)
}

import type { KvEntry } from '../../api/kv-entry.js'
import type { Answer } from '../../api/wire.js'
import { TokenBucket } from '../../core/token-bucket.js'
import { isProconsulError, type ProconsulErrorCode } from '../../errors/proconsul-error.js'
import type { QueryMeta } from '../../http/query-meta.js'
import { askedOptions } from '../../watch/asked-options.js'
import type { WatchRead, WatchReading } from '../../watch/watch-query.js'
import { countForeign, type Coverage } from './coverage.js'
import { keepEntries, newestIndex, ownEntries } from './layer-state.js'
import type { LayerScope, Look, SourceParts } from './source-parts.js'

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

/** What one way of reading yields. */
interface Read extends Look {
  readonly meta: QueryMeta
}

/** Nothing was read yet, and nothing may be read. */
const NOTHING: readonly KvEntry[] = Object.freeze([])

/**
 * Reads the layers of one folder, and whether the folder is worth it. To begin with it reads the layers alone, and beside them the names
 * of what else is there; from then on it waits for the folder as a whole, so that the answer that brings a change is the change.
 */
export class CoverReader {
  readonly #parts: SourceParts
  readonly #scope: LayerScope
  readonly #coverage: Covered
  readonly #disturbances: TokenBucket
  #isRestless = false
  #last: { readonly entries: readonly KvEntry[]; readonly index: number } | undefined

  constructor(parts: SourceParts, scope: LayerScope, coverage: Covered) {
    this.#parts = parts
    this.#scope = scope
    this.#coverage = coverage
    this.#disturbances = new TokenBucket(parts.runtime.clock, DISTURBANCES)
  }

  async read(request: WatchRead): Promise<WatchReading<Look>> {
    const last = this.#last
    // Later on the store may be an older one, restored from a snapshot: then only one request is one look for sure.
    const isFirst = last === undefined && !request.fresh && this.#coverage.prefixes.length > 1
    const {
      entries: read,
      meta,
      isFiltered,
      fitness,
    } = isFirst ? await this.#layers(request.signal) : await this.#folder(request)
    const entries = keepEntries(last?.entries ?? NOTHING, read)
    const index = meta.index ?? 0
    if (request.index !== undefined && index > request.index && entries === last?.entries) {
      this.#isRestless ||= this.#disturbances.take() > 0
    }
    if (fitness !== 'denied') this.#last = { entries, index }
    const isCrowded = fitness === 'good' && this.#isRestless
    return { value: { entries, isFiltered, fitness: isCrowded ? 'crowded' : fitness }, meta }
  }

  /** The layers alone, and beside them whether others crowd the folder. */
  async #layers(signal: AbortSignal): Promise<Read> {
    const names = await this.#names(signal, '/')
    // With a token that may not list the folder, a transaction leaves out what it may not list, and does not say so.
    if (names === 'denied') return { entries: NOTHING, meta: { index: 1 }, isFiltered: false, fitness: 'denied' }
    const [look, isCrowded] = await Promise.all([this.#look(names, signal), this.#hasManyForeign(names, signal)])
    return { ...look, fitness: isCrowded ? 'crowded' : 'good' }
  }

  async #look(names: Names | undefined, signal: AbortSignal): Promise<Omit<Read, 'fitness'>> {
    const { access } = this.#scope
    const listed = names?.meta.index === undefined ? undefined : await this.#sideBySide(names, names.meta.index, signal)
    if (listed !== undefined) return listed
    const entries = ownEntries(
      this.#scope,
      await this.#parts.txn.trees(this.#coverage.prefixes, { ...access, signal, repeat: false }),
    )
    // A transaction tells no index. What is newer than the newest key ends a wait by that one's.
    return { entries, meta: { index: Math.max(1, newestIndex(entries)) }, isFiltered: false }
  }

  /**
   * The layers side by side, which the agent answers sooner than one request for all. They are one look at the store, that of the names,
   * unless one of them has changed since: then undefined.
   */
  async #sideBySide(names: Names, index: number, signal: AbortSignal): Promise<Omit<Read, 'fitness'> | undefined> {
    const { access } = this.#scope
    // A server that lags, or that leads no more, could answer with what was there before the names.
    const options = { ...access, signal, repeat: false, consistent: true, encoding: 'base64' } as const
    const answers = await Promise.all(this.#coverage.prefixes.map((prefix) => this.#parts.kv.list(prefix, options)))
    const isSame = answers.every(({ value, meta }, at) =>
      value.length === 0
        ? isMissing(this.#coverage.prefixes[at] ?? '', names.value)
        : (meta.index ?? Infinity) <= index,
    )
    if (!isSame) return undefined
    return {
      entries: ownEntries(
        this.#scope,
        answers.flatMap(({ value }) => value),
      ),
      meta: { index },
      isFiltered: answers.some(({ meta }) => meta.filteredByAcls === true),
    }
  }

  async #folder(request: WatchRead): Promise<Read> {
    const { cover, prefixes } = this.#coverage
    const options = { ...this.#scope.access, ...askedOptions(request), encoding: 'base64' } as const
    const { value, meta } = await this.#parts.kv.list(cover, options)
    const entries = ownEntries(this.#scope, value)
    const isLarge =
      entries.length < value.length && sizeOf(value) > sizeOf(entries) + Math.max(sizeOf(entries), FOREIGN_SIZE_ALLOWED)
    const isFiltered = meta.filteredByAcls === true
    // Where something is left out, the token may not read all of the folder.
    const fitness = isLarge || isFiltered ? 'crowded' : 'good'
    return { entries, meta, isFiltered: isFiltered && prefixes.length === 1, fitness }
  }

  /** Asks for the names of all keys only where those of the first level leave it open. */
  async #hasManyForeign(folders: Names | undefined, signal: AbortSignal): Promise<boolean> {
    const { layers } = this.#scope
    if (folders === undefined || folders.meta.filteredByAcls === true) return true
    const foreign = countForeign(layers, folders.value)
    if (foreign === 0 || foreign > FOREIGN_KEYS_ALLOWED) return foreign > 0
    const keys = await this.#names(signal)
    return keys === undefined || keys === 'denied' || countForeign(layers, keys.value) > FOREIGN_KEYS_ALLOWED
  }

  /** Names of the folder; undefined when there are too many. */
  async #names(signal: AbortSignal, separator?: string): Promise<Names | 'denied' | undefined> {
    const options = { ...this.#scope.access, separator, signal, repeat: false }
    try {
      return await this.#parts.kv.keys(this.#coverage.cover, options, { maxBytes: NAMES_MAX_BYTES })
    } catch (error) {
      if (isProconsulError(error, 'PROCONSUL_RESPONSE_TOO_LARGE')) return undefined
      if (isProconsulError(error, 'PROCONSUL_PERMISSION_DENIED')) return 'denied'
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

import type { KvEntry } from '../api/kv-entry.js'
import { checkKey, checkPrefix } from '../api/kv-key.js'
import type {
  KvApi,
  KvBytesOptions,
  KvDeleteOptions,
  KvDeleteTreeOptions,
  KvKeysOptions,
  KvReadOptions,
  KvSetOptions,
  KvTextOptions,
} from '../api/kv.js'
import { refuseUnknown, type RequestOptions } from '../api/options.js'
import type { Answer } from '../api/wire.js'
import { checkFunction, checkSignal, checkString } from '../core/option-check.js'
import type { TxnApi, TxnBytesOptions, TxnOperation, TxnOptions, TxnResult, TxnTextOptions } from '../api/txn.js'
import type { Runtime } from '../core/runtime.js'
import type { Closeable } from '../lifecycle/closeable.js'
import type { WatchEngine, WatchFamily } from '../watch/watch-engine.js'
import { queryKey } from '../watch/query-key.js'
import { askedOptions } from '../watch/asked-options.js'
import type { WatchQuery, WatchRead } from '../watch/watch-query.js'
import {
  exportEntries,
  importTree,
  type KvExportEntry,
  type KvImportOptions,
  type KvImportReport,
  type KvImportSource,
} from './kv-import.js'
import { updateKey, type KvChangeFunction, type KvUpdateOptions } from './kv-update.js'
import { KvWatcher } from './kv-watcher.js'

/** Options of a watch of the KV store. */
export interface KvWatchOptions extends Pick<RequestOptions, 'token' | 'datacenter' | 'namespace' | 'partition'> {
  /** Closes the watch. */
  readonly signal?: AbortSignal | undefined
}

const WATCH_OPTIONS: readonly (keyof KvWatchOptions)[] = ['signal', 'token', 'datacenter', 'namespace', 'partition']

/** A tree for a name that ends with `/`, a key for another, and either where only the program knows. */
export type KvWatcherOf<Name extends string> = Name extends `${string}/`
  ? KvWatcher<readonly KvEntry[]>
  : string extends Name
    ? KvWatcher<KvEntry | undefined> | KvWatcher<readonly KvEntry[]>
    : KvWatcher<KvEntry | undefined>

/** The KV store, as `consul.kv`. Keys and limits are checked before anything is sent. */
export class Kv implements Closeable {
  readonly #runtime: Runtime
  readonly #watchers = new Set<Closeable>()
  readonly #kv: KvApi
  readonly #txn: TxnApi
  readonly #keys: WatchFamily<KvEntry | undefined>
  readonly #trees: WatchFamily<readonly KvEntry[]>

  constructor(runtime: Runtime, kv: KvApi, txn: TxnApi, engine: WatchEngine) {
    this.#runtime = runtime
    this.#kv = kv
    this.#txn = txn
    this.#keys = engine.family({
      name: 'kv.key',
      reconcile: keepEntry,
      adopt: (entry) => keepEntry(undefined, entry),
      isEmpty: (entry) => entry === undefined,
    })
    this.#trees = engine.family({
      name: 'kv.tree',
      reconcile: keepTree,
      adopt: (entries) => keepTree([], entries),
      isEmpty: (entries) => entries.length === 0,
    })
  }

  /** One entry; undefined when there is no such key. One that the token may not read is `PROCONSUL_PERMISSION_DENIED`. */
  async get(key: string, options?: KvTextOptions): Promise<KvEntry | undefined>
  async get(key: string, options: KvBytesOptions): Promise<KvEntry<Buffer> | undefined>
  async get(key: string, options: KvReadOptions = {}): Promise<KvEntry<string | Buffer> | undefined> {
    return (await this.#kv.get(key, options)).value
  }

  /**
   * Writes a value. True when it is written, false when `cas`, `acquire` or `release` did not hold.
   * @throws ProconsulError `PROCONSUL_INVALID_OPTION` for a key that not every Consul takes, or a value over 512 KiB
   */
  async set(key: string, value: string | Uint8Array, options: KvSetOptions = {}): Promise<boolean> {
    return await this.#kv.set(key, value, options)
  }

  /** Deletes one key. True when there is none any more, false when `cas` did not hold. */
  async delete(key: string, options: KvDeleteOptions = {}): Promise<boolean> {
    return await this.#kv.delete(key, options)
  }

  /** Deletes every key that begins with `prefix`. Plain text: end it with `/` to mean a folder. */
  async deleteTree(prefix: string, options: KvDeleteTreeOptions = {}): Promise<void> {
    await this.#kv.deleteTree(prefix, options)
  }

  /** Every entry whose key begins with `prefix`, in the order of the keys. Plain text: end it with `/` to mean a folder. */
  async list(prefix: string, options?: KvTextOptions): Promise<readonly KvEntry[]>
  async list(prefix: string, options: KvBytesOptions): Promise<readonly KvEntry<Buffer>[]>
  async list(prefix: string, options: KvReadOptions = {}): Promise<readonly KvEntry<string | Buffer>[]> {
    return (await this.#kv.list(prefix, options)).value
  }

  /** The names of the keys that begin with `prefix`; with `separator: '/'` only one level of them. */
  async keys(prefix: string, options: KvKeysOptions = {}): Promise<readonly string[]> {
    return (await this.#kv.keys(prefix, options)).value
  }

  /**
   * Changes a value by a function of the present one, again and again until nobody else has written in between. Resolves with whether a
   * value was written; the function declines by returning undefined, and may be called several times.
   * @throws ProconsulError `PROCONSUL_CONFLICT` when others kept writing for `patience`; `PROCONSUL_HOOK_FAILED` when the function failed
   */
  async update(key: string, change: KvChangeFunction, options: KvUpdateOptions = {}): Promise<boolean> {
    checkFunction('change', change)
    return await updateKey(this.#runtime, this.#kv, key, change, options)
  }

  /** Carries out all steps or none. */
  async transaction(steps: readonly TxnOperation[], options?: TxnTextOptions): Promise<TxnResult>
  async transaction(steps: readonly TxnOperation[], options: TxnBytesOptions): Promise<TxnResult<Buffer>>
  async transaction(
    steps: readonly TxnOperation[],
    options: TxnOptions = {},
  ): Promise<TxnResult | TxnResult<Buffer> | TxnResult<string | Buffer>> {
    return await this.#txn.run(steps, options)
  }

  /** Follows a tree when the name ends with `/`, and a key otherwise. */
  watch<Name extends string>(name: Name, options?: KvWatchOptions): KvWatcherOf<Name>
  watch(name: string, options: KvWatchOptions = {}): KvWatcher<KvEntry | undefined> | KvWatcher<readonly KvEntry[]> {
    refuseUnknown('kv.watch', options, WATCH_OPTIONS)
    const { signal, ...access } = options
    if (checkString('name', name).endsWith('/')) {
      const prefix = checkPrefix('prefix', name)
      const read = (request: WatchRead): Promise<Answer<readonly KvEntry[]>> =>
        this.#kv.list(prefix, { ...access, ...askedOptions(request) })
      return this.#follow(this.#trees, { key: queryKey(name, access), scope: scopeOf(access), read }, signal)
    }
    const key = checkKey('key', name)
    const read = (request: WatchRead): Promise<Answer<KvEntry | undefined>> =>
      this.#kv.get(key, { ...access, ...askedOptions(request) })
    return this.#follow(this.#keys, { key: queryKey(name, access), scope: scopeOf(access), read }, signal)
  }

  /** Every key of a folder, in the form of `consul kv export`. */
  async export(folder: string, options: RequestOptions = {}): Promise<readonly KvExportEntry[]> {
    const { value } = await this.#kv.list(checkFolder(folder), { ...options, encoding: 'base64' })
    return exportEntries(value)
  }

  /**
   * Makes a folder hold what the source says, touching only keys that differ. One transaction if it fits into one (64 keys, 512 KiB);
   * else several, and the report says so.
   * @throws ProconsulError `PROCONSUL_CONFLICT` when another changes a key meanwhile; `PROCONSUL_INVALID_OPTION` for a key outside of the
   * folder
   */
  async import(folder: string, source: KvImportSource, options: KvImportOptions = {}): Promise<KvImportReport> {
    return await importTree(this.#kv, this.#txn, checkFolder(folder), source, options)
  }

  /** Closes every watch. */
  async close(): Promise<void> {
    await Promise.all([...this.#watchers].map((watcher) => watcher.close()))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #follow<Value>(
    family: WatchFamily<Value>,
    query: WatchQuery<Value>,
    signal: AbortSignal | undefined,
  ): KvWatcher<Value> {
    const watcher = new KvWatcher(family, query, {
      runtime: this.#runtime,
      signal: checkSignal('signal', signal),
      onClose: () => this.#watchers.delete(watcher),
    })
    this.#watchers.add(watcher)
    return watcher
  }
}

/** Reads of one datacenter fail together. */
function scopeOf({ datacenter }: KvWatchOptions): string {
  return datacenter ?? ''
}

function checkFolder(folder: string): string {
  const checked = checkKey('folder', folder)
  return checked.endsWith('/') ? checked : `${checked}/`
}

function keepEntry(previous: KvEntry | undefined, next: KvEntry | undefined): KvEntry | undefined {
  if (next === undefined) return undefined
  return previous !== undefined && isSameEntry(previous, next) ? previous : Object.freeze(next)
}

function keepTree(previous: readonly KvEntry[], next: readonly KvEntry[]): readonly KvEntry[] {
  const known = new Map(previous.map((entry) => [entry.key, entry]))
  const kept = next.map((entry) => keepEntry(known.get(entry.key), entry) ?? entry)
  const isSame = kept.length === previous.length && kept.every((entry, index) => entry === previous[index])
  return isSame ? previous : Object.freeze(kept)
}

/** An index that moved means a write, a lock or a release; only a store that lost its state repeats one with another value. */
function isSameEntry(a: KvEntry, b: KvEntry): boolean {
  return (
    a.modifyIndex === b.modifyIndex && a.createIndex === b.createIndex && a.value === b.value && a.session === b.session
  )
}

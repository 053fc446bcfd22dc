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
import { commonPart, knownOptions, REQUEST_OPTIONS, type RequestOptions } from '../api/options.js'
import type { Answer } from '../api/wire.js'
import { checkFunction, checkSignal } from '../core/option-check.js'
import type { TxnApi, TxnBytesOptions, TxnOperation, TxnOptions, TxnResult, TxnTextOptions } from '../api/txn.js'
import { reconcileList, type ItemShape } from '../core/keyed-list.js'
import type { Runtime } from '../core/runtime.js'
import { invalidOption } from '../errors/invalid-option.js'
import type { LiveSource } from '../live/live-source.js'
import type { Closeable } from '../lifecycle/closeable.js'
import type { WatchEngine, WatchFamily } from '../watch/watch-engine.js'
import { queryKey } from '../watch/query-key.js'
import { askedOptions } from '../watch/asked-options.js'
import { querySource, type Watched } from '../watch/query-source.js'
import { scopeOf } from '../watch/read-scope.js'
import type { WatchRead } from '../watch/watch-query.js'
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
   * value was written; the function declines by returning undefined, and may be called several times. An outage is waited for within
   * `patience`. No change is made twice: a failure that may have come after the write says that its outcome is not known.
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

  /**
   * Follows a key. One that does not exist is undefined, and is seen as soon as it comes.
   * @throws ProconsulError `PROCONSUL_INVALID_OPTION`, also for a folder: see {@link watchTree}; `PROCONSUL_CLOSED`
   */
  watch(key: string, options: KvWatchOptions = {}): KvWatcher<KvEntry | undefined> {
    const { signal, ...access } = watchOptions('kv.watch', options)
    const name = checkKey('key', key)
    if (name.endsWith('/')) throw invalidOption('key', key, 'one key; `kv.watchTree` follows a folder')
    const read = (request: WatchRead): Promise<Answer<KvEntry | undefined>> =>
      this.#kv.get(name, { ...access, ...askedOptions(request) })
    const query = { key: queryKey(name, access), scope: scopeOf(access), read }
    return this.#follow(undefined, querySource(`the key ${JSON.stringify(name)}`, this.#keys, query), signal)
  }

  /**
   * Follows every key that begins with `prefix`, in the order of the keys. Plain text: end it with `/` to mean a folder.
   * @throws ProconsulError `PROCONSUL_INVALID_OPTION`, `PROCONSUL_CLOSED`
   */
  watchTree(prefix: string, options: KvWatchOptions = {}): KvWatcher<readonly KvEntry[]> {
    const { signal, ...access } = watchOptions('kv.watchTree', options)
    const name = checkPrefix('prefix', prefix)
    const read = (request: WatchRead): Promise<Answer<readonly KvEntry[]>> =>
      this.#kv.list(name, { ...access, ...askedOptions(request) })
    const query = { key: queryKey(name, access), scope: scopeOf(access), read }
    return this.#follow(NO_ENTRIES, querySource(`the keys under ${JSON.stringify(name)}`, this.#trees, query), signal)
  }

  /** Every key of a folder, in the form of `consul kv export`. */
  async export(folder: string, options: RequestOptions = {}): Promise<readonly KvExportEntry[]> {
    const known = knownOptions('kv.export', options, REQUEST_OPTIONS)
    const { value } = await this.#kv.list(checkFolder(folder), { ...known, encoding: 'base64' })
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

  #follow<Value>(absent: Value, source: LiveSource<Watched<Value>>, signal: AbortSignal | undefined): KvWatcher<Value> {
    const watcher = new KvWatcher(absent, {
      runtime: this.#runtime,
      source,
      signal: checkSignal('signal', signal),
      onClose: () => this.#watchers.delete(watcher),
    })
    this.#watchers.add(watcher)
    return watcher
  }
}

const NO_ENTRIES: readonly KvEntry[] = Object.freeze([])

/** Checked at the call: in the loop a wrong value would fail for ever. */
function watchOptions(operation: string, options: KvWatchOptions): KvWatchOptions {
  const known = knownOptions(operation, options, WATCH_OPTIONS)
  commonPart(known)
  return known
}

function checkFolder(folder: string): string {
  const checked = checkKey('folder', folder)
  return checked.endsWith('/') ? checked : `${checked}/`
}

function keepEntry(previous: KvEntry | undefined, next: KvEntry | undefined): KvEntry | undefined {
  if (next === undefined) return undefined
  return previous !== undefined && isSameEntry(previous, next) ? previous : Object.freeze(next)
}

const ENTRY: ItemShape<KvEntry> = { key: ({ key }) => key, same: (a, b) => a.key === b.key && isSameEntry(a, b) }

function keepTree(previous: readonly KvEntry[], next: readonly KvEntry[]): readonly KvEntry[] {
  return reconcileList(previous, next, ENTRY, true)
}

/** An index that moved means a write, a lock or a release; only a store that lost its state repeats one with another value. */
function isSameEntry(a: KvEntry, b: KvEntry): boolean {
  return (
    a.modifyIndex === b.modifyIndex && a.createIndex === b.createIndex && a.value === b.value && a.session === b.session
  )
}

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
import type { RequestOptions } from '../api/options.js'
import type { TxnApi, TxnOperation, TxnOptions, TxnResult } from '../api/txn.js'
import type { Runtime } from '../core/runtime.js'
import type { Closeable } from '../lifecycle/closeable.js'
import type { WatchEngine, WatchFamily } from '../watch/watch-engine.js'
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
export type KvWatchOptions = Pick<RequestOptions, 'token' | 'datacenter' | 'namespace' | 'partition'>

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
    this.#keys = engine.family({ name: 'kv.key', reconcile: keepEntry, isEmpty: (entry) => entry === undefined })
    this.#trees = engine.family({ name: 'kv.tree', reconcile: keepTree, isEmpty: (entries) => entries.length === 0 })
  }

  /** One entry; undefined when there is no such key, or the token may not read it. */
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
   * @throws ProconsulError `PROCONSUL_CONFLICT` when others kept writing for `patience`
   */
  async update(key: string, change: KvChangeFunction, options: KvUpdateOptions = {}): Promise<boolean> {
    return await updateKey(this.#runtime, this.#kv, key, change, options)
  }

  /** Carries out all steps or none. */
  async transaction(steps: readonly TxnOperation[], options: TxnOptions = {}): Promise<TxnResult> {
    return await this.#txn.run(steps, options)
  }

  /** Follows a tree when the name ends with `/`, and a key otherwise. */
  watch(prefix: `${string}/`, options?: KvWatchOptions): KvWatcher<readonly KvEntry[]>
  watch(key: string, options?: KvWatchOptions): KvWatcher<KvEntry | undefined>
  watch(name: string, options: KvWatchOptions = {}): KvWatcher<KvEntry | undefined> | KvWatcher<readonly KvEntry[]> {
    if (name.endsWith('/')) {
      const prefix = checkPrefix('prefix', name)
      return this.#follow(this.#trees, name, options, (request) => this.#kv.list(prefix, asRead(options, request)))
    }
    const key = checkKey('key', name)
    return this.#follow(this.#keys, name, options, (request) => this.#kv.get(key, asRead(options, request)))
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
    name: string,
    options: KvWatchOptions,
    read: WatchQuery<Value>['read'],
  ): KvWatcher<Value> {
    const query = { key: JSON.stringify([name, options]), scope: options.datacenter ?? '', read }
    const watcher = new KvWatcher(family, query, this.#runtime.logger, () => this.#watchers.delete(watcher))
    this.#watchers.add(watcher)
    return watcher
  }
}

function asRead(options: KvWatchOptions, { index, waitMs, fresh, signal }: WatchRead): KvTextOptions {
  return { ...options, signal, consistent: fresh, ...(index !== undefined && { index, wait: waitMs }) }
}

function checkFolder(folder: string): string {
  const checked = checkKey('folder', folder)
  return checked.endsWith('/') ? checked : `${checked}/`
}

function keepEntry(previous: KvEntry | undefined, next: KvEntry | undefined): KvEntry | undefined {
  return previous !== undefined && next !== undefined && isSameEntry(previous, next) ? previous : next
}

function keepTree(previous: readonly KvEntry[], next: readonly KvEntry[]): readonly KvEntry[] {
  const known = new Map(previous.map((entry) => [entry.key, entry]))
  const kept = next.map((entry) => keepEntry(known.get(entry.key), entry) ?? entry)
  return kept.length === previous.length && kept.every((entry, index) => entry === previous[index]) ? previous : kept
}

/** An index that moved means a write, a lock or a release; only a store that lost its state repeats one with another value. */
function isSameEntry(a: KvEntry, b: KvEntry): boolean {
  return (
    a.modifyIndex === b.modifyIndex && a.createIndex === b.createIndex && a.value === b.value && a.session === b.session
  )
}

import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { KvApi } from '../api/kv.js'
import type { TxnApi } from '../api/txn.js'
import type { Runtime } from '../core/runtime.js'
import { SnapshotFile } from '../core/snapshot-file.js'
import { ProconsulError } from '../errors/proconsul-error.js'
import type { Tenancy } from '../http/request.js'
import type { Closeable } from '../lifecycle/closeable.js'
import type { WatchEngine } from '../watch/watch-engine.js'
import { Applier } from './assembly/applier.js'
import { CacheWriter } from './cache/cache-writer.js'
import { CONFIG_CACHE, ConfigCache, type CachedConfig } from './cache/config-cache.js'
import { ConfigLoop } from './config-loop.js'
import {
  resolveConfigOptions,
  type ConfigOptions,
  type ResolvedConfigOptions,
  type TypedConfigOptions,
} from './config-options.js'
import { DocumentReader } from './assembly/documents.js'
import { layerFormat } from './formats/layer-format.js'
import { Settings } from './settings.js'
import { LayerReader } from './source/layer-reader.js'
import type { TreeObject } from './tree/tree.js'

/** Opens configurations on one client. */
export class ConfigReader implements Closeable {
  readonly #runtime: Runtime
  readonly #layers: LayerReader
  readonly #tenancy: Tenancy
  readonly #open = new Set<Closeable>()
  #closing: Promise<void> | undefined

  /** @param tenancy where the client asks when a configuration does not say */
  constructor(runtime: Runtime, kv: KvApi, txn: TxnApi, engine: WatchEngine, tenancy: Tenancy) {
    this.#runtime = runtime
    this.#tenancy = tenancy
    this.#layers = new LayerReader(runtime, kv, txn, engine)
  }

  /**
   * Loads a configuration and keeps it current.
   * @throws ProconsulError `PROCONSUL_INVALID_OPTION`; `PROCONSUL_CONFIG_INVALID` when what Consul holds is not acceptable;
   * `PROCONSUL_NOT_FOUND` when a layer that is not optional holds nothing; `PROCONSUL_MISSING_PEER` when the format needs a package
   * that is not installed; and what kept Consul from answering within `timeout`.
   */
  async open<Schema extends StandardSchemaV1>(
    options: TypedConfigOptions<Schema>,
  ): Promise<Settings<StandardSchemaV1.InferOutput<Schema>>>
  async open<T = TreeObject>(options: ConfigOptions<T>): Promise<Settings<T>>
  async open<T>(options: ConfigOptions<T>): Promise<Settings<T>> {
    const runtime = this.#runtime
    const resolved = resolveConfigOptions(options)
    const format = await layerFormat(resolved)
    const cache = this.#cache(resolved, format.type)
    const loop = new ConfigLoop<T>({
      runtime,
      options: resolved,
      documents: new DocumentReader(resolved.layers, format),
      applier: new Applier<T>(resolved, format.type, runtime.clock),
      cache: cache && new CacheWriter(cache, runtime.clock),
      watch: (observer) =>
        this.#layers.watch({ layers: resolved.layers, format: format.type, access: resolved.access }, observer),
    })
    const cached = await this.#readCache(cache)
    if (this.#closing !== undefined) throw new ProconsulError('PROCONSUL_CLOSED', 'the client is closed')
    this.#open.add(loop)
    const first = await loop.start(cached).catch((error: unknown) => {
      this.#open.delete(loop)
      throw error
    })
    const settings = new Settings(loop, first, runtime.logger)
    this.#open.delete(loop)
    this.#open.add(settings)
    settings.once('closed', () => void settings.close().then(() => this.#open.delete(settings)))
    return settings
  }

  /** Closes every configuration. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= Promise.all([...this.#open].map((each) => each.close())).then(() => undefined)
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #cache<T>(options: ResolvedConfigOptions<T>, format: 'keys' | 'documents'): ConfigCache | undefined {
    if (options.cacheFile === undefined) return undefined
    const file = new SnapshotFile({ path: options.cacheFile, ...CONFIG_CACHE })
    const { datacenter, namespace, partition } = { ...this.#tenancy, ...options.access }
    const tenancy = { datacenter, namespace, partition }
    return new ConfigCache(file, { layers: options.layers, format, tenancy, key: options.cacheKey })
  }

  async #readCache(cache: ConfigCache | undefined): Promise<CachedConfig | undefined> {
    const read = await cache?.read()
    if (read?.type === 'unusable') this.#runtime.logger.warn({ err: read.error }, read.error.message)
    return read?.type === 'found' ? read.config : undefined
  }
}

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
import { CONFIG_CACHE, ConfigCache, type CachedConfig } from './cache/config-cache.js'
import { layerFormat } from './formats/layer-format.js'
import { MissingKeys } from './guard/missing-keys.js'
import {
  resolveConfigOptions,
  type ConfigOptions,
  type ResolvedConfigOptions,
  type TypedConfigOptions,
} from './options/config-options.js'
import { stackSettings } from './settings-stack.js'
import type { Settings } from './settings.js'
import { LayerReader } from './source/layer-reader.js'
import { explainMissingLayers } from './source/missing-layers.js'
import type { TreeObject } from './tree/tree.js'

/** Opens configurations on one client. */
export class ConfigReader implements Closeable {
  readonly #runtime: Runtime
  readonly #kv: KvApi
  readonly #layers: LayerReader
  readonly #tenancy: Tenancy
  readonly #open = new Set<Closeable>()
  #closing: Promise<void> | undefined

  /** @param tenancy where the client asks when a configuration does not say */
  constructor(runtime: Runtime, kv: KvApi, txn: TxnApi, engine: WatchEngine, tenancy: Tenancy) {
    this.#runtime = runtime
    this.#kv = kv
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
    const resolved = resolveConfigOptions(options)
    const format = await layerFormat(resolved)
    const applier = new Applier<T>(resolved, format.type, this.#runtime.clock)
    const cache = this.#cache(resolved, format.type)
    const cached = await this.#readCache(cache)
    if (this.#closing !== undefined) throw new ProconsulError('PROCONSUL_CLOSED', 'the client is closed')
    const scope = { layers: resolved.layers, access: resolved.access, format: format.type }
    const { settings, outcome } = stackSettings<T>(this.#layers.source(scope), {
      runtime: this.#runtime,
      options: resolved,
      format,
      applier,
      cache,
      cached,
      missingKeys: new MissingKeys(this.#kv, scope),
      explainMissing: (missing, signal) => explainMissingLayers(this.#kv, scope.access, missing, signal),
      // Whoever closes the client in the meantime waits for what is still being written.
      onClose: () => queueMicrotask(() => void settings.close().then(() => this.#open.delete(settings))),
    })
    this.#open.add(settings)
    try {
      await outcome
      return settings
    } catch (error) {
      await settings.close()
      throw error
    }
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

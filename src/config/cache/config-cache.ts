import { isRecord } from '../../core/option-check.js'
import type { SnapshotFile } from '../../core/snapshot-file.js'
import { ProconsulError } from '../../errors/proconsul-error.js'
import type { Tenancy } from '../../http/request.js'
import type { ConfigDocument, LayerDocuments } from '../assembly/documents.js'
import { withoutSecrets, type Redaction } from '../assembly/redaction.js'
import { keySegments } from '../formats/keys.js'
import type { LayerFormat } from '../formats/layer-format.js'
import type { ConfigLayer } from '../layers/layer.js'
import { toTree } from '../tree/tree.js'
import { seal, unseal } from './seal.js'

/** The last good layers in a file, for a start without Consul. Without a key it holds no secrets; with one all of it is encrypted. */

/** What a cache file must hold to be used. A change of its shape is a new version. */
export const CONFIG_CACHE = Object.freeze({ kind: 'config', version: 1 })

/** What is kept. */
export interface KeptConfig {
  readonly layers: readonly LayerDocuments[]
  readonly version: number
  readonly redaction: Redaction
}

/** What was kept. */
export interface CachedConfig {
  readonly layers: readonly LayerDocuments[]
  readonly version: number
  /** Wall time of the writing. */
  readonly savedAt: number
}

/** What reading the cache yields. */
export type CacheRead =
  | { readonly type: 'found'; readonly config: CachedConfig }
  | { readonly type: 'missing' }
  | { readonly type: 'unusable'; readonly error: ProconsulError }

/** What describes the configuration that a cache belongs to. */
export interface CacheIdentity {
  readonly layers: readonly ConfigLayer[]
  readonly format: LayerFormat['type']
  readonly tenancy: Tenancy
  readonly key: Buffer | undefined
}

/** Reads and writes the cache of one configuration. */
export class ConfigCache {
  readonly #file: SnapshotFile
  readonly #identity: CacheIdentity

  constructor(file: SnapshotFile, identity: CacheIdentity) {
    this.#file = file
    this.#identity = identity
  }

  /** What was kept last. Never rejects. */
  async read(): Promise<CacheRead> {
    const read = await this.#file.read()
    if (read.type !== 'found') return read
    const body = this.#open(read.value)
    if (typeof body === 'string') return unusable(body)
    const config = this.#parse(body, read.savedAt)
    return config === undefined ? unusable('holds another configuration') : { type: 'found', config }
  }

  /** Keeps the layers. @throws ProconsulError `PROCONSUL_CACHE_FAILED` */
  async write({ layers, version, redaction }: KeptConfig, savedAt: number): Promise<void> {
    const { key, format } = this.#identity
    const body = {
      of: this.#signature,
      version,
      layers: layers.map(({ documents }) =>
        documents.flatMap((document) => kept(document, key === undefined ? redaction : undefined, format)),
      ),
    }
    await this.#file.write(key === undefined ? body : { sealed: seal(JSON.stringify(body), key) }, savedAt)
  }

  /** Which configuration it is: the same layers in the same order and format, of the same place. */
  get #signature(): string {
    const { format, tenancy, layers } = this.#identity
    return JSON.stringify([format, tenancy, ...layers.map(({ path }) => path)])
  }

  #open(value: unknown): Readonly<Record<string, unknown>> | string {
    const { key } = this.#identity
    if (!isRecord(value)) return 'does not hold a configuration'
    const { sealed } = value
    if (sealed === undefined) return key === undefined ? value : 'is not encrypted, and a cacheKey is given'
    if (key === undefined) return 'is encrypted, and no cacheKey is given'
    const text = typeof sealed === 'string' ? unseal(sealed, key) : undefined
    const body: unknown = text === undefined ? undefined : JSON.parse(text)
    return isRecord(body) ? body : 'was encrypted with another cacheKey'
  }

  #parse({ of, version, layers }: Readonly<Record<string, unknown>>, savedAt: number): CachedConfig | undefined {
    if (of !== this.#signature || typeof version !== 'number' || !Array.isArray(layers)) return undefined
    return {
      version,
      savedAt,
      layers: this.#identity.layers.map((layer, index) => ({ layer, documents: documentsOf(layers[index]) })),
    }
  }
}

function kept(
  document: ConfigDocument,
  redaction: Redaction | undefined,
  format: LayerFormat['type'],
): ConfigDocument[] {
  if (redaction === undefined) return [document]
  const tree = withoutSecrets(document.tree, redaction, format === 'keys' ? keySegments(document.name) : [])
  return tree === undefined ? [] : [{ ...document, tree }]
}

function documentsOf(list: unknown): ConfigDocument[] {
  const documents: readonly unknown[] = Array.isArray(list) ? list : []
  return documents.flatMap((document) => {
    if (!isRecord(document)) return []
    const { key, name, modifyIndex, tree } = document
    if (typeof key !== 'string' || typeof name !== 'string' || typeof modifyIndex !== 'number') return []
    return [{ key, name, modifyIndex, tree: toTree(tree ?? null) }]
  })
}

function unusable(what: string): CacheRead {
  const error = new ProconsulError('PROCONSUL_CACHE_FAILED', `the cache file ${what}; it is ignored`)
  return { type: 'unusable', error }
}

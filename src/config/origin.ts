import type { AssembledLayer, Assembly } from './assembly/assembly.js'
import type { ConfigDocument, LayerFormat } from './assembly/documents.js'
import { keySegments } from './formats/keys.js'
import { formatPath, type Segments } from './tree/path.js'
import { partAt } from './tree/tree.js'

/** Where a value comes from. */
export interface ConfigOrigin {
  /** The layer, or `defaults`. */
  readonly layer: string
  /** The key of the KV store; absent for a default. */
  readonly key?: string
  /** Raft index of the key's last change; absent for a default. */
  readonly modifyIndex?: number
}

/** Tells where each value of one assembly comes from. */
export class Origins {
  readonly #assembly: Assembly
  readonly #format: LayerFormat['type']
  readonly #indexes = new Map<AssembledLayer, ReadonlyMap<string, ConfigDocument>>()

  constructor(assembly: Assembly, format: LayerFormat['type']) {
    this.#assembly = assembly
    this.#format = format
  }

  /**
   * The origin of the value at a path; of a list or an object, the key that changed last of those in its topmost layer. Undefined when
   * the value is of the schema's own making.
   */
  of(segments: Segments): ConfigOrigin | undefined {
    if (partAt(this.#assembly.tree, segments) === undefined) return undefined
    for (const layer of this.#assembly.layers.toReversed()) {
      if (partAt(layer.tree, segments) === undefined) continue
      const document = this.#documentOf(layer, segments)
      if (document !== undefined) {
        return { layer: layer.layer.path, key: document.key, modifyIndex: document.modifyIndex }
      }
    }
    return partAt(this.#assembly.defaults, segments) === undefined ? undefined : { layer: 'defaults' }
  }

  #documentOf(layer: AssembledLayer, segments: Segments): ConfigDocument | undefined {
    if (this.#format === 'documents') {
      return layer.documents.findLast(({ tree }) => partAt(tree, segments) !== undefined)
    }
    return this.#newestByPath(layer).get(formatPath(segments))
  }

  /** For every path of a layer of keys, the key at it or below it that changed last. */
  #newestByPath(layer: AssembledLayer): ReadonlyMap<string, ConfigDocument> {
    const known = this.#indexes.get(layer)
    if (known !== undefined) return known
    const index = new Map<string, ConfigDocument>()
    for (const document of layer.documents) {
      const path = keySegments(document.name)
      for (let length = 0; length <= path.length; length += 1) {
        const name = formatPath(path.slice(0, length))
        const other = index.get(name)
        if (other === undefined || other.modifyIndex < document.modifyIndex) index.set(name, document)
      }
    }
    this.#indexes.set(layer, index)
    return index
  }
}

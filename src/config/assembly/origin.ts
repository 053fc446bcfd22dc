import { keySegments } from '../formats/keys.js'
import type { LayerFormat } from '../formats/layer-format.js'
import { formatPath, type Segments } from '../tree/path.js'
import { partAt, type TreeObject } from '../tree/tree.js'
import type { AssembledLayer, ConfigDocument } from './documents.js'

/** Where a value comes from. */
export interface ConfigOrigin {
  /** The layer, or `defaults`. */
  readonly layer: string
  /** The key of the KV store; absent for a default. */
  readonly key?: string
  /** Raft index of the key's last change; absent for a default. */
  readonly modifyIndex?: number
}

/** What lies over what, and what came of it. */
export interface LayeredTrees {
  readonly layers: readonly AssembledLayer[]
  readonly defaults: TreeObject
  readonly tree: TreeObject
}

/** Tells where each value of one assembly comes from. */
export class Origins {
  readonly #assembly: LayeredTrees
  readonly #format: LayerFormat['type']
  readonly #indexes = new Map<AssembledLayer, ReadonlyMap<string, ConfigDocument>>()

  constructor(assembly: LayeredTrees, format: LayerFormat['type']) {
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
      const origin = this.within(layer, segments)
      if (origin !== undefined) return origin
    }
    return partAt(this.#assembly.defaults, segments) === undefined ? undefined : { layer: 'defaults' }
  }

  /** The same for one layer. */
  within(layer: AssembledLayer, segments: Segments): ConfigOrigin | undefined {
    if (partAt(layer.tree, segments) === undefined) return undefined
    const document = this.#documentOf(layer, segments)
    return document && { layer: layer.layer.path, key: document.key, modifyIndex: document.modifyIndex }
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

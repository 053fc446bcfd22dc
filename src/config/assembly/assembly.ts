import { sameList } from '../../core/equal.js'
import { KeyProblem, nestKeys } from '../formats/keys.js'
import type { LayerFormat } from '../formats/layer-format.js'
import { interpolate, type Interpolated } from '../tree/interpolate.js'
import { mergeTrees } from '../tree/merge.js'
import { formatPath } from '../tree/path.js'
import { settle } from '../tree/settle.js'
import { isTreeObject, TreeProblem, type Tree, type TreeObject } from '../tree/tree.js'
import { documentIssue, type AssembledLayer, type LayerDocuments } from './documents.js'
import { ConfigRejection, type ConfigIssue } from './issue.js'
import { Origins, type ConfigOrigin, type LayeredTrees } from './origin.js'

/** All layers as one tree, before validation. The tree is frozen, and parts that are equal to those of the one before are the same objects. */
export interface Assembly extends LayeredTrees {
  /** Which text took over a value from where. */
  readonly flows: Interpolated['flows']
}

const NOTHING: TreeObject = Object.freeze({})

/** Lays the layers over each other. Keeps what did not change from one time to the next. */
export class Assembler {
  readonly #format: LayerFormat['type']
  readonly #defaults: TreeObject
  readonly #interpolates: boolean
  #last: Assembly | undefined

  constructor(format: LayerFormat['type'], defaults: TreeObject, interpolates: boolean) {
    this.#format = format
    this.#defaults = settle(undefined, defaults)
    this.#interpolates = interpolates
  }

  /** @throws ConfigRejection */
  assemble(layers: readonly LayerDocuments[]): Assembly {
    const issues: ConfigIssue[] = []
    const assembled = layers.map((layer, index) => ({ ...layer, tree: this.#layerTree(layer, index, issues) }))
    if (issues.length > 0) throw new ConfigRejection(issues)
    const merged = this.#merged(assembled)
    const plain = { layers: assembled, defaults: this.#defaults, tree: merged, flows: [] }
    const origins = new Origins(plain, this.#format)
    const { tree, flows } = this.#interpolates
      ? orRejected(
          () => interpolate(merged),
          ({ segments }) => origins.of(segments),
        )
      : plain
    this.#last = { ...plain, tree: settle(this.#last?.tree, tree), flows }
    return this.#last
  }

  #merged(layers: readonly AssembledLayer[]): TreeObject {
    const origins = new Origins({ layers, defaults: this.#defaults, tree: this.#defaults }, this.#format)
    return layers.reduce(
      (below, layer) =>
        orRejected(
          () => mergeTrees(below, layer.tree),
          ({ segments }) => origins.within(layer, segments),
        ),
      this.#defaults,
    )
  }

  #layerTree(layer: LayerDocuments, index: number, issues: ConfigIssue[]): TreeObject {
    const before = this.#last?.layers[index]
    if (before !== undefined && sameList(before.documents, layer.documents)) return before.tree
    try {
      return settle(before?.tree, this.#format === 'keys' ? nestKeys(layer.documents) : documentsTree(layer, issues))
    } catch (error) {
      const culprit = layer.documents.find(({ key }) => error instanceof KeyProblem && key === error.key)
      issues.push(documentIssue(layer.layer, culprit ?? { key: layer.layer.path, modifyIndex: 0 }, error))
      return NOTHING
    }
  }
}

function documentsTree({ layer, documents }: LayerDocuments, issues: ConfigIssue[]): TreeObject {
  let merged = NOTHING
  for (const document of documents) {
    if (isTreeObject(document.tree)) merged = mergeTrees(merged, document.tree)
    else
      issues.push(documentIssue(layer, document, new TreeProblem(`is ${kindOf(document.tree)} and not an object`, [])))
  }
  return merged
}

/** What `make` yields; a problem with it rejects the state, and is told with where it comes from. */
function orRejected<R>(make: () => R, originOf: (problem: TreeProblem) => ConfigOrigin | undefined): R {
  try {
    return make()
  } catch (error) {
    if (!(error instanceof TreeProblem)) throw error
    const { message, segments } = error
    throw new ConfigRejection([{ message, path: formatPath(segments), ...originOf(error) }])
  }
}

function kindOf(tree: Tree): string {
  if (tree === null) return 'empty'
  return Array.isArray(tree) ? 'a list' : `a ${typeof tree}`
}

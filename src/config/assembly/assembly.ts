import { documentIssue, type LayerDocuments, type LayerFormat } from './documents.js'
import { KeyProblem, nestKeys } from '../formats/keys.js'
import { ConfigRejection, type ConfigIssue } from '../issue.js'
import { Origins } from '../origin.js'
import { interpolate, type Interpolated } from '../tree/interpolate.js'
import { mergeTrees } from '../tree/merge.js'
import { formatPath } from '../tree/path.js'
import { settle } from '../tree/settle.js'
import { isTreeObject, TreeProblem, type Tree, type TreeObject } from '../tree/tree.js'

/** All layers as one tree, before validation. */
export interface Assembly {
  readonly layers: readonly AssembledLayer[]
  readonly defaults: TreeObject
  /** Frozen. Parts that are equal to those of the assembly before are the same objects. */
  readonly tree: TreeObject
  /** Which text took over a value from where. */
  readonly flows: Interpolated['flows']
}

/** One layer as a tree. */
export interface AssembledLayer extends LayerDocuments {
  readonly tree: TreeObject
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
    const merged = assembled.reduce((below, { tree }) => mergeTrees(below, tree), this.#defaults)
    const plain = { layers: assembled, defaults: this.#defaults, tree: merged, flows: [] }
    const { tree, flows } = this.#interpolates ? this.#interpolated(plain) : plain
    this.#last = { ...plain, tree: settle(this.#last?.tree, tree), flows }
    return this.#last
  }

  #interpolated(plain: Assembly): Interpolated {
    try {
      return interpolate(plain.tree)
    } catch (error) {
      if (!(error instanceof TreeProblem)) throw error
      const { message, segments } = error
      const origin = new Origins(plain, this.#format).of(segments)
      throw new ConfigRejection([{ message, path: formatPath(segments), ...origin }])
    }
  }

  #layerTree(layer: LayerDocuments, index: number, issues: ConfigIssue[]): TreeObject {
    const before = this.#last?.layers[index]
    if (before !== undefined && isSameList(before.documents, layer.documents)) return before.tree
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

function isSameList<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index])
}

function kindOf(tree: Tree): string {
  if (tree === null) return 'empty'
  return Array.isArray(tree) ? 'a list' : `a ${typeof tree}`
}

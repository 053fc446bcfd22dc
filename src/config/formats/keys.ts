import { formatPath, type Segments } from '../tree/path.js'
import { TreeProblem, type Tree, type TreeObject } from '../tree/tree.js'
import { DocumentProblem } from './document.js'
import { joinParts, NestedValues, nameParts, putValue, type NameParts, type ValueFolder } from './nested-values.js'

/** One key of a layer in which every key is a value. */
export interface LeafKey {
  readonly key: string
  /** The key without its layer. */
  readonly name: string
  readonly tree: Tree
}

/** The path that a key stands for: its parts, and `servers[0]` or `servers/0` for items of a list. */
export function keySegments(name: string): Segments {
  return name.includes(']') ? keyParts(name).segments : name.split('/')
}

/** Whether a key only marks a folder, as Consul's own pages create one. */
export function isFolderMark(name: string): boolean {
  return name === '' || name.endsWith('/')
}

/** The tree of a layer's keys. @throws KeyProblem when a key cannot be part of one tree with the others */
export function nestKeys(leaves: readonly LeafKey[]): TreeObject {
  const values = new NestedValues()
  // Keys come sorted, so that most have the folder of the one before.
  let last: { readonly name: string; readonly segments: Segments; readonly folder: ValueFolder } | undefined
  for (const { key, name, tree: value } of leaves) {
    const problem = name.includes(']') ? setListed(values, name, value) : undefined
    if (problem !== undefined) throw new KeyProblem(problem, key)
    if (name.includes(']')) continue
    const slash = name.lastIndexOf('/')
    const folderName = name.slice(0, Math.max(0, slash))
    if (last?.name !== folderName || slash < 0) {
      const segments = slash < 0 ? [] : folderName.split('/')
      const folder = values.folder(segments)
      if (typeof folder === 'string') throw new KeyProblem(folder, key)
      last = { name: folderName, segments, folder }
    }
    const leaf = name.slice(slash + 1)
    const conflict = takenBy(last.folder, last.segments, leaf) ?? putValue(last.folder, last.segments, leaf, value)
    if (conflict !== undefined) throw new KeyProblem(conflict, key)
  }
  return treeOf(values, leaves)
}

/** What is wrong with one key of several. */
export class KeyProblem extends DocumentProblem {
  readonly key: string

  constructor(message: string, key: string) {
    super(message)
    this.key = key
  }
}

function setListed(values: NestedValues, name: string, value: Tree): string | undefined {
  const parts = keyParts(name)
  const above = parts.segments.slice(0, -1)
  const folder = values.folder(above)
  if (typeof folder === 'string') return folder
  return takenBy(folder, above, parts.segments.at(-1) ?? '') ?? values.set(parts, value)
}

/** Two keys may be spelt apart and mean the same: `servers/0` and `servers[0]`. */
function takenBy(folder: ValueFolder, above: Segments, name: string): string | undefined {
  const isTaken = Object.hasOwn(folder, name) && (typeof folder[name] !== 'object' || folder[name] === null)
  return isTaken ? `gives ${formatPath([...above, name])} a second value` : undefined
}

function treeOf(values: NestedValues, leaves: readonly LeafKey[]): TreeObject {
  try {
    return values.toTree()
  } catch (error) {
    if (!(error instanceof TreeProblem)) throw error
    const { message, segments } = error
    const culprit = leaves.find(({ name }) => {
      const path = keySegments(name)
      return segments.every((segment, index) => segment === path[index])
    })
    throw new KeyProblem(message, culprit?.key ?? '')
  }
}

function keyParts(name: string): NameParts {
  return joinParts(name.split('/').map(nameParts))
}

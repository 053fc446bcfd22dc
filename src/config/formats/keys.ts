import type { Segments } from '../tree/path.js'
import type { Tree, TreeObject } from '../tree/tree.js'
import { DocumentProblem } from './document.js'
import { NestedValues, nameSegments, putValue, type ValueFolder } from './nested-values.js'

/** One key of a layer in which every key is a value. */
export interface LeafKey {
  readonly key: string
  /** The key without its layer. */
  readonly name: string
  readonly tree: Tree
}

/** The path that a key stands for: its parts, and `servers[0]` or `servers/0` for items of a list. */
export function keySegments(name: string): Segments {
  const parts = name.split('/')
  return name.includes(']') ? parts.flatMap(nameSegments) : parts
}

/** Whether a key only marks a folder, as Consul's own pages create one. */
export function isFolderMark(name: string): boolean {
  return name === '' || name.endsWith('/')
}

/** The tree of a layer's keys. @throws DocumentProblem with the key at fault when one is a value and a folder at once */
export function nestKeys(leaves: readonly LeafKey[]): TreeObject {
  const values = new NestedValues()
  // Keys come sorted, so that most have the folder of the one before.
  let last: { readonly name: string; readonly segments: Segments; readonly folder: ValueFolder } | undefined
  for (const { key, name, tree: value } of leaves) {
    const slash = name.lastIndexOf('/')
    const folderName = name.slice(0, Math.max(0, slash))
    const [leaf = '', ...items] = nameSegments(name.slice(slash + 1))
    if (last?.name !== folderName || slash < 0) {
      const segments = slash < 0 ? [] : keySegments(folderName)
      const folder = values.folder(segments)
      if (typeof folder === 'string') throw new KeyProblem(folder, key)
      last = { name: folderName, segments, folder }
    }
    const problem =
      items.length === 0
        ? putValue(last.folder, last.segments, leaf, value)
        : values.set([...last.segments, leaf, ...items], value)
    if (problem !== undefined) throw new KeyProblem(problem, key)
  }
  return values.toTree()
}

/** What is wrong with one key of several. */
export class KeyProblem extends DocumentProblem {
  readonly key: string

  constructor(message: string, key: string) {
    super(message)
    this.key = key
  }
}

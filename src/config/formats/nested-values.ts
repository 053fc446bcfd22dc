import { formatPath, type Segments } from '../tree/path.js'
import { checkName, type Tree } from '../tree/tree.js'

/**
 * Values that are named one by one, by nested names, as one tree. An object whose names are 0, 1, 2 and so on is a list.
 */
export class NestedValues {
  readonly #root: ValueFolder = new Map()

  /** Puts a value in its place. Returns what is wrong when something else stands there already: a value above or below it. */
  set(segments: Segments, value: Tree): string | undefined {
    const above = segments.slice(0, -1)
    const folder = this.folder(above)
    return typeof folder === 'string' ? folder : putValue(folder, above, segments.at(-1) ?? '', value)
  }

  /** The folder of that name, made where it is missing; or what is wrong with it. */
  folder(segments: Segments): ValueFolder | string {
    let folder = this.#root
    for (const [index, segment] of segments.entries()) {
      checkName(segment, segments.slice(0, index))
      const next: Node = folder.get(segment) ?? new Map<string, Node>()
      if (!(next instanceof Map)) return conflict(segments.slice(0, index + 1))
      folder.set(segment, next)
      folder = next
    }
    return folder
  }

  toTree(): Tree {
    return folderTree(this.#root, true)
  }
}

/** Values and further folders by their names. */
export type ValueFolder = Map<string, Node>

type Node = ValueFolder | Tree

/** Puts a value into a folder. Returns what is wrong when a folder of that name is there. */
export function putValue(folder: ValueFolder, above: Segments, name: string, value: Tree): string | undefined {
  checkName(name, above)
  if (folder.get(name) instanceof Map) return conflict([...above, name])
  folder.set(name, value)
  return undefined
}

/** The segments that one name stands for: `servers[0]` is the item 0 of `servers`. */
export function nameSegments(name: string): readonly string[] {
  if (!name.endsWith(']')) return [name]
  const [, list, items] = /^([^[\]]+)((?:\[\d+\])+)$/.exec(name) ?? []
  return list === undefined || items === undefined ? [name] : [list, ...items.slice(1, -1).split('][')]
}

function folderTree(folder: ValueFolder, isRoot: boolean): Tree {
  if (!isRoot && isListed(folder)) {
    return Array.from({ length: folder.size }, (_item, index) => nodeTree(folder.get(String(index))))
  }
  const tree: Record<string, Tree> = {}
  for (const [name, node] of folder) tree[name] = nodeTree(node)
  return tree
}

function isListed(folder: ValueFolder): boolean {
  for (let index = 0; index < folder.size; index += 1) if (!folder.has(String(index))) return false
  return true
}

function nodeTree(node: Node | undefined): Tree {
  if (node === undefined) return null
  return node instanceof Map ? folderTree(node, false) : node
}

function conflict(segments: Segments): string {
  return `has both a value at ${formatPath(segments)} and values below it`
}

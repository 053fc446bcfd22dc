import { formatPath, type Segments } from '../tree/path.js'
import { checkName, type Tree } from '../tree/tree.js'

/**
 * Values that are named one by one, by nested names, as one tree. An object whose names are 0, 1, 2 and so on is a list.
 */
export class NestedValues {
  readonly #root = new Map<string, Node>()

  /** Puts a value in its place. Returns what is wrong when something else stands there already: a value above or below it. */
  set(segments: Segments, value: Tree): string | undefined {
    let folder = this.#root
    for (const [index, segment] of segments.slice(0, -1).entries()) {
      checkName(segment, segments.slice(0, index))
      const next = folder.get(segment) ?? new Map<string, Node>()
      if (!(next instanceof Map)) return conflict(segments.slice(0, index + 1))
      folder.set(segment, next)
      folder = next
    }
    const name = segments.at(-1) ?? ''
    checkName(name, segments.slice(0, -1))
    if (folder.get(name) instanceof Map) return conflict(segments)
    folder.set(name, { value })
    return undefined
  }

  toTree(): Tree {
    return folderTree(this.#root, true)
  }
}

type Node = Map<string, Node> | { readonly value: Tree }

/** The segments that one name stands for: `servers[0]` is the item 0 of `servers`. */
export function nameSegments(name: string): readonly string[] {
  const [, list, items] = /^([^[\]]+)((?:\[\d+\])+)$/.exec(name) ?? []
  return list === undefined || items === undefined ? [name] : [list, ...items.slice(1, -1).split('][')]
}

function folderTree(folder: Map<string, Node>, isRoot: boolean): Tree {
  const entries = [...folder].map(([name, node]): [string, Tree] => [
    name,
    node instanceof Map ? folderTree(node, false) : node.value,
  ])
  const byName = new Map(entries)
  const items = entries.map((_entry, index) => byName.get(String(index)))
  if (!isRoot && items.every((item) => item !== undefined)) return items
  return Object.fromEntries(entries)
}

function conflict(segments: Segments): string {
  return `has both a value at ${formatPath(segments)} and values below it`
}

import { formatPath, type Segments } from '../tree/path.js'
import { checkName, isTreeObject, type Tree } from '../tree/tree.js'

/**
 * Values that are named one by one, by nested names, as one tree. An object whose names are 0, 1, 2 and so on is a list.
 */
export class NestedValues {
  readonly #root: ValueFolder = {}

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
      const next = Object.hasOwn(folder, segment) ? folder[segment] : (folder[segment] = {})
      if (!isTreeObject(next)) return conflict(segments.slice(0, index + 1))
      folder = next
    }
    return folder
  }

  /** The tree. Call it last: it makes the tree of the folders themselves. */
  toTree(): Tree {
    return withLists(this.#root)
  }
}

/** Values, none of which is an object, and further folders by their names. */
export type ValueFolder = Record<string, Tree>

/** Puts a value into a folder. Returns what is wrong when a folder of that name is there. */
export function putValue(folder: ValueFolder, above: Segments, name: string, value: Tree): string | undefined {
  checkName(name, above)
  // What a folder inherits are functions: no name of those is taken for a folder.
  if (isTreeObject(folder[name])) return conflict([...above, name])
  folder[name] = value
  return undefined
}

/** The segments that one name stands for: `servers[0]` is the item 0 of `servers`. */
export function nameSegments(name: string): readonly string[] {
  if (!name.endsWith(']')) return [name]
  const [, list, items] = /^([^[\]]+)((?:\[\d+\])+)$/.exec(name) ?? []
  return list === undefined || items === undefined ? [name] : [list, ...items.slice(1, -1).split('][')]
}

function withLists(folder: ValueFolder): ValueFolder {
  for (const name of Object.keys(folder)) {
    const node = folder[name]
    if (!isTreeObject(node)) continue
    const below = withLists(node)
    folder[name] = isListed(below) ? Object.values(below) : below
  }
  return folder
}

/** Whether the names are 0, 1, 2 and so on. An object has those first and in order, however they came. */
function isListed(folder: ValueFolder): boolean {
  return Object.hasOwn(folder, '0') && Object.keys(folder).every((name, index) => name === String(index))
}

function conflict(segments: Segments): string {
  return `has both a value at ${formatPath(segments)} and values below it`
}

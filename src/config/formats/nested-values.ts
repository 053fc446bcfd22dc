import { formatPath, type Segments } from '../tree/path.js'
import { settled } from '../tree/settle.js'
import { isTreeObject, nameProblem, type Tree, type TreeObject } from '../tree/tree.js'

/**
 * Values that are named one by one, by nested names, as one tree. An object whose names are 0, 1, 2 and so on is a list.
 */
export class NestedValues {
  readonly #root: ValueFolder = {}
  readonly #places: { readonly above: ValueFolder; readonly name: string }[] = []

  /** Puts a value in its place. Returns what is wrong: with a name, or when a value stands above or below it. */
  set(segments: Segments, value: Tree): string | undefined {
    const above = segments.slice(0, -1)
    const folder = this.folder(above)
    return typeof folder === 'string' ? folder : putValue(folder, above, segments.at(-1) ?? '', value)
  }

  /** The folder of that name, made where it is missing; or what is wrong with it. */
  folder(segments: Segments): ValueFolder | string {
    let folder = this.#root
    for (const [index, segment] of segments.entries()) {
      const problem = nameProblem(segment)
      if (problem !== undefined) return problem
      const next = Object.hasOwn(folder, segment) ? folder[segment] : this.#make(folder, segment)
      if (!isTreeObject(next)) return conflict(segments.slice(0, index + 1))
      folder = next
    }
    return folder
  }

  /** The tree, settled. Call it last: the folders themselves become its objects. */
  toTree(): TreeObject {
    // The innermost first: they were made last.
    for (const { above, name } of this.#places.toReversed()) {
      const folder = above[name]
      if (isTreeObject(folder)) above[name] = settled(isListed(folder) ? Object.values(folder) : folder)
    }
    return settled(this.#root)
  }

  #make(above: ValueFolder, name: string): ValueFolder {
    const folder: ValueFolder = {}
    above[name] = folder
    this.#places.push({ above, name })
    return folder
  }
}

/** Values, none of which is an object, and further folders by their names. */
export type ValueFolder = Record<string, Tree>

/** Puts a value into a folder. Returns what is wrong: with the name, or when a folder of that name is there. */
export function putValue(folder: ValueFolder, above: Segments, name: string, value: Tree): string | undefined {
  const problem = nameProblem(name)
  if (problem !== undefined) return problem
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

/** Whether the names are 0, 1, 2 and so on. An object has those first and in order, however they came. */
function isListed(folder: ValueFolder): boolean {
  return Object.hasOwn(folder, '0') && Object.keys(folder).every((name, index) => name === String(index))
}

function conflict(segments: Segments): string {
  return `has both a value at ${formatPath(segments)} and values below it`
}

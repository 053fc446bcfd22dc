import { formatPath, type Segments } from '../tree/path.js'
import { settled } from '../tree/settle.js'
import { isTreeObject, nameProblem, TreeProblem, type Tree, type TreeObject } from '../tree/tree.js'

/** Values, none of which is an object, and further folders by their names. */
export type ValueFolder = Record<string, Tree>

/** What a name stands for: its parts, and which of them are items of a list for certain. */
export interface NameParts {
  readonly segments: Segments
  /** How many of the segments name a list: `servers[0]` is the item 0 of `servers`. */
  readonly lists: readonly number[]
}

const INDEX = /^(?:0|[1-9]\d*)$/

/**
 * Values that are named one by one, by nested names, as one tree. An object whose names are 0, 1, 2 and so on is a list. A list without
 * one of its items is refused: taken for an object it would be another thing all of a sudden.
 */
export class NestedValues {
  readonly #root: ValueFolder = {}
  readonly #places: { readonly above: ValueFolder; readonly segments: Segments }[] = []
  readonly #lists = new Set<ValueFolder>()

  /** Puts a value in its place. Returns what is wrong: with a name, or when a value stands above or below it. */
  set({ segments, lists }: NameParts, value: Tree): string | undefined {
    const above = segments.slice(0, -1)
    const folder = this.folder(above)
    if (typeof folder === 'string') return folder
    for (const length of lists) {
      const list = this.folder(segments.slice(0, length))
      if (typeof list !== 'string') this.#lists.add(list)
    }
    return putValue(folder, above, segments.at(-1) ?? '', value)
  }

  /** The folder of that name, made where it is missing; or what is wrong with it. */
  folder(segments: Segments): ValueFolder | string {
    let folder = this.#root
    for (const [index, segment] of segments.entries()) {
      const problem = nameProblem(segment)
      if (problem !== undefined) return problem
      const path = segments.slice(0, index + 1)
      const next = Object.hasOwn(folder, segment) ? folder[segment] : this.#make(folder, path)
      if (!isTreeObject(next)) return conflict(path)
      folder = next
    }
    return folder
  }

  /** The tree, settled. Call it last: the folders themselves become its objects. @throws TreeProblem naming an item beside which one is missing */
  toTree(): TreeObject {
    // The innermost first: they were made last.
    for (const { above, segments } of this.#places.toReversed()) {
      const name = segments.at(-1) ?? ''
      const folder = above[name]
      if (isTreeObject(folder)) above[name] = settled(this.#isList(folder, segments) ? Object.values(folder) : folder)
    }
    return settled(this.#root)
  }

  #make(above: ValueFolder, segments: Segments): ValueFolder {
    const folder: ValueFolder = {}
    above[segments.at(-1) ?? ''] = folder
    this.#places.push({ above, segments })
    return folder
  }

  #isList(folder: ValueFolder, segments: Segments): boolean {
    const isCertain = this.#lists.has(folder)
    if (!isCertain && !Object.hasOwn(folder, '0')) return false
    const names = Object.keys(folder)
    if (!names.every((name) => INDEX.test(name))) {
      const other = names.find((name) => !INDEX.test(name)) ?? ''
      if (isCertain) throw new TreeProblem('is no item of a list, as others beside it are', [...segments, other])
      return false
    }
    // An object has names that are indexes first and in order, however they came.
    const gap = names.findIndex((name, index) => name !== String(index))
    if (gap < 0) return true
    throw new TreeProblem(`is an item of a list that has no item ${gap}`, [...segments, names[gap] ?? ''])
  }
}

/** Puts a value into a folder. Returns what is wrong: with the name, or when a folder of that name is there. */
export function putValue(folder: ValueFolder, above: Segments, name: string, value: Tree): string | undefined {
  const problem = nameProblem(name)
  if (problem !== undefined) return problem
  // What a folder inherits are functions: no name of those is taken for a folder.
  if (isTreeObject(folder[name])) return conflict([...above, name])
  folder[name] = value
  return undefined
}

/**
 * What one name stands for: `servers[0]` is the item 0 of `servers`, and `hosts[db.example.com]` the name `db.example.com` within `hosts`.
 */
export function nameParts(name: string): NameParts {
  const plain = { segments: [name], lists: [] }
  if (!name.endsWith(']')) return plain
  const [, first, brackets] = /^([^[\]]+)((?:\[[^[\]]+\])+)$/.exec(name) ?? []
  if (first === undefined || brackets === undefined) return plain
  const inner = brackets.slice(1, -1).split('][')
  const lists = inner.flatMap((part, index) => (INDEX.test(part) ? [index + 1] : []))
  return { segments: [first, ...inner], lists }
}

/** Parts of one name after the other. */
export function joinParts(parts: readonly NameParts[]): NameParts {
  let length = 0
  const lists: number[] = []
  for (const part of parts) {
    for (const list of part.lists) lists.push(length + list)
    length += part.segments.length
  }
  return { segments: parts.flatMap(({ segments }) => segments), lists }
}

function conflict(segments: Segments): string {
  return `has both a value at ${formatPath(segments)} and values below it`
}

import { isRecord } from '../../core/option-check.js'
import type { Segments } from './path.js'

/**
 * A configuration before validation: text, numbers, booleans, null, lists, and objects with own properties. Whatever a document or a
 * function yields is copied into this shape or refused, so that no prototype, accessor or cycle gets any further.
 */
export type Tree = string | number | boolean | null | readonly Tree[] | TreeObject

/** An object of a {@link Tree}. */
export interface TreeObject {
  readonly [name: string]: Tree
}

/** What a tree may not be. */
export class TreeProblem extends Error {
  readonly segments: Segments

  constructor(message: string, segments: Segments) {
    super(message)
    this.segments = segments
  }
}

/** Deep enough for any configuration, and far from the end of the stack. */
const MAX_DEPTH = 100

/** Bounds what aliases of a document can blow up to. */
const MAX_NODES = 1_000_000

/** Whether a part of a tree is an object. */
export function isTreeObject(tree: Tree | undefined): tree is TreeObject {
  return isRecord(tree)
}

/**
 * A copy of `value` as a tree. Properties that are undefined are left out.
 * @throws TreeProblem naming the place, and nothing else, whatever the value does when it is looked at
 */
export function toTree(value: unknown): Tree {
  const copy = new Copy()
  try {
    return copy.of(value, [])
  } catch {
    throw copy.problem ?? new TreeProblem('cannot be read', [])
  }
}

class Copy {
  /** What it came upon, as opposed to what an accessor of the value threw. */
  problem: TreeProblem | undefined
  #nodes = 0

  of(value: unknown, segments: Segments): Tree {
    this.#nodes += 1
    if (this.#nodes > MAX_NODES) throw this.#problem(`has more than ${MAX_NODES} values`, segments)
    if (segments.length > MAX_DEPTH) throw this.#problem(`is nested more than ${MAX_DEPTH} deep`, segments.slice(0, 3))
    if (typeof value === 'string' || typeof value === 'boolean' || value === null) return value
    if (typeof value === 'number' && Number.isFinite(value)) return value
    if (Array.isArray(value)) return value.map((item: unknown, index) => this.of(item, [...segments, String(index)]))
    if (isPlainObject(value)) return this.#object(value, segments)
    throw this.#problem(`is ${kindOf(value)}, which a configuration cannot hold`, segments)
  }

  #object(value: Readonly<Record<string, unknown>>, segments: Segments): TreeObject {
    const copy: Record<string, Tree> = {}
    for (const [name, part] of Object.entries(value)) {
      if (part === undefined) continue
      const problem = nameProblem(name)
      if (problem !== undefined) throw this.#problem(problem, segments)
      copy[name] = this.of(part, [...segments, name])
    }
    return copy
  }

  #problem(message: string, segments: Segments): TreeProblem {
    this.problem = new TreeProblem(message, segments)
    return this.problem
  }
}

/**
 * What is wrong with the one name that is not an ordinary property when it is assigned. `constructor` and `prototype` are: they become own
 * properties, and everything here looks at own properties only.
 */
export function nameProblem(name: string): string | undefined {
  return name === '__proto__' ? 'has a part named __proto__' : undefined
}

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (!isRecord(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype
}

function kindOf(value: unknown): string {
  if (typeof value === 'number') return String(value)
  return typeof value === 'object' ? 'an object of a class' : `a ${typeof value}`
}

/** The part at a path; undefined when there is none. */
export function partAt(tree: unknown, segments: Segments): unknown {
  return segments.reduce(
    (part: unknown, segment) =>
      typeof part === 'object' && part !== null && Object.hasOwn(part, segment)
        ? Reflect.get(part, segment)
        : undefined,
    tree,
  )
}

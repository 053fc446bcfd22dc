import { isDeepStrictEqual } from 'node:util'
import { isRecord } from '../../core/option-check.js'
import { formatPath, type Segments } from './path.js'

/**
 * The paths at which two values differ, sorted: each names a leaf, or a list, that was added, removed or changed. Parts that are the
 * same object are not looked into.
 */
export function changedPaths(previous: unknown, next: unknown): readonly string[] {
  const paths: string[] = []
  collect(previous, next, [], paths)
  return Object.freeze(paths.sort())
}

function collect(previous: unknown, next: unknown, segments: Segments, paths: string[]): void {
  if (Object.is(previous, next)) return
  const before = branches(previous)
  const after = branches(next)
  // A leaf that becomes an object is a change of its own path and of the leaves that came with the object.
  if (isLeaf(previous) || isLeaf(next)) {
    if (before === undefined && after === undefined && isSame(previous, next)) return
    if (isLeaf(previous) && isLeaf(next)) {
      paths.push(formatPath(segments))
      return
    }
    if (segments.length > 0 && previous !== undefined && next !== undefined) paths.push(formatPath(segments))
  }
  for (const name of new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])) {
    collect(own(before, name), own(after, name), [...segments, name], paths)
  }
}

/** Every leaf of a value with its path, in the order of the value. Lists are gone through item by item. */
export function leavesOf(value: unknown): readonly { readonly segments: Segments; readonly value: unknown }[] {
  const leaves: { segments: Segments; value: unknown }[] = []
  const visit = (part: unknown, segments: Segments): void => {
    const below = Array.isArray(part) && part.length > 0 ? Object.fromEntries(part.entries()) : branches(part)
    if (below === undefined) leaves.push({ segments, value: part })
    else for (const name of Object.keys(below)) visit(own(below, name), [...segments, name])
  }
  visit(value, [])
  return leaves
}

/** An object with something in it. A list and an empty object are leaves; into instances of classes nobody looks. */
function branches(value: unknown): Readonly<Record<string, unknown>> | undefined {
  if (!isRecord(value)) return undefined
  const prototype: unknown = Object.getPrototypeOf(value)
  const isPlain = prototype === null || prototype === Object.prototype
  return isPlain && Object.keys(value).length > 0 ? value : undefined
}

/** What a schema has made may throw when it is looked at: then it counts as another. */
function isSame(a: unknown, b: unknown): boolean {
  try {
    return isDeepStrictEqual(a, b)
  } catch {
    return false
  }
}

function isLeaf(value: unknown): boolean {
  return branches(value) === undefined
}

function own(value: Readonly<Record<string, unknown>> | undefined, name: string): unknown {
  return value !== undefined && Object.hasOwn(value, name) ? value[name] : undefined
}

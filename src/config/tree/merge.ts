import type { Segments } from './path.js'
import { isTreeObject, TreeProblem, type Tree, type TreeObject } from './tree.js'

/**
 * `upper` laid over `lower`: objects are merged name by name, anything else of `upper` replaces what is below, lists as a whole. Parts
 * that only one of the two has are taken over as they are, without a copy.
 * @throws TreeProblem for an object over a list: most often an item of a list that was meant to change alone, as `hosts/1` over
 * `hosts/0` to `hosts/2`
 */
export function mergeTrees(lower: TreeObject, upper: TreeObject, segments: Segments = []): TreeObject {
  const names = Object.keys(upper)
  if (names.length === 0) return lower
  if (Object.keys(lower).length === 0) return upper
  const merged: Record<string, Tree> = { ...lower }
  for (const name of names) {
    merged[name] = mergePart(Object.hasOwn(lower, name) ? lower[name] : undefined, upper[name], segments, name)
  }
  return merged
}

function mergePart(lower: Tree | undefined, upper: Tree | undefined, above: Segments, name: string): Tree {
  if (isTreeObject(upper)) {
    if (isTreeObject(lower)) return mergeTrees(lower, upper, [...above, name])
    if (Array.isArray(lower) && Object.keys(upper).length > 0) {
      const message =
        'is a list in a layer below, and is replaced as a whole by another list, not by single items or names'
      throw new TreeProblem(message, [...above, name])
    }
  }
  return upper ?? null
}

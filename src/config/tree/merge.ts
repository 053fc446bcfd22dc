import { isTreeObject, type Tree, type TreeObject } from './tree.js'

/**
 * `upper` laid over `lower`: objects are merged name by name, anything else of `upper` replaces what is below, lists as a whole. Parts
 * that only one of the two has are taken over as they are, without a copy.
 */
export function mergeTrees(lower: TreeObject, upper: TreeObject): TreeObject {
  const names = Object.keys(upper)
  if (names.length === 0) return lower
  if (Object.keys(lower).length === 0) return upper
  const merged: Record<string, Tree> = { ...lower }
  for (const name of names) merged[name] = mergePart(Object.hasOwn(lower, name) ? lower[name] : undefined, upper[name])
  return merged
}

function mergePart(lower: Tree | undefined, upper: Tree | undefined): Tree {
  if (isTreeObject(lower) && isTreeObject(upper)) return mergeTrees(lower, upper)
  return upper ?? null
}

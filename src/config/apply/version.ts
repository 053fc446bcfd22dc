import { newestIndex, type LayerState } from '../source/layer-state.js'

/** The index of the last change: of a key that is there, or of a read that showed that one is gone. `version` is that of `before`. */
export function versionOf(state: LayerState, before: LayerState | undefined, version: number): number {
  const newest = newestIndex(state.entries)
  if (before === undefined) return newest
  const keys = new Set(state.entries.map(({ key }) => key))
  const isDeletion = before.entries.some(({ key }) => !keys.has(key))
  if (isDeletion) return Math.max(newest, state.index)
  // A version that a deletion gave stays until something newer comes, unless the store began anew.
  return state.index >= version ? Math.max(newest, version) : newest
}

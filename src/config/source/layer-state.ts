import type { KvEntry } from '../../api/kv-entry.js'
import { reconcileList, type ItemShape } from '../../core/keyed-list.js'
import type { Confirmed } from '../../live/live-source.js'
import { LayerFinder } from '../layers/layer-finder.js'
import type { LayerScope } from './source-parts.js'

/** What all layers hold at one moment. */
export interface LayerState extends Confirmed {
  /** The keys of all layers, values as base64 text. An entry that did not change is the same object as before. */
  readonly entries: readonly KvEntry[]
  /** Raft index of the read. */
  readonly index: number
  /** Whether the agent said that it left out keys of the layers which the token may not read. Agents before 1.11 do not say so. */
  readonly isFiltered: boolean
}

/** The keys that belong to the layers. A layer of keys is a folder: a key with the folder's own name is none of it. */
export function ownEntries(
  { layers, format }: Pick<LayerScope, 'layers' | 'format'>,
  entries: readonly KvEntry[],
): readonly KvEntry[] {
  const finder = new LayerFinder(layers)
  const isOwn = (key: string): boolean =>
    finder.layersOf(key).some(({ path }) => format === 'documents' || key !== path)
  return entries.filter(({ key }) => isOwn(key))
}

/** The Raft index of the last change of a key; 0 without keys. */
export function newestIndex(entries: readonly KvEntry[]): number {
  return entries.reduce((newest, { modifyIndex }) => Math.max(newest, modifyIndex), 0)
}

/** `next` with the objects of `previous` for every entry that did not change; `previous` itself when none did. */
export function keepEntries(previous: readonly KvEntry[], next: readonly KvEntry[]): readonly KvEntry[] {
  // The first ones have nothing to be compared with.
  if (previous.length === 0) return next.length === 0 ? previous : next
  return reconcileList(previous, next, ENTRY, true)
}

const ENTRY: ItemShape<KvEntry> = {
  key: ({ key }) => key,
  same: (a, b) =>
    a.key === b.key && a.modifyIndex === b.modifyIndex && a.createIndex === b.createIndex && a.value === b.value,
}

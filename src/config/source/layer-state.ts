import type { KvEntry } from '../../api/kv-entry.js'
import type { ProconsulError } from '../../errors/proconsul-error.js'
import { LayerFinder } from '../layer-finder.js'
import type { LayerScope } from './layer-reader.js'

/** What all layers hold at one moment. */
export interface LayerState {
  /** The keys of all layers, values as base64 text. An entry that did not change is the same object as before. */
  readonly entries: readonly KvEntry[]
  /** Raft index of the read. */
  readonly index: number
  /**
   * Whether what is missing since the state before was surely deleted. An agent that lost its state, or a token that lost its right, makes
   * keys vanish without that.
   */
  readonly advanced: boolean
  /** Whether what others keep beside the layers makes it costly to read along with them. */
  readonly isCrowded: boolean
}

/** Hears of the states. Never called before `watch` has returned. */
export interface StateObserver {
  /** A state that differs from the one before; the first call brings the first one. */
  onState(state: LayerState): void
  /** The first failed read after good ones. */
  onFailure(error: ProconsulError): void
  /** The first good read after failures, or of a source; before `onState`. `isSame` when it brought nothing new. */
  onRecovery(isSame: boolean): void
}

/** Something that reads states until it is closed. */
export interface StateSource {
  close(): void
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
  if (previous.length === 0) return next.length === 0 ? previous : next
  let byKey: ReadonlyMap<string, KvEntry> | undefined
  let isSame = previous.length === next.length
  const entries = next.map((entry, index) => {
    const aligned = previous[index]
    if (aligned?.key !== entry.key) byKey ??= new Map(previous.map((other) => [other.key, other]))
    const before = aligned?.key === entry.key ? aligned : byKey?.get(entry.key)
    if (before !== undefined && isUnchanged(before, entry)) {
      if (before !== aligned) isSame = false
      return before
    }
    isSame = false
    return entry
  })
  return isSame ? previous : entries
}

function isUnchanged(a: KvEntry, b: KvEntry): boolean {
  return a.modifyIndex === b.modifyIndex && a.createIndex === b.createIndex && a.value === b.value
}

import type { KvEntry } from '../../api/kv-entry.js'
import { coverageOf } from './coverage.js'
import type { LayerScope, SourceParts } from './layer-reader.js'
import type { LayerState } from './layer-state.js'

/** When more keys than this are missing at once, the first ones speak for the rest. */
const KEYS_ASKED = 32

/** Two looks at the layers, the one right after the other. */
interface Looks {
  readonly before: Pick<LayerState, 'entries' | 'index'>
  readonly entries: readonly KvEntry[]
}

/**
 * Whether all that is missing since the look before was surely deleted; what cannot be proven was not. A deletion moves the index of its
 * own layer, which no change by others does, and leaves a key that may be read: asked for by name, one that the token may not read is
 * refused, where a list only leaves it out. Agents before 1.11 do not tell that they left something out.
 */
export async function provesDeletion(
  { kv }: Pick<SourceParts, 'kv'>,
  { layers, format, access }: LayerScope,
  { before, entries }: Looks,
  signal: AbortSignal,
): Promise<boolean> {
  const missing = missingKeys(before.entries, entries)
  if (missing.length === 0) return true
  const options = { ...access, signal }
  const hasChanged = async (prefix: string): Promise<boolean> => {
    const { meta } = await kv.keys(prefix, { ...options, separator: '/' })
    return (meta.index ?? 0) > before.index
  }
  const mayRead = async (key: string): Promise<boolean> => {
    await kv.get(key, options)
    return true
  }
  const concerned = coverageOf(layers, format).prefixes.filter((prefix) =>
    missing.some((key) => key.startsWith(prefix)),
  )
  const proofs = await Promise.all([
    ...concerned.map((prefix) => hasChanged(prefix).catch(() => false)),
    ...missing.slice(0, KEYS_ASKED).map((key) => mayRead(key).catch(() => false)),
  ])
  return proofs.every(Boolean)
}

function missingKeys(before: readonly KvEntry[], entries: readonly KvEntry[]): readonly string[] {
  if (entries === before || before.length === 0) return []
  const present = new Set(entries.map(({ key }) => key))
  return before.map(({ key }) => key).filter((key) => !present.has(key))
}

import type { KvEntry } from '../../../src/api/kv-entry.js'
import { Applier, type AppliedConfig } from '../../../src/config/assembly/applier.js'
import { DocumentReader } from '../../../src/config/assembly/documents.js'
import { layerFormat } from '../../../src/config/formats/layer-format.js'
import { resolveConfigOptions, type ConfigOptions } from '../../../src/config/options/config-options.js'
import type { TreeObject } from '../../../src/config/tree/tree.js'
import { systemClock, type Clock } from '../../../src/core/clock.js'

/** What the KV store holds: keys and texts. */
export type Store = Readonly<Record<string, string | Buffer>>

/** From keys to a configuration, without a Consul: what becomes of each state. */
export interface Pipeline<T> {
  readonly apply: (store: Store) => Promise<AppliedConfig<T>>
}

export async function pipeline<T = TreeObject>(
  options: ConfigOptions<T>,
  clock: Clock = systemClock,
): Promise<Pipeline<T>> {
  const resolved = resolveConfigOptions(options)
  const format = await layerFormat(resolved)
  const documents = new DocumentReader(resolved.layers, format)
  const applier = new Applier<T>(resolved, format.type, clock)
  const { signal } = new AbortController()
  return {
    async apply(store) {
      const entries = entriesOf(store)
      return await applier.apply(documents.read(entries), entries.length, signal)
    },
  }
}

/** Entries as the agent gives them: sorted, and with an index each. */
export function entriesOf(store: Store): KvEntry[] {
  return Object.entries(store)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value], index) => ({
      key,
      value: Buffer.from(value).toString('base64'),
      flags: 0,
      createIndex: index + 1,
      modifyIndex: index + 1,
      lockIndex: 0,
    }))
}

import type { KvApi } from '../../api/kv.js'
import type { TxnApi } from '../../api/txn.js'
import type { Runtime } from '../../core/runtime.js'
import type { LiveSource } from '../../live/live-source.js'
import type { WatchEngine } from '../../watch/watch-engine.js'
import { coverSource } from './cover-source.js'
import { coverageOf } from './coverage.js'
import { keepEntries, type LayerState } from './layer-state.js'
import { rootedSource } from './rooted-source.js'
import type { LayerScope, Look, SourceParts } from './source-parts.js'
import { splitSource } from './split-source.js'

/**
 * Reads all layers as one consistent state, again whenever one of them changes. Layers that share a folder with little else in it are
 * read, and waited for, by one request. Others are waited for one by one and then read together in one transaction.
 */
export class LayerReader {
  readonly #parts: SourceParts

  constructor(runtime: Runtime, kv: KvApi, txn: TxnApi, engine: WatchEngine) {
    this.#parts = {
      runtime,
      kv,
      txn,
      looks: engine.family({
        name: 'config.layers',
        reconcile: keepLook,
        isEmpty: ({ entries }) => entries.length === 0,
      }),
      marks: engine.family({
        name: 'config.layer',
        reconcile: (previous, next) => (previous.index === next.index ? previous : next),
        isEmpty: ({ index }) => index === 0,
      }),
    }
  }

  /** The layers as something to follow. */
  source(scope: LayerScope): LiveSource<LayerState> {
    const { prefixes, cover } = coverageOf(scope.layers, scope.format)
    if (cover === undefined) return splitSource(this.#parts, scope, prefixes)
    if (prefixes.length === 1) return coverSource(this.#parts, scope, { prefixes, cover })
    return rootedSource(this.#parts, scope, { prefixes, cover })
  }
}

function keepLook(previous: Look, next: Look): Look {
  const entries = keepEntries(previous.entries, next.entries)
  return entries === previous.entries && next.fitness === previous.fitness ? previous : { ...next, entries }
}

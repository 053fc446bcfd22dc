import type { KvApi } from '../../api/kv.js'
import type { TxnApi } from '../../api/txn.js'
import type { Runtime } from '../../core/runtime.js'
import type { WatchEngine, WatchFamily } from '../../watch/watch-engine.js'
import type { ConfigLayer } from '../layer.js'
import type { ConfigAccess } from '../config-options.js'
import { CoverSource } from './cover-source.js'
import { coverageOf } from './coverage.js'
import { keepEntries, type LayerState, type StateObserver, type StateSource } from './layer-state.js'
import { RootedSource } from './rooted-source.js'
import { SplitSource, type PrefixMark } from './split-source.js'

/** What is read. */
export interface LayerScope {
  readonly layers: readonly ConfigLayer[]
  readonly format: 'keys' | 'documents'
  readonly access: ConfigAccess
}

/** What the sources read with. */
export interface SourceParts {
  readonly runtime: Runtime
  readonly kv: KvApi
  readonly txn: TxnApi
  readonly states: WatchFamily<LayerState>
  readonly marks: WatchFamily<PrefixMark>
}

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
      states: engine.family({
        name: 'config.layers',
        reconcile: keepState,
        isEmpty: ({ entries }) => entries.length === 0,
      }),
      marks: engine.family({
        name: 'config.layer',
        reconcile: (previous, next) => (previous.index === next.index ? previous : next),
        isEmpty: ({ index }) => index === 0,
      }),
    }
  }

  /** Begins to read; the observer hears of every state until the source is closed. */
  watch(scope: LayerScope, observer: StateObserver): StateSource {
    const { prefixes, cover } = coverageOf(scope.layers, scope.format)
    if (cover === undefined) return new SplitSource(this.#parts, scope, prefixes, observer).start()
    if (prefixes.length === 1) return new CoverSource(this.#parts, scope, { prefixes, cover }, observer).start()
    return new RootedSource(this.#parts, scope, { prefixes, cover }, observer).start()
  }
}

function keepState(previous: LayerState, next: LayerState): LayerState {
  const entries = keepEntries(previous.entries, next.entries)
  return entries === previous.entries && next.isCrowded === previous.isCrowded ? previous : { ...next, entries }
}

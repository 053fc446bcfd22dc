import type { KvEntry } from '../../api/kv-entry.js'
import type { KvApi } from '../../api/kv.js'
import type { TxnApi } from '../../api/txn.js'
import type { Runtime } from '../../core/runtime.js'
import type { WatchFamily } from '../../watch/watch-engine.js'
import type { ConfigLayer } from '../layers/layer.js'
import type { ConfigAccess } from '../options/config-options.js'

/** What is read. */
export interface LayerScope {
  readonly layers: readonly ConfigLayer[]
  readonly format: 'keys' | 'documents'
  readonly access: ConfigAccess
}

/** One look at the layers through the folder that they share. */
export interface Look {
  readonly entries: readonly KvEntry[]
  readonly isFiltered: boolean
  /**
   * Whether the folder is worth reading as a whole: `crowded` when what others keep in it makes that costly, `denied` when the token may
   * not list it, which leaves the look empty.
   */
  readonly fitness: 'good' | 'crowded' | 'denied'
}

/** Where a prefix stands. */
export interface PrefixMark {
  /** The index of its last change; 0 while nothing is there. */
  readonly index: number
  readonly isFiltered: boolean
}

/** What the sources read with. */
export interface SourceParts {
  readonly runtime: Runtime
  readonly kv: KvApi
  readonly txn: TxnApi
  readonly looks: WatchFamily<Look>
  readonly marks: WatchFamily<PrefixMark>
}

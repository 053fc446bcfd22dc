import type { ListOptions } from '../api/options.js'
import type { Answer } from '../api/wire.js'
import type { ItemShape } from '../core/keyed-list.js'
import type { ItemList } from '../instances/instance-source.js'
import type { LiveSource } from '../live/live-source.js'
import { askedOptions } from '../watch/asked-options.js'
import { queryKey } from '../watch/query-key.js'
import { querySource, type Watched } from '../watch/query-source.js'
import type { WatchEngine, WatchFamily } from '../watch/watch-engine.js'
import { adoptListing, itemsOver, reconcileListing, type Listing } from './listing.js'
import { AGENT_SCOPE, scopeOf } from '../watch/read-scope.js'

/** How a list is read. */
export interface ListKind<Item, Options extends ListOptions> extends ItemShape<Item> {
  /** For messages and the debug view, such as `catalog.nodes`. */
  readonly name: string
  read(options: Options): Promise<Answer<readonly Item[]>>
  /** Whether the agent answers by itself, whatever its servers do. Default: no. */
  readonly isLocal?: boolean
  /** Whether every cluster has something in such a list, its own servers at least: then an empty one is hidden. Default: no. */
  isNeverEmpty?(options: Options): boolean
}

/** Reads lists of one kind again and again. Equal options share one loop. */
export class ListReader<Item, Options extends ListOptions> {
  readonly #kind: ListKind<Item, Options>
  readonly #family: WatchFamily<Listing<Item>>

  constructor(engine: WatchEngine, kind: ListKind<Item, Options>) {
    this.#kind = kind
    this.#family = engine.family<Listing<Item>>({
      name: kind.name,
      reconcile: (previous, next) => reconcileListing(previous, next, kind),
      adopt: adoptListing,
    })
  }

  /** The list again and again. */
  source(label: string, options: Options): LiveSource<ItemList<Item>> {
    return itemsOver(this.query(label, options))
  }

  /** The same as the engine has it; every `pollMs` where the endpoint cannot block. */
  query(label: string, options: Options, pollMs?: number): LiveSource<Watched<Listing<Item>>> {
    return querySource(label, this.#family, {
      key: queryKey(options, pollMs),
      scope: this.#kind.isLocal === true ? AGENT_SCOPE : scopeOf(options),
      stale: options.stale === true,
      ...(pollMs !== undefined && { pollMs }),
      read: async (request) => {
        const { value, meta } = await this.#kind.read({ ...options, ...askedOptions(request) })
        const isHidden = meta.filteredByAcls === true || this.#kind.isNeverEmpty?.(options) === true
        const emptyReason = value.length === 0 && isHidden ? 'filtered-by-acl' : undefined
        return { value: { items: value, isOrdered: options.near !== undefined, emptyReason }, meta }
      },
    })
  }
}

/** Whether a list is that of a whole datacenter, and not narrowed to a part. */
export function isWhole({ filter, nodeMeta, namespace, partition, peer }: ListOptions): boolean {
  return [filter, nodeMeta, namespace, partition, peer].every((narrowing) => narrowing === undefined)
}

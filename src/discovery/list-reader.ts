import type { ListOptions } from '../api/options.js'
import type { Answer } from '../api/wire.js'
import { askedOptions } from '../watch/asked-options.js'
import { scopeOf } from '../watch/read-scope.js'
import type { WatchEngine, WatchFamily } from '../watch/watch-engine.js'
import { adoptListing, reconcileListing, type ItemShape, type Listing } from './listing.js'
import { querySource, type ListSource } from './sources/list-source.js'

/** How a list is read. */
export interface ListKind<Item, Options extends ListOptions> extends ItemShape<Item> {
  /** For messages and the debug view, such as `catalog.nodes`. */
  readonly name: string
  read(options: Options): Promise<Answer<readonly Item[]>>
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

  /** The list again and again; every `pollMs` where the endpoint cannot block. */
  source(options: Options, pollMs?: number): ListSource<Item> {
    return querySource(this.#family, {
      key: JSON.stringify([options, pollMs]),
      scope: scopeOf(options),
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

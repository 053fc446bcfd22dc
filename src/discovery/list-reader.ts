import type { ListOptions } from '../api/options.js'
import type { Answer } from '../api/wire.js'
import { askedOptions } from '../watch/asked-options.js'
import type { WatchEngine, WatchFamily } from '../watch/watch-engine.js'
import { adoptListing, reconcileListing, type ItemShape, type Listing } from './listing.js'
import { scopeOf } from './read-scope.js'
import { querySource, type ListSource } from './sources/list-source.js'

/** How a list is read. */
export interface ListKind<Item, Options extends ListOptions> extends ItemShape<Item> {
  /** For messages and the debug view, such as `catalog.nodes`. */
  readonly name: string
  read(options: Options): Promise<Answer<readonly Item[]>>
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
        return { value: { items: value, isOrdered: options.near !== undefined }, meta }
      },
    })
  }
}

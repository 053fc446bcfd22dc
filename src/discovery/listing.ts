import { deepFreeze } from '../core/deep-freeze.js'
import { reconcileList, type ItemShape } from '../core/keyed-list.js'
import type { EmptyReason, InstanceList, ItemList, ListFacts } from '../instances/instance-source.js'
import type { ServiceInstance } from '../instances/service-instance.js'
import type { LiveSource } from '../live/live-source.js'
import type { Watched } from '../watch/query-source.js'

/** The items of one answer of Consul, with what is known about their absence. */
export interface Listing<Item> {
  readonly items: readonly Item[]
  /** Whether the order means something, as with `near`. */
  readonly isOrdered?: boolean
  readonly emptyReason?: EmptyReason | undefined
}

/** The listing to keep: `previous` itself when `next` says nothing new. Unchanged items keep their identity. */
export function reconcileListing<Item>(
  previous: Listing<Item>,
  next: Listing<Item>,
  shape: ItemShape<Item>,
): Listing<Item> {
  const items = reconcileList(previous.items, next.items, shape, next.isOrdered)
  const isSame = items === previous.items && next.emptyReason === previous.emptyReason
  return isSame ? previous : Object.freeze({ ...next, items })
}

/** A frozen listing with nothing before it. */
export function adoptListing<Item>(listing: Listing<Item>): Listing<Item> {
  return deepFreeze(listing)
}

/** A query for instances as a source of them. */
export function instancesOver(source: LiveSource<Watched<Listing<ServiceInstance>>>): LiveSource<InstanceList> {
  return over(source, (instances, facts) => ({ instances, ...facts }))
}

/** A query for other items as a source of them. */
export function itemsOver<Item>(source: LiveSource<Watched<Listing<Item>>>): LiveSource<ItemList<Item>> {
  return over(source, (items, facts) => ({ items, ...facts }))
}

/** An index that went backwards gives away that the servers lost their state, or were restored from a backup. */
function over<Item, Fact extends ListFacts>(
  source: LiveSource<Watched<Listing<Item>>>,
  make: (items: readonly Item[], facts: ListFacts) => Fact,
): LiveSource<Fact> {
  return {
    label: source.label,
    observe(observer) {
      let lastIndex = 0
      const factOf = ({ value, index, confirmedAt }: Watched<Listing<Item>>): Fact => {
        const isContinuous = index === undefined || index >= lastIndex
        lastIndex = index ?? lastIndex
        const { items, isOrdered, emptyReason } = value
        const revision = index === undefined ? undefined : String(index)
        return make(items, { confirmedAt, revision, isContinuous, isOrdered, emptyReason })
      }
      return source.observe({
        onValue: (watched) => observer.onValue(factOf(watched)),
        onFailure: (error) => observer.onFailure(error),
        onDoubt: (error) => observer.onDoubt(error),
        onSaved: (watched) => observer.onSaved(factOf(watched)),
        onProblem: (error) => observer.onProblem(error),
      })
    },
  }
}

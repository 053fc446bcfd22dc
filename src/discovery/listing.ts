import { deepFreeze } from '../core/deep-freeze.js'

/** Why a list is empty. */
export type EmptyReason =
  /** The service has no instance at all. */
  | 'not-registered'
  /** It has instances, but none of them is healthy. */
  | 'none-passing'
  /** It has healthy instances, but none with these tags, this filter or this port. */
  | 'none-matching'
  /** The ACL token may not see them. */
  | 'filtered-by-acl'
  /** The servers have no leader, and nothing was read yet. */
  | 'no-leader'

/** The items of one answer, with what is known about their absence. */
export interface Listing<Item> {
  readonly items: readonly Item[]
  /** Whether the order means something, as with `near`. */
  readonly isOrdered?: boolean
  readonly emptyReason?: EmptyReason | undefined
}

/** How items are told apart and compared. */
export interface ItemShape<Item> {
  key(item: Item): string
  /** Whether nothing is different, the key included. */
  same(a: Item, b: Item): boolean
}

/**
 * The listing to keep: `previous` itself when `next` says nothing new, else `next` with every unchanged item replaced by the object
 * that stood for it before. Linear in the number of items, and without a look at the keys while the order stays.
 */
export function reconcileListing<Item>(
  previous: Listing<Item>,
  next: Listing<Item>,
  shape: ItemShape<Item>,
): Listing<Item> {
  let byKey: Map<string, Item> | undefined
  let unchanged = 0
  let inPlace = 0
  const items = next.items.map((item, index) => {
    const there = previous.items[index]
    if (there !== undefined && shape.same(there, item)) {
      unchanged += 1
      inPlace += 1
      return there
    }
    byKey ??= new Map(previous.items.map((known) => [shape.key(known), known]))
    const known = byKey.get(shape.key(item))
    if (known === undefined || !shape.same(known, item)) return deepFreeze(item)
    unchanged += 1
    return known
  })
  const kept = next.isOrdered === true ? inPlace : unchanged
  const isSame = kept === items.length && kept === previous.items.length && next.emptyReason === previous.emptyReason
  return isSame ? previous : Object.freeze({ ...next, items: Object.freeze(items) })
}

/** A frozen listing with nothing before it. */
export function adoptListing<Item>(listing: Listing<Item>): Listing<Item> {
  return deepFreeze(listing)
}

/** What is different between two lists. */
export interface ListDiff<Item> {
  readonly added: readonly Item[]
  readonly removed: readonly Item[]
  /** The new versions of items that were there before. */
  readonly updated: readonly Item[]
}

/** What is different between two lists. Linear in the number of items, and cheap for what is the same object at the same place. */
export function diffLists<Item>(
  previous: readonly Item[],
  next: readonly Item[],
  shape: ItemShape<Item>,
): ListDiff<Item> {
  const moved = previous.filter((item, index) => item !== next[index])
  const gone = new Map(moved.map((item) => [shape.key(item), item]))
  const added: Item[] = []
  const updated: Item[] = []
  for (const [index, item] of next.entries()) {
    if (item === previous[index]) continue
    const id = shape.key(item)
    const before = gone.get(id)
    gone.delete(id)
    if (before === undefined) added.push(item)
    else if (before !== item && !shape.same(before, item)) updated.push(item)
  }
  const [...removed] = gone.values()
  return { added: Object.freeze(added), removed: Object.freeze(removed), updated: Object.freeze(updated) }
}

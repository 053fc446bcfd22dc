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
  same(a: Item, b: Item): boolean
}

/**
 * The listing to keep: `previous` itself when `next` says nothing new, else `next` with every unchanged item replaced by the object
 * that stood for it before. Linear in the number of items.
 */
export function reconcileListing<Item>(
  previous: Listing<Item>,
  next: Listing<Item>,
  shape: ItemShape<Item>,
): Listing<Item> {
  const before = new Map(previous.items.map((item) => [shape.key(item), item]))
  const items = next.items.map((item) => {
    const known = before.get(shape.key(item))
    return known !== undefined && shape.same(known, item) ? known : deepFreeze(item)
  })
  const isSame =
    items.length === previous.items.length &&
    next.emptyReason === previous.emptyReason &&
    (next.isOrdered === true
      ? items.every((item, index) => item === previous.items[index])
      : items.every((item) => before.get(shape.key(item)) === item))
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

/** What is different between two lists. Linear in the number of items. */
export function diffLists<Item>(
  previous: readonly Item[],
  next: readonly Item[],
  shape: ItemShape<Item>,
): ListDiff<Item> {
  const gone = new Map(previous.map((item) => [shape.key(item), item]))
  const added: Item[] = []
  const updated: Item[] = []
  for (const item of next) {
    const id = shape.key(item)
    const before = gone.get(id)
    gone.delete(id)
    if (before === undefined) added.push(item)
    else if (before !== item && !shape.same(before, item)) updated.push(item)
  }
  return { added, removed: [...gone.values()], updated }
}

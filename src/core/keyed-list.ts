import { deepFreeze } from './deep-freeze.js'

/** Lists of items that have a key each, as they come from one read to the next. */

/** How items are told apart and compared. */
export interface ItemShape<Item> {
  key(item: Item): string
  /** Whether nothing is different, the key included. */
  same(a: Item, b: Item): boolean
}

/**
 * The list to keep: `previous` itself when `next` says nothing new, else a frozen list in the order of `next` in which every item that
 * did not change is the object that stood for it before, and every other is frozen. Linear, and without a look at the keys while the
 * order stays.
 * @param isOrdered whether the order means something: then another order is something new. Default false.
 */
export function reconcileList<Item>(
  previous: readonly Item[],
  next: readonly Item[],
  shape: ItemShape<Item>,
  isOrdered = false,
): readonly Item[] {
  let byKey: Map<string, Item> | undefined
  let kept = 0
  let inPlace = 0
  const items = next.map((item, index) => {
    const there = previous[index]
    if (there !== undefined && shape.same(there, item)) {
      kept += 1
      inPlace += 1
      return there
    }
    byKey ??= new Map(previous.map((known) => [shape.key(known), known]))
    const known = byKey.get(shape.key(item))
    if (known === undefined || !shape.same(known, item)) return deepFreeze(item)
    kept += 1
    return known
  })
  const unchanged = isOrdered ? inPlace : kept
  return unchanged === items.length && unchanged === previous.length ? previous : Object.freeze(items)
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

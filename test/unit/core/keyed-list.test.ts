import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { adoptListing, diffLists, reconcileListing, type Listing } from '../../../src/discovery/listing.js'

interface Item {
  readonly id: string
  readonly value: number
}

const shape = { key: (item: Item) => item.id, same: (a: Item, b: Item) => a.id === b.id && a.value === b.value }

const items = fc.uniqueArray(
  fc.record({ id: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'), value: fc.integer({ min: 0, max: 2 }) }),
  {
    selector: ({ id }) => id,
  },
)

const byId = (list: readonly Item[]): readonly Item[] => list.toSorted((a, b) => (a.id < b.id ? -1 : 1))

describe('the list of a new answer', () => {
  it('is the old one itself when nothing is new, whatever the order', () => {
    fc.assert(
      fc.property(items, (list) => {
        const before = adoptListing({ items: list })
        const again = list.map((item) => ({ ...item })).reverse()
        expect(reconcileListing(before, { items: again }, shape)).toBe(before)
      }),
    )
  })

  it('says what the answer says, and keeps the identity of every item that did not change', () => {
    fc.assert(
      fc.property(items, items, (first, second) => {
        const before = adoptListing({ items: first })
        const after = reconcileListing(before, { items: second.map((item) => ({ ...item })) }, shape)
        expect(byId(after.items)).toEqual(byId(second))
        for (const item of after.items) {
          const known = first.find(({ id }) => id === item.id)
          if (known?.value === item.value) expect(item).toBe(known)
          expect(Object.isFrozen(item)).toBe(true)
        }
      }),
    )
  })

  it('is new when only the order changed and the order means something', () => {
    const before: Listing<Item> = adoptListing({
      items: [
        { id: 'a', value: 1 },
        { id: 'b', value: 1 },
      ],
      isOrdered: true,
    })
    const after = reconcileListing(before, { items: before.items.toReversed(), isOrdered: true }, shape)
    expect(after.items.map(({ id }) => id)).toEqual(['b', 'a'])
  })

  it('is new when only the reason of its emptiness changed', () => {
    const before: Listing<Item> = adoptListing({ items: [], emptyReason: 'not-registered' })
    expect(reconcileListing(before, { items: [], emptyReason: 'none-passing' }, shape).emptyReason).toBe('none-passing')
  })
})

describe('the difference of two lists', () => {
  it('gives the second when it is replayed onto the first', () => {
    fc.assert(
      fc.property(items, items, (first, second) => {
        const { added, removed, updated } = diffLists(first, second, shape)
        const replayed = new Map<string, Item>(first.map((item) => [item.id, item]))
        for (const { id } of removed) expect(replayed.delete(id)).toBe(true)
        for (const item of added) expect(replayed.has(item.id)).toBe(false)
        for (const item of updated) expect(replayed.get(item.id)?.value).not.toBe(item.value)
        for (const item of [...added, ...updated]) replayed.set(item.id, item)
        expect(byId([...replayed.values()])).toEqual(byId(second))
      }),
    )
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { deepFreeze } from '../../../src/core/deep-freeze.js'
import { diffLists, reconcileList } from '../../../src/core/keyed-list.js'

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

const item = (id: string, value: number): Item => ({ id, value })

const byId = (list: readonly Item[]): readonly Item[] => list.toSorted((a, b) => (a.id < b.id ? -1 : 1))

describe('the list that is kept', () => {
  it('is the old one itself when nothing is new, whatever the order', () => {
    fc.assert(
      fc.property(items, (list) => {
        const before = deepFreeze(list)
        const again = list.map((item) => ({ ...item })).reverse()
        expect(reconcileList(before, again, shape)).toBe(before)
      }),
    )
  })

  it('says what the new one says in its order, and keeps the identity of every item that did not change', () => {
    fc.assert(
      fc.property(items, items, fc.boolean(), (first, second, isOrdered) => {
        const before = deepFreeze(first)
        const after = reconcileList(
          before,
          second.map((item) => ({ ...item })),
          shape,
          isOrdered,
        )
        expect(Object.isFrozen(after)).toBe(true)
        if (after !== before) expect(after).toEqual(second)
        else expect(byId(after)).toEqual(byId(second))
        for (const item of after) {
          const known = first.find(({ id }) => id === item.id)
          if (known?.value === item.value) expect(item).toBe(known)
          expect(Object.isFrozen(item)).toBe(true)
        }
      }),
    )
  })

  it('is new when only the order changed and the order means something', () => {
    const before = deepFreeze([item('a', 1), item('b', 1)])
    const after = reconcileList(before, [item('b', 1), item('a', 1)], shape, true)
    expect(after.map(({ id }) => id)).toEqual(['b', 'a'])
    expect(after[0]).toBe(before[1])
    expect(reconcileList(after, [item('b', 1), item('a', 1)], shape, true)).toBe(after)
  })

  it('is new when an item went, and when one came', () => {
    const before = deepFreeze([item('a', 1), item('b', 1)])
    expect(reconcileList(before, [item('a', 1)], shape)).toEqual([item('a', 1)])
    expect(reconcileList(before, [item('b', 1), item('a', 1), item('c', 1)], shape)).toHaveLength(3)
    expect(reconcileList([], [item('a', 1)], shape)).toEqual([item('a', 1)])
  })

  it('looks at no key while the order stays, and at each once when it does not', () => {
    let looks = 0
    const counting = {
      ...shape,
      key: ({ id }: Item) => {
        looks += 1
        return id
      },
    }
    const before = deepFreeze([item('a', 1), item('b', 1), item('c', 1)])
    reconcileList(before, [item('a', 1), item('b', 1), item('c', 1)], counting)
    expect(looks).toBe(0)
    reconcileList(before, [item('c', 1), item('b', 1), item('a', 1)], counting)
    expect(looks).toBe(5)
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

  it('looks at no key of what is the same object at the same place', () => {
    const [a, b] = [item('a', 1), item('b', 1)]
    const never = (): never => {
      throw new Error('looked at')
    }
    expect(diffLists([a, b], [a, b], { key: never, same: never })).toEqual({ added: [], removed: [], updated: [] })
  })

  it('is frozen, and empty for what only moved', () => {
    const [a, b] = [item('a', 1), item('b', 1)]
    const diff = diffLists([a, b], [b, a], shape)
    expect(diff).toEqual({ added: [], removed: [], updated: [] })
    expect(Object.values(diff).every((list) => Object.isFrozen(list))).toBe(true)
  })
})

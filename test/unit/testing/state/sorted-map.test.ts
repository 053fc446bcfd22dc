import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { commonLength, SortedMap } from '../../../../src/testing/state/sorted-map.js'

const keys = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', '/'), maxLength: 5 }), { maxLength: 30 })

describe('a sorted map', () => {
  test('lists what starts with a prefix, in order, like a plain search would', () => {
    fc.assert(
      fc.property(
        keys,
        keys,
        fc.string({ unit: fc.constantFrom('a', 'b', '/'), maxLength: 3 }),
        (added, removed, prefix) => {
          const map = new SortedMap<string>()
          for (const key of added) map.set(key, key)
          for (const key of removed) map.delete(key)
          const left = [...new Set(added)].filter((key) => !removed.includes(key)).sort()
          expect([...map.startingWith(prefix)]).toEqual(left.filter((key) => key.startsWith(prefix)))
          expect(map.size).toBe(left.length)
        },
      ),
    )
  })

  test('knows the neighbourhood of a key: the longest beginning shared with another', () => {
    fc.assert(
      fc.property(keys, fc.string({ unit: fc.constantFrom('a', 'b', '/'), maxLength: 5 }), (added, key) => {
        const map = new SortedMap<string>()
        for (const other of added) map.set(other, other)
        const longest = Math.max(0, ...added.filter((other) => other !== key).map((other) => commonLength(other, key)))
        expect(map.neighbourhoodOf(key)).toBe(key.slice(0, longest))
      }),
    )
  })
})

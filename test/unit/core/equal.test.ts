import { describe, expect, it } from 'vitest'
import { sameList, sameMap, sameSet } from '../../../src/core/equal.js'

describe('comparisons', () => {
  it('of lists look at the order', () => {
    expect(sameList(['a', 'b'], ['a', 'b'])).toBe(true)
    expect(sameList(['a', 'b'], ['b', 'a'])).toBe(false)
    expect(sameList(['a'], ['a', 'b'])).toBe(false)
    expect(sameList(['a', 'b'], ['a'])).toBe(false)
  })

  it('of sets look at neither order nor number', () => {
    expect(sameSet(['a', 'b', 'a'], ['b', 'a'])).toBe(true)
    expect(sameSet(['a', 'b'], ['a', 'c'])).toBe(false)
    expect(sameSet(['a', 'b'], ['a'])).toBe(false)
    expect(sameSet([], [])).toBe(true)
  })

  it('of maps look at every entry, by identity or by a function', () => {
    expect(sameMap({ a: 1, b: 2 }, { b: 2, a: 1 })).toBe(true)
    expect(sameMap({ a: 1 }, { a: 2 })).toBe(false)
    expect(sameMap({ a: 1 }, { b: 1 })).toBe(false)
    expect(sameMap({ a: 1 }, { a: 1, b: 1 })).toBe(false)
    const [one, other] = [{ a: { port: 1 } }, { a: { port: 1 } }]
    expect(sameMap(one, other)).toBe(false)
    expect(sameMap(one, other, (a, b) => a.port === b.port)).toBe(true)
  })

  it('of maps take no inherited name for an entry', () => {
    const inherited: unknown = Reflect.get({}, 'toString')
    expect(sameMap<unknown>({ toString: inherited }, { a: 1 })).toBe(false)
  })
})

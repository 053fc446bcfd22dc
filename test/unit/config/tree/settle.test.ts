import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { settle } from '../../../../src/config/tree/settle.js'
import { anyTree } from './any-tree.js'

function isDeeplyFrozen(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true
  return Object.isFrozen(value) && Object.values(value).every(isDeeplyFrozen)
}

describe('settle', () => {
  it('freezes all through, and is the value before when nothing changed', () => {
    fc.assert(
      fc.property(anyTree, anyTree, (before, after) => {
        const first = settle(undefined, before)
        const next = settle(first, after)
        expect(next).toEqual(after)
        expect(isDeeplyFrozen(next)).toBe(true)
        expect(settle(next, structuredClone(after))).toBe(next)
      }),
    )
  })

  it('keeps the identity of every part that did not change', () => {
    const first = settle(undefined, { a: { x: [1, 2] }, b: { y: 1 } })
    const next = settle(first, { a: { x: [1, 2] }, b: { y: 2 } })
    expect(next).not.toBe(first)
    expect(next.a).toBe(first.a)
    expect(next.b).not.toBe(first.b)
  })

  it('neither changes nor freezes what it was given', () => {
    const given = { a: { b: 1 } }
    settle(undefined, given)
    expect(Object.isFrozen(given)).toBe(false)
    given.a.b = 2
    expect(given.a.b).toBe(2)
  })

  it('leaves instances of classes as they are', () => {
    const url = new URL('http://a')
    const bytes = Buffer.from('x')
    expect(settle(undefined, { url, bytes })).toEqual({ url, bytes })
    expect(settle(undefined, { url }).url).toBe(url)
  })

  it('makes __proto__ an own property if a schema yields one', () => {
    const settled: unknown = settle(undefined, JSON.parse('{"__proto__":{"x":1}}'))
    expect(Object.keys(settled as object)).toEqual(['__proto__'])
    expect((settled as { x?: number }).x).toBeUndefined()
  })
})

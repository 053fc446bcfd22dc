import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { changedPaths, leavesOf } from '../../../../src/config/tree/diff.js'
import { settle } from '../../../../src/config/tree/settle.js'
import { anyTreeObject } from './any-tree.js'

describe('changedPaths', () => {
  it.each<[string, object, object, string[]]>([
    ['an added leaf', {}, { a: { b: 1 } }, ['a.b']],
    ['a removed leaf', { a: { b: 1 }, c: 1 }, { c: 1 }, ['a.b']],
    ['a changed leaf', { a: 1, b: 2 }, { a: 1, b: 3 }, ['b']],
    ['a list, as a whole', { a: [1, 2] }, { a: [1, 3] }, ['a']],
    ['a leaf that becomes an object', { a: 1 }, { a: { b: 1 } }, ['a', 'a.b']],
    ['an object that becomes a leaf', { a: { b: 1 } }, { a: 1 }, ['a', 'a.b']],
    ['nothing, for equal lists', { a: [{ b: 1 }] }, { a: [{ b: 1 }] }, []],
    ['an object that becomes empty', { a: { b: 1 } }, { a: {} }, ['a', 'a.b']],
  ])('names %s', (_name, before, after, paths) => {
    expect(changedPaths(before, after)).toEqual(paths)
  })

  it('is empty exactly when the values are equal', () => {
    fc.assert(
      fc.property(anyTreeObject, anyTreeObject, (before, after) => {
        const first = settle(undefined, before)
        const isSame = settle(first, after) === first
        expect(changedPaths(before, after).length === 0).toBe(isSame)
      }),
    )
  })

  it('takes what throws when it is compared for another', () => {
    const strange = (): object =>
      new Proxy(new URL('http://a'), {
        ownKeys: () => {
          throw new Error('do not look at me')
        },
      })
    expect(changedPaths({ a: strange(), b: 1 }, { a: strange(), b: 1 })).toEqual(['a'])
  })
})

describe('leavesOf', () => {
  it('goes through objects and lists', () => {
    expect(leavesOf({ a: [{ b: 1 }, 2], c: {}, d: [] })).toEqual([
      { segments: ['a', '0', 'b'], value: 1 },
      { segments: ['a', '1'], value: 2 },
      { segments: ['c'], value: {} },
      { segments: ['d'], value: [] },
    ])
  })
})

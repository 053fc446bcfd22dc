import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { mergeTrees } from '../../../../src/config/tree/merge.js'
import { TreeProblem, type TreeObject } from '../../../../src/config/tree/tree.js'
import { anyTreeObject } from './any-tree.js'

describe('mergeTrees', () => {
  it('merges objects name by name and replaces everything else', () => {
    const lower = { db: { host: 'a', ports: [1, 2] }, log: 'info', x: { y: 1 } }
    const upper = { db: { host: 'b', ports: [3] }, x: 'flat', log: { level: 'debug' } }
    expect(mergeTrees(lower, upper)).toEqual({ db: { host: 'b', ports: [3] }, x: 'flat', log: { level: 'debug' } })
  })

  it('forgets what a layer between has replaced', () => {
    const layers: TreeObject[] = [{ a: { old: 1 } }, { a: 'flat' }, { a: {} }]
    expect(layers.reduce((lower, upper) => mergeTrees(lower, upper))).toEqual({ a: {} })
  })

  it('takes over what only one side has without a copy', () => {
    const lower: TreeObject = { kept: { deep: 1 }, shared: { a: 1 } }
    const merged = mergeTrees(lower, { shared: { b: 2 } })
    expect(merged['kept']).toBe(lower['kept'])
  })

  it('changes nothing for an empty layer, nor for one that was laid over already: the last one has won', () => {
    fc.assert(
      fc.property(anyTreeObject, anyTreeObject, anyTreeObject, (a, b, c) => {
        expect(mergeTrees(a, {})).toEqual(a)
        expect(mergeTrees({}, a)).toEqual(a)
        expect(mergeTrees(a, a)).toEqual(a)
        const merged = orRefused(() => mergeTrees(mergeTrees(a, b), c))
        if (merged !== undefined) expect(mergeTrees(merged, c)).toEqual(merged)
      }),
    )
  })

  it.each<[string, TreeObject, TreeObject]>([
    ['one item', { hosts: ['a', 'b', 'c'] }, { hosts: { 1: 'x' } }],
    ['a name', { hosts: ['a'] }, { hosts: { 'db.example.com': 'x' } }],
    ['an item of an empty list', { hosts: [] }, { hosts: { 1: 'x' } }],
  ])('refuses %s over a list, naming it', (_what, lower, upper) => {
    expect(() => mergeTrees({ db: lower }, { db: upper })).toThrow(
      expect.objectContaining({
        segments: ['db', 'hosts'],
        message: expect.stringMatching(/is a list in a layer below/) as string,
      }),
    )
  })

  it.each<[string, TreeObject, TreeObject, TreeObject]>([
    ['a list by a list', { hosts: ['a', 'b'] }, { hosts: ['c'] }, { hosts: ['c'] }],
    ['a list by a value', { hosts: ['a'] }, { hosts: 'c' }, { hosts: 'c' }],
    ['an object by a list', { hosts: { a: 1 } }, { hosts: ['c'] }, { hosts: ['c'] }],
    ['nothing by an empty object', { hosts: ['a'] }, { hosts: {} }, { hosts: {} }],
  ])('replaces %s', (_what, lower, upper, merged) => {
    expect(mergeTrees(lower, upper)).toEqual(merged)
  })
})

function orRefused(merge: () => TreeObject): TreeObject | undefined {
  try {
    return merge()
  } catch (error) {
    if (error instanceof TreeProblem) return undefined
    throw error
  }
}

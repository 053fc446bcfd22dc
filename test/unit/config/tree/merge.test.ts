import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { mergeTrees } from '../../../../src/config/tree/merge.js'
import type { TreeObject } from '../../../../src/config/tree/tree.js'
import { anyTreeObject } from './any-tree.js'

describe('mergeTrees', () => {
  it('merges objects name by name and replaces everything else', () => {
    const lower = { db: { host: 'a', ports: [1, 2] }, log: 'info', x: { y: 1 } }
    const upper = { db: { host: 'b', ports: [3] }, x: 'flat', log: { level: 'debug' } }
    expect(mergeTrees(lower, upper)).toEqual({ db: { host: 'b', ports: [3] }, x: 'flat', log: { level: 'debug' } })
  })

  it('forgets what a layer between has replaced', () => {
    const layers: TreeObject[] = [{ a: { old: 1 } }, { a: 'flat' }, { a: {} }]
    expect(layers.reduce(mergeTrees)).toEqual({ a: {} })
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
        const merged = mergeTrees(mergeTrees(a, b), c)
        expect(mergeTrees(merged, c)).toEqual(merged)
      }),
    )
  })
})

import { describe, expect, it } from 'vitest'
import { resolveLayers } from '../../../../src/config/layers/layer.js'
import { coverageOf, countForeign } from '../../../../src/config/source/coverage.js'
import { keepEntries, ownEntries } from '../../../../src/config/source/layer-state.js'
import { entriesOf } from '../pipeline.js'

describe('what must be read for all layers', () => {
  it.each<[string[], 'keys' | 'documents', string[], string | undefined]>([
    [['a'], 'keys', ['a/'], 'a/'],
    [['config/a', 'config/b'], 'keys', ['config/a/', 'config/b/'], 'config/'],
    [['config/a', 'config/ab'], 'keys', ['config/a/', 'config/ab/'], 'config/'],
    [['config/a', 'config/ab'], 'documents', ['config/a'], 'config/a'],
    [['x/y/a', 'x/b'], 'keys', ['x/b/', 'x/y/a/'], 'x/'],
    [['a', 'a/b'], 'keys', ['a/'], 'a/'],
    [['a', 'b'], 'keys', ['a/', 'b/'], undefined],
  ])('%j of %s', (layers, format, prefixes, cover) => {
    expect(coverageOf(resolveLayers(layers, false), format)).toEqual({ prefixes, cover })
  })

  it('is told from what belongs to others', () => {
    const layers = resolveLayers(['c/a', 'c/b'], false)
    expect(countForeign(layers, ['c/a/', 'c/b'])).toBe(0)
    expect(countForeign(layers, [])).toBe(0)
    expect(countForeign(layers, ['c/a/', 'c/ab/', 'c/a/x', 'c/'])).toBe(2)
  })
})

describe('entries', () => {
  it.each([
    ['keys', ['c/a/x']],
    ['documents', ['c/a/x', 'c/b']],
  ] as const)('are told apart by their layers of %s', (format, keys) => {
    const entries = entriesOf({ 'c/a/x': '1', 'c/ab/x': '1', 'c/b': '1', other: '1' })
    const own = ownEntries({ layers: resolveLayers(['c/a', 'c/b'], false), format }, entries)
    expect(own.map(({ key }) => key)).toEqual(keys)
  })

  it('stay the same objects as long as they do not change', () => {
    const first = entriesOf({ a: '1', b: '2', c: '3' })
    expect(keepEntries(first, entriesOf({ a: '1', b: '2', c: '3' }))).toBe(first)
    const next = keepEntries(first, [...entriesOf({ a: '1', b: 'x', c: '3' })])
    expect([next[0] === first[0], next[1] === first[1], next[2] === first[2]]).toEqual([true, false, true])
    const shorter = keepEntries(first, first.slice(1))
    expect(shorter).not.toBe(first)
    expect(shorter[0]).toBe(first[1])
    expect(keepEntries(first.slice(1), first)).toEqual(first)
  })
})

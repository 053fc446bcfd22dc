import { describe, expect, it } from 'vitest'
import { partAt, toTree, TreeProblem } from '../../../../src/config/tree/tree.js'

describe('toTree', () => {
  it('copies what a configuration can hold and leaves undefined out', () => {
    const value = { a: [1, 'x', null, { b: true }], c: undefined }
    const tree = toTree(value)
    expect(tree).toEqual({ a: [1, 'x', null, { b: true }] })
    expect(Object.keys(tree as object)).toEqual(['a'])
    expect(tree).not.toBe(value)
  })

  it('keeps names that other code trips over as plain own properties', () => {
    const tree = toTree(JSON.parse('{"constructor":{"prototype":{"x":1}},"toString":"y","hasOwnProperty":0}'))
    expect(partAt(tree, ['constructor', 'prototype', 'x'])).toBe(1)
    expect(({} as Record<string, unknown>)['x']).toBeUndefined()
  })

  const cyclic: Record<string, unknown> = {}
  cyclic['self'] = cyclic

  it.each<[string, unknown, RegExp]>([
    ['__proto__', JSON.parse('{"a":{"__proto__":{"x":1}}}'), /__proto__/],
    ['a cycle', cyclic, /nested more than 100 deep/],
    ['NaN', { a: NaN }, /NaN/],
    ['infinity', [Infinity], /Infinity/],
    ['a bigint', { a: 1n }, /a bigint/],
    ['a function', { a: () => 1 }, /a function/],
    ['a date', { a: new Date(0) }, /an object of a class/],
    ['a map', new Map(), /an object of a class/],
    ['too many values', { a: Array.from({ length: 1_000_001 }, () => 0) }, /more than 1000000 values/],
  ])('refuses %s', (_name, value, message) => {
    expect(() => toTree(value)).toThrow(TreeProblem)
    expect(() => toTree(value)).toThrow(message)
  })
})

describe('partAt', () => {
  it('finds own properties only', () => {
    expect(partAt({ a: [{ b: 1 }] }, ['a', '0', 'b'])).toBe(1)
    expect(partAt({}, ['constructor'])).toBeUndefined()
    expect(partAt({ a: 'text' }, ['a', 'length'])).toBeUndefined()
    expect(partAt({ a: null }, ['a', 'b'])).toBeUndefined()
  })
})

import { expect, it } from 'vitest'
import { deepFreeze } from '../../../src/core/deep-freeze.js'

it('freezes a tree all through, a circular one too', () => {
  const tree: { list: { a: number }[]; self?: unknown } = { list: [{ a: 1 }] }
  tree.self = tree
  expect(deepFreeze(tree)).toBe(tree)
  expect(() => tree.list[0] && (tree.list[0].a = 2)).toThrow(TypeError)
  expect(deepFreeze('text')).toBe('text')
  expect(deepFreeze(null)).toBeNull()
})

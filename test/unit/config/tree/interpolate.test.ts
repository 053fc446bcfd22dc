import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { interpolate } from '../../../../src/config/tree/interpolate.js'
import { TreeProblem, type TreeObject } from '../../../../src/config/tree/tree.js'
import { anyTreeObject } from './any-tree.js'

describe('interpolate', () => {
  it.each<[string, TreeObject, unknown]>([
    ['a reference in a text', { a: 'x-${b.c}-y', b: { c: 1 } }, 'x-1-y'],
    ['the type of a reference that stands alone', { a: '${b}', b: { c: [1] } }, { c: [1] }],
    ['references to references', { a: '${b}', b: '${c}!', c: 'x' }, 'x!'],
    ['a fallback', { a: '${nope:-x}' }, 'x'],
    ['an empty fallback', { a: '${nope:-}' }, ''],
    ['a fallback that is a reference', { a: '${nope:-${b}}', b: 2 }, 2],
    ['a fallback with a brace of its own', { a: '${nope:-${b:-y}}z' }, 'yz'],
    ['no fallback where the path exists', { a: '${b:-x}', b: false }, false],
    ['null where it stands alone', { a: '${b}', b: null }, null],
    ['an escaped one', { a: '$${b}', b: 1 }, '${b}'],
    ['a dollar sign', { a: '$5 and $' }, '$5 and $'],
    ['a quoted path', { a: '${b["x.y"]}', b: { 'x.y': 3 } }, 3],
    ['an item of a list', { a: '${b.1}', b: ['x', 'y'] }, 'y'],
    ['spaces around a path', { a: '${ b }', b: 1 }, 1],
  ])('replaces %s', (_name, tree, value) => {
    expect(interpolate(tree).tree['a']).toEqual(value)
  })

  it.each<[string, TreeObject, RegExp]>([
    ['itself', { a: '${a}' }, /refers to itself: a -> a/],
    ['a cycle', { a: '${b}', b: 'x${c}', c: '${a}' }, /refers to itself: a -> b -> c -> a/],
    ['what it is a part of', { a: { b: '${a}' } }, /which it is a part of/],
    ['a cycle through objects', { a: { x: '${b}' }, b: { y: '${a}' } }, /refers to itself|a part of/],
    ['nothing', { a: '${nope}' }, /refers to nope, which does not exist/],
    ['a prototype', { a: '${constructor.name}' }, /does not exist/],
    ['__proto__', { a: '${__proto__}' }, /does not exist/],
    ['an object in a text', { a: 'x${b}', b: {} }, /inside a text/],
    ['an open brace', { a: '${b' }, /without its "}"/],
  ])('refuses a reference to %s', (_name, tree, message) => {
    expect(() => interpolate(tree)).toThrow(TreeProblem)
    expect(() => interpolate(tree)).toThrow(message)
  })

  it('bounds what references can multiply to', () => {
    const texts = Object.fromEntries(
      Array.from({ length: 40 }, (_, n) => [`t${n}`, n === 0 ? 'x' : `\${t${n - 1}}\${t${n - 1}}`]),
    )
    expect(() => interpolate(texts)).toThrow(/grows beyond/)
    const objects = Object.fromEntries(
      Array.from({ length: 40 }, (_, n) => [`o${n}`, n === 0 ? 'x' : { a: `\${o${n - 1}}`, b: `\${o${n - 1}}` }]),
    )
    expect(() => interpolate(objects)).toThrow(/multiplies/)
  })

  it('tells which text took over a value from where', () => {
    expect(interpolate({ url: 'a:${secret}@b', secret: 'x' }).flows).toEqual([{ from: ['secret'], to: ['url'] }])
  })

  it('never fails in another way, and leaves a tree without references as it is', () => {
    const text = fc
      .array(fc.constantFrom('$', '{', '}', ':-', 'a', 'b', '${a}', '${b:-', '.', '$$'), { maxLength: 8 })
      .map((parts) => parts.join(''))
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom('a', 'b', 'c'), text, { noNullPrototype: true }), (tree) => {
        try {
          interpolate(tree)
        } catch (error) {
          expect(error).toBeInstanceOf(TreeProblem)
        }
      }),
    )
    fc.assert(
      fc.property(anyTreeObject, (tree) => {
        if (!JSON.stringify(tree).includes('${')) expect(interpolate(tree).tree).toEqual(tree)
      }),
    )
  })
})

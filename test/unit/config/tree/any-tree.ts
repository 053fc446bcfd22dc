import fc from 'fast-check'
import type { Tree, TreeObject } from '../../../../src/config/tree/tree.js'

const name = fc.oneof(
  fc.constantFrom('a', 'b', 'c', '0', '1', 'constructor', 'prototype', 'toString', 'a.b', ''),
  fc.string({ maxLength: 4 }).filter((text) => text !== '__proto__'),
)

/** Any tree at all, with few names, so that trees overlap. */
export const anyTree: fc.Arbitrary<Tree> = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.string({ maxLength: 6 }),
    fc.boolean(),
    fc.constant(null),
    fc.integer(),
    fc.array(tie('tree'), { maxLength: 3 }),
    fc.dictionary(name, tie('tree'), { maxKeys: 4, noNullPrototype: true }),
  ),
})).tree

/** Any object of a tree. */
export const anyTreeObject: fc.Arbitrary<TreeObject> = fc.dictionary(name, anyTree, {
  maxKeys: 4,
  noNullPrototype: true,
})

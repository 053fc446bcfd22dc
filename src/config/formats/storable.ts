import { leavesOf } from '../tree/diff.js'
import { TreeProblem, type Tree } from '../tree/tree.js'

/** Makes sure that keys of the store can hold a tree. An empty document is no keys. @throws TreeProblem for what none can hold */
export function expectStorable(tree: Tree): void {
  for (const { segments, value } of leavesOf(tree)) {
    if (typeof value !== 'object' || segments.length === 0) continue
    const what = value === null ? 'null' : Array.isArray(value) ? 'an empty list' : 'an empty object'
    throw new TreeProblem(`is ${what}, which no key can hold: leave it out`, segments)
  }
}

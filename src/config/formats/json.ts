import { toTree, type Tree } from '../tree/tree.js'
import { DocumentProblem, positionAt } from './document.js'
import { jsonFault } from './json-fault.js'

/** Reads a JSON document. */
export function parseJson(text: string): Tree {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new DocumentProblem('is not JSON', positionAt(text, jsonFault(text)))
  }
  return toTree(value)
}

import { toTree, type Tree } from '../tree/tree.js'
import { DocumentProblem, positionAt } from './document.js'
import { jsonFault, repeatedName } from './json-fault.js'
import { expectStorable } from './storable.js'

/** Reads a JSON document. One that is empty, or null, is an empty object, as it is in every format. */
export function parseJson(text: string): Tree {
  return toTree(valueOf(text) ?? {})
}

/** A string, or a word that is no string. Within a text that is JSON nothing else matches. */
const TOKEN = /"(?:[^"\\]|\\.)*"|[-\w.+]+/g

/**
 * Reads a JSON document for people who want each value stored as it is written: numbers and booleans are texts. A name that one object
 * gives twice is refused, as is what {@link parseJson} refuses and what no key can hold.
 */
export function parseJsonAsWritten(text: string): Tree {
  expectStorable(parseJson(text))
  const repeated = repeatedName(text)
  if (repeated !== undefined) throw new DocumentProblem('gives a name twice', positionAt(text, repeated))
  const quoted = text.replace(TOKEN, (token) => (token.startsWith('"') ? token : JSON.stringify(token)))
  return text.trim() === 'null' ? {} : toTree(valueOf(quoted) ?? {})
}

function valueOf(text: string): unknown {
  if (text.trim() === '') return undefined
  try {
    return JSON.parse(text)
  } catch {
    throw new DocumentProblem('is not JSON', positionAt(text, jsonFault(text)))
  }
}

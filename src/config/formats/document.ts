import type { Tree } from '../tree/tree.js'

/** The seam between a layer and the format in which it is written. */

/** Where in a document something is wrong: counted from 1. */
export interface Position {
  readonly line: number
  readonly column: number
}

/** A document that cannot be read. Its message names what is wrong and never quotes the document, which may hold secrets. */
export class DocumentProblem extends Error {
  readonly position: Position | undefined

  constructor(message: string, position?: Position) {
    super(message)
    this.position = position
  }
}

/** Reads one document. @throws DocumentProblem or TreeProblem */
export type ParseDocument = (text: string, key: string) => Tree

/** The line and column of an offset. */
export function positionAt(text: string, offset: number): Position {
  const before = text.slice(0, offset)
  const lineStart = before.lastIndexOf('\n') + 1
  return { line: before.split('\n').length, column: offset - lineStart + 1 }
}

import { TreeProblem, type Tree } from '../tree/tree.js'
import { DocumentProblem, type Position } from './document.js'
import { joinParts, NestedValues, nameParts, type NameParts } from './nested-values.js'

/**
 * Reads Java properties (https://docs.oracle.com/en/java/javase/21/docs/api/java.base/java/util/Properties.html#load(java.io.Reader)):
 * `#` and `!` begin comments, `=`, `:` or space ends a name, a backslash at the end of a line goes on in the next. Names nest by dots,
 * `servers[0]` names an item of a list, and dots within brackets are part of a name. A name that is given twice counts the last time.
 */
export function parseProperties(text: string, read: (text: string) => Tree): Tree {
  const values = new NestedValues()
  const places: { readonly parts: NameParts; readonly position: Position }[] = []
  for (const { line, content } of logicalLines(text)) {
    const { name, value } = split(content)
    const parts = joinParts(dottedNames(unescape(name, line)).map(nameParts))
    const position = { line, column: 1 }
    const problem = values.set(parts, read(unescape(value, line)))
    if (problem !== undefined) throw new DocumentProblem(problem, position)
    places.push({ parts, position })
  }
  try {
    return values.toTree()
  } catch (error) {
    if (!(error instanceof TreeProblem)) throw error
    const { message, segments } = error
    const place = places.find(({ parts }) => segments.every((segment, index) => segment === parts.segments[index]))
    throw new DocumentProblem(message, place?.position)
  }
}

/** The parts between the dots; those within brackets part nothing. */
function dottedNames(name: string): readonly string[] {
  return name.includes('[') ? (name.match(/(?:\[[^[\]]*\]|[^.])+|(?<=^|\.)(?=\.|$)/g) ?? [name]) : name.split('.')
}

interface LogicalLine {
  /** Number of the first of its lines, from 1. */
  readonly line: number
  readonly content: string
}

function logicalLines(text: string): LogicalLine[] {
  const lines: LogicalLine[] = []
  let open: LogicalLine | undefined
  for (const [index, natural] of text.split(/\r\n|\r|\n/).entries()) {
    const trimmed = natural.replace(/^[ \t\f]+/, '')
    if (open === undefined && (trimmed === '' || /^[#!]/.test(trimmed))) continue
    const goesOn = /(?:^|[^\\])(?:\\\\)*\\$/.test(trimmed)
    const content = (open?.content ?? '') + (goesOn ? trimmed.slice(0, -1) : trimmed)
    const line: LogicalLine = { line: open?.line ?? index + 1, content }
    open = goesOn ? line : undefined
    if (!goesOn) lines.push(line)
  }
  if (open !== undefined) lines.push(open)
  return lines
}

function split(content: string): { name: string; value: string } {
  const [name = ''] = /^(?:[^\\=: \t\f]|\\.)*/.exec(content) ?? []
  const [separator = ''] = /^[ \t\f]*[=:]?[ \t\f]*/.exec(content.slice(name.length)) ?? []
  return { name, value: content.slice(name.length + separator.length) }
}

const ESCAPED: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', f: '\f' }

function unescape(text: string, line: number): string {
  return text.replace(
    /\\(?:u([\da-fA-F]{4})|(.?))/g,
    (_all, code: string | undefined, character: string | undefined) => {
      if (code !== undefined) return String.fromCharCode(Number.parseInt(code, 16))
      if (character === 'u') throw new DocumentProblem('has a \\u without its four hex digits', { line, column: 1 })
      return ESCAPED[character ?? ''] ?? character ?? ''
    },
  )
}

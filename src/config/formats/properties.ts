import type { Tree } from '../tree/tree.js'
import { DocumentProblem } from './document.js'
import { NestedValues, nameSegments } from './nested-values.js'

/**
 * Reads Java properties (https://docs.oracle.com/en/java/javase/21/docs/api/java.base/java/util/Properties.html#load(java.io.Reader)):
 * `#` and `!` begin comments, `=`, `:` or space ends a name, a backslash at the end of a line goes on in the next. Names nest by dots,
 * and `servers[0]` names an item of a list. A name that is given twice counts the last time.
 */
export function parseProperties(text: string, read: (text: string) => Tree): Tree {
  const values = new NestedValues()
  for (const { line, content } of logicalLines(text)) {
    const { name, value } = split(content)
    const problem = values.set(unescape(name, line).split('.').flatMap(nameSegments), read(unescape(value, line)))
    if (problem !== undefined) throw new DocumentProblem(problem, { line, column: 1 })
  }
  return values.toTree()
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

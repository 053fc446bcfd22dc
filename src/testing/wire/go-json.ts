import { firstJsonValue, JsonScanError } from './go-json-scanner.js'

/** JSON as Go writes it: HTML-safe escapes, 64-bit integers in full, four spaces and a last line feed when pretty. */

const HTML_UNSAFE = /[&<>\u2028\u2029]/
const HTML_UNSAFE_ALL = /[&<>\u2028\u2029]/g
/** Unlikely in any payload; marks a number that JavaScript cannot print in full. */
const BIG_MARK = '\u0001uint64:'
const BIG_MARKED = /"\\u0001uint64:(\d+)"/g

/** The text of a value. Numbers beyond 2^53 are given as bigint; keys that are undefined are left out. */
export function encodeGoJson(value: unknown, pretty: boolean): string {
  const text = escapeHtml(stringify(value, pretty))
  return pretty ? `${text}\n` : text
}

function stringify(value: unknown, pretty: boolean): string {
  const indent = pretty ? 4 : undefined
  try {
    return JSON.stringify(value, undefined, indent)
  } catch (error) {
    // JSON.stringify throws a TypeError at a bigint. Values with one are rare, so the common path has no replacer to pay for.
    if (!(error instanceof TypeError)) throw error
    const replacer = (_key: string, entry: unknown): unknown =>
      typeof entry === 'bigint' ? `${BIG_MARK}${entry.toString()}` : entry
    return JSON.stringify(value, replacer, indent).replace(BIG_MARKED, '$1')
  }
}

function escapeHtml(text: string): string {
  if (!HTML_UNSAFE.test(text)) return text
  return text.replace(HTML_UNSAFE_ALL, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** What a text that is no JSON says about itself, in Go's words. */
export class GoJsonError extends Error {
  override readonly name = 'GoJsonError'
}

/**
 * The first value of a JSON text.
 * @throws GoJsonError in Go's own words: `EOF`, `unexpected EOF`, `invalid character 'x' looking for beginning of value`.
 */
export function parseGoJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return value
  } catch {
    return parseFirst(text)
  }
}

function parseFirst(text: string): unknown {
  try {
    const value: unknown = JSON.parse(firstJsonValue(text))
    return value
  } catch (error) {
    if (error instanceof JsonScanError) throw new GoJsonError(error.message)
    throw error
  }
}

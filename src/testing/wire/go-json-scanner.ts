/** Finds the first JSON value of a text, with the messages of Go's scanner for a text that has none (encoding/json). */

/** Where the scanner cannot go on, in Go's words. */
export class JsonScanError extends Error {
  override readonly name = 'JsonScanError'
}

const LITERALS: Readonly<Record<string, string>> = { t: 'true', f: 'false', n: 'null' }
const ESCAPES = 'bfnrt\\/"'
const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  '\u0007': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
  "'": "\\'",
}

/**
 * The text of the first value: Go reads one, and does not look at what follows it.
 * @throws JsonScanError `EOF`, `unexpected EOF`, `invalid character 'x' looking for beginning of value`, and so on.
 */
export function firstJsonValue(text: string): string {
  const scanner = new Scanner(text)
  scanner.skipSpace()
  if (scanner.isAtEnd) throw new JsonScanError('EOF')
  const start = scanner.at
  scanner.value()
  return text.slice(start, scanner.at)
}

class Scanner {
  readonly #text: string
  at = 0

  constructor(text: string) {
    this.#text = text
  }

  get isAtEnd(): boolean {
    return this.at >= this.#text.length
  }

  skipSpace(): void {
    while (!this.isAtEnd && ' \t\r\n'.includes(this.#text.charAt(this.at))) this.at += 1
  }

  value(): void {
    const first = this.#next()
    if (first === '{') this.#members()
    else if (first === '[') this.#elements()
    else if (first === '"') this.#string()
    else if (first === '-' || isDigit(first)) this.#number(first)
    else this.#literal(first)
  }

  #members(): void {
    if (this.#nextVisible() === '}') return
    this.at -= 1
    for (;;) {
      this.#expect('"', this.#nextVisible(), 'looking for beginning of object key string')
      this.#string()
      this.#expect(':', this.#nextVisible(), 'after object key')
      this.skipSpace()
      this.value()
      const end = this.#nextVisible()
      if (end === '}') return
      this.#expect(',', end, 'after object key:value pair')
    }
  }

  #elements(): void {
    if (this.#nextVisible() === ']') return
    this.at -= 1
    for (;;) {
      this.skipSpace()
      this.value()
      const end = this.#nextVisible()
      if (end === ']') return
      this.#expect(',', end, 'after array element')
    }
  }

  #string(): void {
    for (;;) {
      const character = this.#next()
      if (character === '"') return
      if (character < ' ') throw invalid(character, 'in string literal')
      if (character === '\\') this.#escape()
    }
  }

  #escape(): void {
    const character = this.#next()
    if (character !== 'u') {
      if (!ESCAPES.includes(character)) throw invalid(character, 'in string escape code')
      return
    }
    for (let digits = 0; digits < 4; digits += 1) {
      const digit = this.#next()
      if (!/[0-9a-fA-F]/.test(digit)) throw invalid(digit, 'in \\u hexadecimal character escape')
    }
  }

  #number(first: string): void {
    const leading = first === '-' ? this.#digit('in numeric literal') : first
    if (leading !== '0') this.#digits()
    if (this.#take('.')) {
      this.#digit('after decimal point in numeric literal')
      this.#digits()
    }
    if (this.#take('e') || this.#take('E')) {
      if (!this.#take('+')) this.#take('-')
      this.#digit('in exponent of numeric literal')
      this.#digits()
    }
  }

  #literal(first: string): void {
    const word = LITERALS[first]
    if (word === undefined) throw invalid(first, 'looking for beginning of value')
    for (const letter of word.slice(1)) this.#expect(letter, this.#next(), `in literal ${word} (expecting '${letter}')`)
  }

  #digit(where: string): string {
    const character = this.#next()
    if (!isDigit(character)) throw invalid(character, where)
    return character
  }

  #digits(): void {
    while (!this.isAtEnd && isDigit(this.#text.charAt(this.at))) this.at += 1
  }

  #take(character: string): boolean {
    if (this.#text.charAt(this.at) !== character) return false
    this.at += 1
    return true
  }

  #expect(wanted: string, found: string, where: string): void {
    if (found !== wanted) throw invalid(found, where)
  }

  #nextVisible(): string {
    this.skipSpace()
    return this.#next()
  }

  #next(): string {
    if (this.isAtEnd) throw new JsonScanError('unexpected EOF')
    return this.#text.charAt(this.at++)
  }
}

function isDigit(character: string): boolean {
  return character >= '0' && character <= '9'
}

function invalid(character: string, where: string): JsonScanError {
  return new JsonScanError(`invalid character '${shown(character)}' ${where}`)
}

/** Go looks at bytes: of a character of several, the first is named. */
function shown(character: string): string {
  const [byte = 0] = Buffer.from(character)
  const named = String.fromCharCode(byte)
  if (byte < 0x20 || byte === 0x7f) return SHORT_ESCAPES[named] ?? `\\x${byte.toString(16).padStart(2, '0')}`
  return SHORT_ESCAPES[named] ?? (byte >= 0x80 && byte < 0xa0 ? `\\u00${byte.toString(16)}` : named)
}

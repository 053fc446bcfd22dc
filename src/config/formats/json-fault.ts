/**
 * Finds where a text stops being JSON. What `JSON.parse` throws quotes the text, which may hold secrets, and does not always tell the
 * place.
 */

/** Offset of the first character that cannot be there; the length of the text when it ends too early. */
export function jsonFault(text: string): number {
  const scanner = new Scanner(text)
  scanner.document()
  return scanner.at
}

/** Offset of the first name that its object has already, in a text that is JSON; undefined when there is none. */
export function repeatedName(text: string): number | undefined {
  const scanner = new Scanner(text)
  scanner.document()
  return scanner.repeated
}

const LITERAL = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*"/y
const SPACE = /[ \t\r\n]*/y
/** An unclosed string is faulty where it begins to be: at its first bad character, or at the end. */
const STRING_START = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*/y

/** Each method moves on over what it names and returns whether it was whole. */
class Scanner {
  at = 0
  repeated: number | undefined
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  document(): void {
    if (this.#value()) this.#skip(SPACE)
  }

  #value(): boolean {
    this.#skip(SPACE)
    if (this.#text[this.at] === '{') {
      const names = new Set<string>()
      return this.#sequence('}', () => this.#property(names))
    }
    if (this.#text[this.at] === '[') return this.#sequence(']', () => this.#value())
    return this.#text[this.at] === '"' ? this.#string() : this.#skip(LITERAL)
  }

  #property(names: Set<string>): boolean {
    this.#skip(SPACE)
    const start = this.at
    if (!this.#string()) return false
    const name = String(JSON.parse(this.#text.slice(start, this.at)))
    if (names.has(name)) this.repeated ??= start
    names.add(name)
    return this.#sign(':') && this.#value()
  }

  #sequence(end: string, item: () => boolean): boolean {
    this.at += 1
    if (this.#sign(end)) return true
    while (item()) {
      if (this.#sign(end)) return true
      if (!this.#sign(',')) return false
    }
    return false
  }

  #string(): boolean {
    if (this.#skip(STRING)) return true
    this.#skip(STRING_START)
    return false
  }

  #sign(sign: string): boolean {
    this.#skip(SPACE)
    if (this.#text[this.at] !== sign) return false
    this.at += 1
    return true
  }

  #skip(pattern: RegExp): boolean {
    pattern.lastIndex = this.at
    const [match] = pattern.exec(this.#text) ?? []
    this.at += match?.length ?? 0
    return match !== undefined
  }
}

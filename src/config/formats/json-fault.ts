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

const LITERAL = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*"/y
const SPACE = /[ \t\r\n]*/y
/** An unclosed string is faulty where it begins to be: at its first bad character, or at the end. */
const STRING_START = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*/y

/** Each method moves on over what it names and returns whether it was whole. */
class Scanner {
  at = 0
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  document(): void {
    if (this.#value()) this.#skip(SPACE)
  }

  #value(): boolean {
    this.#skip(SPACE)
    if (this.#text[this.at] === '{') return this.#sequence('}', () => this.#property())
    if (this.#text[this.at] === '[') return this.#sequence(']', () => this.#value())
    return this.#text[this.at] === '"' ? this.#string() : this.#skip(LITERAL)
  }

  #property(): boolean {
    this.#skip(SPACE)
    return this.#string() && this.#sign(':') && this.#value()
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

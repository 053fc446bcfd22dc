import { FilterError } from './expression.js'

/**
 * Reads a text from left to right with room for second thoughts. It remembers how far any attempt got and what would have been welcome
 * there, for that is what the real agent's error message tells.
 */
export class Scanner {
  readonly #text: string
  #at = 0
  #farthest = 0
  #expected = new Set<string>()

  constructor(text: string) {
    this.#text = text
  }

  get position(): number {
    return this.#at
  }

  /** Whether these characters come next; if so, they are read. */
  literal(word: string): boolean {
    return this.#take(this.#text.startsWith(word, this.#at) ? word.length : 0, JSON.stringify(word))
  }

  /** Whether one character of a class comes next; if so, it is read. `label` is the class as the grammar writes it. */
  one(allowed: RegExp, label: string): string | undefined {
    const character = this.#text.charAt(this.#at)
    const isAllowed = character !== '' && allowed.test(character)
    return this.#take(isAllowed ? 1 : 0, label) ? character : undefined
  }

  /** As many characters of a class as there are. */
  many(allowed: RegExp, label: string): string {
    let found = ''
    for (let next = this.one(allowed, label); next !== undefined; next = this.one(allowed, label)) found += next
    return found
  }

  /** White space that may be absent. */
  maybeSpace(): void {
    this.many(/[ \t\r\n]/, SPACE)
  }

  /** White space that must be there. */
  space(): boolean {
    return this.many(/[ \t\r\n]/, SPACE) !== ''
  }

  /** Whether one character of a class comes next; it is not read. */
  peek(allowed: RegExp): boolean {
    return allowed.test(this.#text.charAt(this.#at))
  }

  atEnd(): boolean {
    if (this.#at >= this.#text.length) return true
    this.#note(END)
    return false
  }

  /** Tries something; when it fails, reading goes on from where it began. */
  attempt<Result>(read: () => Result | undefined): Result | undefined {
    const before = this.#at
    const result = read()
    if (result === undefined) this.#at = before
    return result
  }

  /** The error for a text that no attempt could read to its end. */
  failure(): FilterError {
    const words = [...this.#expected].filter((label) => label !== END).sort()
    if (this.#expected.has(END)) words.push(END)
    const last = words.pop() ?? ''
    const list = words.length === 0 ? last : `${words.join(', ')} or ${last}`
    return new FilterError(`${this.#where(this.#farthest)}: no match found, expected: ${list}`)
  }

  /** The error of a rule that knows better than "no match found". */
  ruleFailure(rule: string, reason: string, at = this.#at): FilterError {
    return new FilterError(`${this.#where(at)}: rule ${JSON.stringify(rule)}: ${reason}`)
  }

  #take(length: number, label: string): boolean {
    if (length === 0) {
      this.#note(label)
      return false
    }
    this.#at += length
    return true
  }

  #note(label: string): void {
    if (this.#at < this.#farthest) return
    if (this.#at > this.#farthest) this.#expected = new Set()
    this.#farthest = this.#at
    this.#expected.add(label)
  }

  #where(at: number): string {
    const lines = this.#text.slice(0, at).split('\n')
    return `${lines.length}:${(lines.at(-1)?.length ?? 0) + 1} (${at})`
  }
}

const SPACE = '[ \\t\\r\\n]'

/** Named last, whatever else would have been welcome. */
const END = 'EOF'

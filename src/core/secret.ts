import { inspect } from 'node:util'

const SHOWN = '[secret]'

/** Holds a token or a password so that printing, inspecting or serialising whatever contains it shows nothing. */
export class Secret {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
  }

  /** The value itself. Pass it on to the wire and nowhere else. */
  reveal(): string {
    return this.#value
  }

  /** `text` with every occurrence of the value, also in its URL-encoded form, replaced. */
  redact(text: string): string {
    if (this.#value === '') return text
    return text.replaceAll(this.#value, SHOWN).replaceAll(encodeURIComponent(this.#value), SHOWN)
  }

  toString(): string {
    return SHOWN
  }

  toJSON(): string {
    return SHOWN
  }

  [inspect.custom](): string {
    return SHOWN
  }
}

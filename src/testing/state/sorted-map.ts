/** A map whose keys are kept in order, for what asks by prefix. */
export class SortedMap<Value> {
  readonly #values = new Map<string, Value>()
  readonly #keys: string[] = []

  get size(): number {
    return this.#keys.length
  }

  get(key: string): Value | undefined {
    return this.#values.get(key)
  }

  set(key: string, value: Value): void {
    if (!this.#values.has(key)) this.#keys.splice(this.#position(key), 0, key)
    this.#values.set(key, value)
  }

  delete(key: string): boolean {
    if (!this.#values.delete(key)) return false
    this.#keys.splice(this.#position(key), 1)
    return true
  }

  /** The values whose keys start with a prefix, in order. */
  *startingWith(prefix: string): IterableIterator<Value> {
    for (let at = this.#position(prefix); at < this.#keys.length; at++) {
      const key = this.#keys[at] ?? ''
      if (!key.startsWith(prefix)) return
      const value = this.#values.get(key)
      if (value !== undefined) yield value
    }
  }

  /** All keys with their values, in order. */
  *entries(): IterableIterator<readonly [string, Value]> {
    for (const key of [...this.#keys]) {
      const value = this.#values.get(key)
      if (value !== undefined) yield [key, value]
    }
  }

  /** The longest beginning that a key shares with any other key: the neighbourhood in which it would lie. */
  neighbourhoodOf(key: string): string {
    const at = this.#position(key)
    const lengths = [this.#keys[at - 1], this.#keys[at], this.#keys[at + 1]].map((other) =>
      other === undefined || other === key ? 0 : commonLength(other, key),
    )
    return key.slice(0, Math.max(...lengths))
  }

  /** Where a key is, or would be. */
  #position(key: string): number {
    let low = 0
    let high = this.#keys.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#keys[middle] ?? '') < key) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** How many characters two texts share at their beginning. */
export function commonLength(left: string, right: string): number {
  let length = 0
  while (length < left.length && length < right.length && left.charCodeAt(length) === right.charCodeAt(length)) length++
  return length
}

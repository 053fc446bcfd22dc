/**
 * The current value, for any number of readers at their own pace. A reader that is slow skips what was replaced meanwhile, so that
 * memory stays bounded: latest wins.
 */
export class LatestValue<T> {
  readonly #waiting = new Set<() => void>()
  #current: { readonly value: T } | undefined
  #closed = false

  /** Replaces the value. */
  publish(value: T): void {
    this.#current = { value }
    this.#wake()
  }

  /** Ends every iteration, also one that waits. */
  close(): void {
    this.#closed = true
    this.#wake()
  }

  /** Yields the current value first, once there is one, then the latest whenever it is another. Ends when closed. */
  async *iterate(): AsyncGenerator<T, void, undefined> {
    let seen: { readonly value: T } | undefined
    while (!this.#closed) {
      const current = this.#current
      if (current === seen || current === undefined) {
        await new Promise<void>((resolve) => this.#waiting.add(resolve))
      } else {
        seen = current
        yield current.value
      }
    }
  }

  #wake(): void {
    for (const wake of this.#waiting) wake()
    this.#waiting.clear()
  }
}

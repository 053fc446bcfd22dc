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

  /**
   * Yields the current value first, once there is one, then the latest whenever it is another. Ends when closed, or when the reader
   * returns, which also ends a `next` that waits.
   * @param read what a published value has become when it is yielded. Default: the value itself.
   */
  iterate(read: (published: T) => T = (published) => published): AsyncIterableIterator<T, void, undefined> {
    let seen: { readonly value: T } | undefined
    let hasReturned = false
    const next = async (): Promise<IteratorResult<T, void>> => {
      while (!this.#closed && !hasReturned) {
        const current = this.#current
        if (current !== undefined && current !== seen) {
          seen = current
          return { done: false, value: read(current.value) }
        }
        await new Promise<void>((resolve) => this.#waiting.add(resolve))
      }
      return { done: true, value: undefined }
    }
    const end = (): Promise<IteratorResult<T, void>> => {
      hasReturned = true
      this.#wake()
      return Promise.resolve({ done: true, value: undefined })
    }
    const iterator = { next, return: end, [Symbol.asyncIterator]: () => iterator }
    return iterator
  }

  #wake(): void {
    for (const wake of this.#waiting) wake()
    this.#waiting.clear()
  }
}

/**
 * The latest value, for any number of readers at their own pace. A reader that is slow skips what was replaced meanwhile, so that memory
 * stays bounded: latest wins.
 */
export class LatestValue<T> {
  readonly #read: () => T
  readonly #waiting = new Set<() => void>()
  /** Counts what was published. */
  #version = 0
  #isClosed = false

  /** @param read what the value is at the moment at which it is yielded */
  constructor(read: () => T) {
    this.#read = read
  }

  /** The value is there for the first time, or is another. */
  publish(): void {
    this.#version += 1
    this.#wake()
  }

  /** Ends every iteration, also one that waits. */
  close(): void {
    this.#isClosed = true
    this.#wake()
  }

  /**
   * Yields the present value first, once there is one, then the latest whenever it is another. Ends when closed, or when the reader
   * returns, which also ends a `next` that waits.
   */
  iterate(): AsyncIterableIterator<T, void, undefined> {
    let seen = 0
    let hasReturned = false
    const next = async (): Promise<IteratorResult<T, void>> => {
      while (!this.#isClosed && !hasReturned) {
        if (this.#version !== seen) {
          seen = this.#version
          return { done: false, value: this.#read() }
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

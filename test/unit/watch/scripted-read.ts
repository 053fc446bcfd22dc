import type { WatchRead, WatchReading } from '../../../src/watch/watch-query.js'

interface Pending<T> {
  readonly request: WatchRead
  readonly resolve: (reading: WatchReading<T>) => void
  readonly reject: (error: unknown) => void
}

/** A reader whose answers a test gives by hand, in the order in which they were asked for. */
export class ScriptedRead<T> {
  /** Every request so far. */
  readonly requests: WatchRead[] = []
  readonly #pending: Pending<T>[] = []

  readonly read = async (request: WatchRead): Promise<WatchReading<T>> => {
    this.requests.push(request)
    return await new Promise((resolve, reject) => {
      this.#pending.push({ request, resolve, reject })
      request.signal.addEventListener('abort', () => reject(request.signal.reason as Error), { once: true })
    })
  }

  /** Requests that were not answered yet. */
  get pending(): number {
    return this.#pending.length
  }

  /** The request that is answered next. Throws when there is none. */
  get next(): WatchRead {
    return this.#first().request
  }

  answer(value: T, meta: WatchReading<T>['meta'] = {}): void {
    this.#first().resolve({ value, meta })
    this.#pending.shift()
  }

  fail(error: unknown): void {
    this.#first().reject(error)
    this.#pending.shift()
  }

  #first(): Pending<T> {
    const [first] = this.#pending
    if (first === undefined) throw new Error('nothing was asked')
    return first
  }
}

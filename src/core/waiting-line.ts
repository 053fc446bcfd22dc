import { abortError, throwIfAborted } from './abort.js'
import type { ProconsulError } from '../errors/proconsul-error.js'

/** One caller in a line. */
export interface Waiter<Value, Request> {
  /** What the caller asks for. */
  readonly request: Request
  /** Ends the wait with a value. */
  give(value: Value): void
  /** Ends the wait with an error. */
  refuse(error: ProconsulError): void
}

/** Callers that wait for a value, in the order in which they came. A caller whose signal is aborted leaves the line at once. */
export class WaitingLine<Value, Request = void> {
  readonly #waiters = new Set<Waiter<Value, Request>>()

  /** How many callers wait. */
  get size(): number {
    return this.#waiters.size
  }

  /** Waits until it is given a value. Rejects when it is refused, or as soon as the signal is aborted; leaves no listener behind. */
  async wait(request: Request, signal?: AbortSignal): Promise<Value> {
    throwIfAborted(signal)
    return await new Promise<Value>((resolve, reject) => {
      const end = (): void => {
        this.#waiters.delete(waiter)
        signal?.removeEventListener('abort', leave)
      }
      const leave = (): void => waiter.refuse(abortError(signal))
      const waiter: Waiter<Value, Request> = {
        request,
        give: (value) => {
          end()
          resolve(value)
        },
        refuse: (error) => {
          end()
          reject(error)
        },
      }
      this.#waiters.add(waiter)
      signal?.addEventListener('abort', leave, { once: true })
    })
  }

  /** The caller that has waited longest, of those whose request matches. It stays in the line until it is given a value or refused. */
  first(matches?: (request: Request) => boolean): Waiter<Value, Request> | undefined {
    for (const waiter of this.#waiters) if (matches === undefined || matches(waiter.request)) return waiter
    return undefined
  }

  /** Gives everyone the value. */
  giveAll(value: Value): void {
    for (const waiter of [...this.#waiters]) waiter.give(value)
  }

  /** Refuses everyone. */
  refuseAll(error: ProconsulError): void {
    for (const waiter of [...this.#waiters]) waiter.refuse(error)
  }

  /** Everyone who waits at this moment. */
  [Symbol.iterator](): IterableIterator<Waiter<Value, Request>> {
    return [...this.#waiters].values()
  }
}

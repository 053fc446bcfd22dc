import { AsyncLocalStorage } from 'node:async_hooks'

/**
 * Whose context code runs in (https://nodejs.org/api/async_context.html). What users hand over runs in the context of whoever handed it
 * over; loops and timers run in none, so that a watch that was opened while a request was served does not carry that request for ever.
 */

const runInNone = AsyncLocalStorage.snapshot()

/** Runs `work`, and whatever it starts, in no context: that in which the package was loaded. */
export function outOfContext<T>(work: () => T): T {
  return runInNone(work)
}

/** The same function, always run in the context of this call. */
export function inThisContext<Arguments extends readonly unknown[], Result>(
  callback: (...args: Arguments) => Result,
): (...args: Arguments) => Result {
  const run = AsyncLocalStorage.snapshot()
  return (...args) => run(() => callback(...args))
}

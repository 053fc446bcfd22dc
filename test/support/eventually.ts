import { setTimeout as pause } from 'node:timers/promises'

/** How long to try. */
export interface EventuallyOptions {
  /** Give up after this many milliseconds. Default 5,000. */
  readonly within?: number
  /** Milliseconds between two tries. Default 20. */
  readonly every?: number
}

/**
 * Resolves with what `check` returns as soon as it returns without throwing. Tests use it in place of a sleep before an assertion.
 * Past the deadline it rejects with the last failure as `cause` and in the message.
 */
export async function eventually<T>(
  check: () => T | Promise<T>,
  { within = 5_000, every = 20 }: EventuallyOptions = {},
): Promise<T> {
  const deadline = performance.now() + within
  for (let tries = 1; ; tries++) {
    try {
      return await check()
    } catch (error) {
      if (performance.now() >= deadline) {
        const reason = error instanceof Error ? error.message : String(error)
        throw new Error(`not so within ${within} ms (${tries} tries): ${reason}`, { cause: error })
      }
    }
    await pause(every)
  }
}

import { isProconsulError, type ProconsulError } from '../errors/proconsul-error.js'
import { backoffMs, type BackoffOptions } from './backoff.js'
import type { Runtime } from './runtime.js'
import { sleep } from './sleep.js'

/** An answer may ask to wait for an hour, or until a date by a clock that is off: it is heeded up to this. */
export const LONGEST_RETRY_AFTER_MS = 10_000

/** How to go on trying. */
export interface PersistOptions {
  readonly runtime: Pick<Runtime, 'clock' | 'random'>
  readonly delays: BackoffOptions
  /** Ends the tries, also a pause between them. */
  readonly signal?: AbortSignal | undefined
  /** Whether a pause keeps the process running. Default true. */
  readonly keepAlive?: boolean
  /** The longest that a `Retry-After` is heeded. Default {@link LONGEST_RETRY_AFTER_MS}. */
  readonly longestRetryAfterMs?: number
  /** Whether to try again after this failure. Default: after one that may pass. */
  readonly mayRetry?: (error: ProconsulError) => boolean
  /** Hears of each failure after which it goes on, and how long it pauses. */
  readonly onFailure?: (error: ProconsulError, pauseMs: number) => void
}

/** Milliseconds to wait after failed try number `attempt` (0 is the first): the back-off, or what the answer asked for, within bounds. */
export function retryPauseMs(
  error: ProconsulError,
  attempt: number,
  { runtime, delays, longestRetryAfterMs = LONGEST_RETRY_AFTER_MS }: PersistOptions,
): number {
  const askedMs = Math.min(error.retryAfterMs ?? 0, longestRetryAfterMs)
  return Math.max(backoffMs(attempt, delays, runtime.random), askedMs)
}

/**
 * Tries until it succeeds. The one retry loop of the package; `http` repeats a single request within its deadline in its own way.
 * Rejects with what is no `ProconsulError`, with a failure that `mayRetry` declines, and as soon as the signal is aborted.
 */
export async function persist<T>(options: PersistOptions, attempt: (attempt: number) => Promise<T>): Promise<T> {
  const { runtime, signal, keepAlive, mayRetry = mayPass, onFailure } = options
  for (let count = 0; ; count += 1) {
    try {
      return await attempt(count)
    } catch (error) {
      if (signal?.aborted === true || !isProconsulError(error) || !mayRetry(error)) throw error
      const pauseMs = retryPauseMs(error, count, options)
      onFailure?.(error, pauseMs)
      await sleep(pauseMs, { clock: runtime.clock, signal, ...(keepAlive !== undefined && { keepAlive }) })
    }
  }
}

function mayPass({ retryable }: ProconsulError): boolean {
  return retryable
}

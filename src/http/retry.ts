import pRetry from 'p-retry'
import type { Clock } from '../core/clock.js'
import { sleep } from '../core/sleep.js'
import { lostConnection, neverConnected } from '../errors/network-failure.js'
import { isProconsulError, type ProconsulError } from '../errors/proconsul-error.js'

/** Repeats of one request after its first try. */
const REPEATS = 2
/** The first repeat comes after one to two times this: the usual cause, a kept connection that died, is over at once. */
const FIRST_DELAY_MS = 50
const LONGEST_DELAY_MS = 1_000

/** What bounds the repeats. */
export interface RetryOptions {
  readonly idempotent: boolean
  /** False: once at most, after a lost connection. */
  readonly repeat: boolean
  readonly clock: Clock
  /** The moment on the monotonic clock at which the caller gives up. */
  readonly giveUpAt: number
  readonly signal: AbortSignal
  /** Hears of every failed try. */
  readonly onFailure: (error: ProconsulError) => void
}

/** Runs a request, and again where that is safe: after an outage that may pass, and for a write only if it cannot have had an effect. */
export async function withRetries<T>(options: RetryOptions, attempt: () => Promise<T>): Promise<T> {
  return await pRetry(attempt, {
    retries: options.repeat ? REPEATS : 1,
    minTimeout: FIRST_DELAY_MS,
    maxTimeout: LONGEST_DELAY_MS,
    randomize: true,
    signal: options.signal,
    onFailedAttempt: ({ error }) => {
      if (isProconsulError(error)) options.onFailure(error)
    },
    // Asked after each try but the last. Whether there is time is decided before the wait that the agent asks for, and not again after it.
    shouldRetry: async ({ error }) => {
      if (!isProconsulError(error) || !mayRepeat(error, options)) return false
      if (error.retryAfterMs !== undefined) await sleep(error.retryAfterMs, options)
      return true
    },
  })
}

function mayRepeat(error: ProconsulError, { idempotent, repeat, clock, giveUpAt }: RetryOptions): boolean {
  if (!repeat && !lostConnection(error)) return false
  if (!error.retryable || clock.monotonic() + (error.retryAfterMs ?? 0) >= giveUpAt) return false
  return idempotent || error.code === 'PROCONSUL_RATE_LIMITED' || neverConnected(error)
}

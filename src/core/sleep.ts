import type { Clock } from './clock.js'
import { throwIfAborted, abortError } from './abort.js'

/** How to sleep. */
export interface SleepOptions {
  readonly clock: Clock
  /** Ends the sleep early: the promise rejects as {@link abortError} says, and the timer is gone. */
  readonly signal?: AbortSignal | undefined
  /** Whether the timer keeps the process running. Default true. */
  readonly keepAlive?: boolean
}

/** Resolves after `delayMs`, or rejects at once when the signal is aborted. */
export async function sleep(delayMs: number, { clock, signal, keepAlive = true }: SleepOptions): Promise<void> {
  throwIfAborted(signal)
  await new Promise<void>((resolve, reject) => {
    const wake = (): void => {
      signal?.removeEventListener('abort', stop)
      resolve()
    }
    const timer = clock.setTimer(wake, delayMs, { keepAlive })
    const stop = (): void => {
      timer.cancel()
      reject(abortError(signal))
    }
    signal?.addEventListener('abort', stop, { once: true })
  })
}

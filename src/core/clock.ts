/** Time as the loops see it. Injected, so that tests need not wait. */

/** A pending timer. Cancelling it twice, or after it fired, does nothing. */
export interface Timer {
  cancel(): void
}

/** A source of time. */
export interface Clock {
  /** Wall time in milliseconds since the epoch. It may jump; use it for time stamps only. */
  now(): number
  /** Milliseconds since some fixed moment. It never jumps; use it to measure and to plan. */
  monotonic(): number
  /** Calls `callback` once after `delayMs`. A timer with `keepAlive: false` does not keep the process running; the default is true. */
  setTimer(callback: () => void, delayMs: number, options?: { readonly keepAlive?: boolean }): Timer
}

/** The real time. */
export const systemClock: Clock = Object.freeze({
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer(callback: () => void, delayMs: number, options: { readonly keepAlive?: boolean } = {}): Timer {
    const handle = setTimeout(callback, delayMs)
    if (options.keepAlive === false) handle.unref()
    return { cancel: () => clearTimeout(handle) }
  },
})

/** A header may ask for an hour, or until a date by a clock that is off. Nobody here waits for longer than this because of one. */
const LONGEST_MS = 60_000

const SECONDS = /^\d+$/

/** A date begins with the name of a day (RFC 9110). Without this, `Date.parse` takes `-1` and `1.5` for dates as well. */
const DATE = /^[A-Z][a-z]+,? /

/** Milliseconds of a `Retry-After` header, from 0 to 60,000; undefined when it is neither a number of seconds nor an HTTP date. */
export function retryAfterMs(header: string | undefined, nowMs: number): number | undefined {
  const text = header?.trim() ?? ''
  if (SECONDS.test(text)) return bounded(Number(text) * 1_000)
  const dateMs = DATE.test(text) ? Date.parse(text) : NaN
  return Number.isNaN(dateMs) ? undefined : bounded(dateMs - nowMs)
}

function bounded(waitMs: number): number {
  return Math.min(LONGEST_MS, Math.max(0, waitMs))
}

/** A source of numbers from 0 (included) to 1 (excluded). */
export type Random = () => number

/** How long to wait between tries. */
export interface BackoffOptions {
  /** Ceiling of the first delay in milliseconds. */
  readonly firstMs: number
  /** Ceiling of every delay in milliseconds. */
  readonly maxMs: number
}

/**
 * The delay before try number `attempt` (0 is the first retry): a random share, from half to all, of a ceiling that doubles up to
 * `maxMs`. The random half spreads a fleet that failed at the same moment; the fixed half keeps one client from hammering.
 */
export function backoffMs(attempt: number, { firstMs, maxMs }: BackoffOptions, random: Random): number {
  const ceilingMs = Math.min(maxMs, firstMs * 2 ** Math.min(attempt, 30))
  return ceilingMs * (0.5 + 0.5 * random())
}

/** `valueMs` shortened or lengthened at random by at most `share` of itself. */
export function jitterMs(valueMs: number, share: number, random: Random): number {
  return valueMs * (1 - share + 2 * share * random())
}

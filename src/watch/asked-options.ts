import type { WatchRead } from './watch-query.js'

/** What the engine asks of one read, in the words of an endpoint's options. To be laid over those of the query. */
export interface AskedOptions {
  readonly signal: AbortSignal
  readonly repeat: false
  readonly index?: number
  readonly hash?: string
  /** Milliseconds. */
  readonly wait?: number
  readonly compress?: boolean
  readonly stale?: boolean
  readonly cached?: boolean
  readonly consistent?: boolean
}

/** The options of one read of a watch. */
export function askedOptions({ index, hash, waitMs, fresh, compress, signal }: WatchRead): AskedOptions {
  return {
    signal,
    repeat: false,
    ...(index !== undefined && { index, wait: waitMs }),
    ...(hash !== undefined && { hash, wait: waitMs }),
    ...(fresh && { stale: false, cached: false, consistent: true }),
    ...(!compress && { compress }),
  }
}

import type { ListOptions, RequestOptions } from '../api/options.js'
import type { WatchRead } from '../watch/watch-query.js'

/** For the endpoints that wait by a hash. */
export interface Hashed {
  readonly hash?: string
}

/** The options of one read of a watch: those of its query, and what the engine asks for. */
export function readOptions<Options extends ListOptions>(query: Options, request: WatchRead): Options & Hashed {
  const { index, hash, waitMs, fresh, signal } = request
  return {
    ...query,
    signal,
    ...(index !== undefined && { index, wait: waitMs }),
    ...(hash !== undefined && { hash, wait: waitMs }),
    ...(fresh && { stale: false, cached: false, consistent: true }),
  }
}

/** Reads that fail together: those of one datacenter, and apart from them those that need no leader. */
export function scopeOf({
  datacenter,
  stale,
}: Pick<ListOptions, 'stale'> & Pick<RequestOptions, 'datacenter'>): string {
  return `${datacenter ?? ''}${stale === true ? ' stale' : ''}`
}

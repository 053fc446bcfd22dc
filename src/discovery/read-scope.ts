import type { ListOptions, RequestOptions } from '../api/options.js'

/** Reads that fail together: those of one datacenter, and apart from them those that need no leader. */
export function scopeOf({
  datacenter,
  stale,
}: Pick<ListOptions, 'stale'> & Pick<RequestOptions, 'datacenter'>): string {
  return `${datacenter ?? ''}${stale === true ? ' stale' : ''}`
}

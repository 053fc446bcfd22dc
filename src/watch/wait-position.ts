import type { QueryMeta } from '../http/query-meta.js'

/**
 * Where the next read of a query goes on, by the rules of https://developer.hashicorp.com/consul/api-docs/features/blocking:
 * an index that goes backwards starts anew, and an index of zero counts as one because zero would not block.
 */
export type WaitPosition =
  /** Read without waiting. */
  | { readonly type: 'start' }
  | { readonly type: 'index'; readonly index: number }
  | { readonly type: 'hash'; readonly hash: string }
  /** The endpoint has nothing to wait by: read again at an interval. */
  | { readonly type: 'poll' }

/** The position of a query that has read nothing yet, or must not rely on what it read. */
export const START: WaitPosition = Object.freeze({ type: 'start' })

/** The position of a query that is read at an interval. */
export const POLL: WaitPosition = Object.freeze({ type: 'poll' })

/** The position after an answer. */
export function nextPosition(current: WaitPosition, meta: QueryMeta): WaitPosition {
  if (meta.index === undefined) return meta.contentHash === undefined ? POLL : { type: 'hash', hash: meta.contentHash }
  const index = Math.max(1, meta.index)
  return wentBack(current, index) ? START : { type: 'index', index }
}

function wentBack(current: WaitPosition, index: number): boolean {
  return current.type === 'index' && index < current.index
}

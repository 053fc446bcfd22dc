import type { QueryMeta } from '../http/query-meta.js'

/**
 * What an answer means: whether it is shown, and by what the next read waits. All rules about indexes are here, as
 * https://developer.hashicorp.com/consul/api-docs/features/blocking has them, and beside them those about servers and caches that lag.
 */

/** How the next read of a query waits. */
export type WaitPosition =
  | Start
  /** Until the index is above this one. */
  | { readonly type: 'index'; readonly index: number }
  /** Until the content has another hash. */
  | { readonly type: 'hash'; readonly hash: string }
  /** There is nothing to wait by: the query is read at an interval. */
  | { readonly type: 'poll' }

/** Not at all: nothing was read yet, or what was read must not be relied upon. */
export interface Start {
  readonly type: 'start'
  /** `leader`: past every cache, and past every server that may lag. */
  readonly from: 'anyone' | 'leader'
}

/** A read of whoever answers. */
export const START: Start = Object.freeze({ type: 'start', from: 'anyone' })

/** A read from the leader. */
export const START_AT_LEADER: Start = Object.freeze({ type: 'start', from: 'leader' })

const POLL: WaitPosition = Object.freeze({ type: 'poll' })

/** What is known of the query whose answer is judged. */
export interface JudgedQuery {
  /** The index of the answer that is shown; undefined before the first, and where the endpoint has none. */
  readonly shownIndex: number | undefined
  /** Whether a server that lags may answer. */
  readonly stale: boolean
  /** Whether it is read at an interval whatever the answer has to wait by. */
  readonly polls: boolean
  /** How far a server or a cache may lag. */
  readonly maxStaleMs: number
}

/** What to do with an answer. */
export type Verdict =
  /** It is the newest. */
  | { readonly type: 'show'; readonly next: WaitPosition }
  /** It must not be shown: read anew. */
  | { readonly type: 'read-anew'; readonly next: Start }
  /** The leader was asked for, and no server knows one: that is a failure. */
  | { readonly type: 'no-leader' }

/** Judges the answer to a read that waited by `position`. */
export function judge(position: WaitPosition, meta: QueryMeta, query: JudgedQuery): Verdict {
  if (asksLeader(position)) {
    return meta.knownLeader === false ? { type: 'no-leader' } : { type: 'show', next: after(meta, query) }
  }
  if (lags(meta, query)) return { type: 'read-anew', next: START_AT_LEADER }
  // The registry was restored from a snapshot or has lost its state: this answer may still be the one from before.
  if (position.type === 'index' && waitIndex(meta.index) < position.index) return { type: 'read-anew', next: START }
  return { type: 'show', next: after(meta, query) }
}

/** Where to go on when the position must not be relied upon any more; a leader that was to be asked still is. */
export function restart(position: WaitPosition): Start {
  return asksLeader(position) ? START_AT_LEADER : START
}

function asksLeader(position: WaitPosition): boolean {
  return position.type === 'start' && position.from === 'leader'
}

function lags(meta: QueryMeta, { shownIndex = 0, stale, maxStaleMs }: JudgedQuery): boolean {
  const { index = Infinity, knownLeader, lastContactMs = 0, cacheAgeMs = 0 } = meta
  // A server that has heard of no leader since it began to run says that it lags by nothing.
  if (knownLeader === false && lastContactMs === 0) return true
  if (lastContactMs > maxStaleMs || cacheAgeMs > maxStaleMs) return true
  // Servers that lag differ in their indexes: an older one would show a state that was already over.
  return stale && index < shownIndex
}

function after({ index, contentHash }: QueryMeta, { polls }: JudgedQuery): WaitPosition {
  if (polls) return POLL
  if (index !== undefined) return { type: 'index', index: waitIndex(index) }
  return contentHash === undefined ? POLL : { type: 'hash', hash: contentHash }
}

/** An index of zero counts as one, for zero would not block; none at all is not below any other. */
function waitIndex(index = Infinity): number {
  return Math.max(1, index)
}

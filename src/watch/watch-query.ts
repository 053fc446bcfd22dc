import type { ProconsulError } from '../errors/proconsul-error.js'
import type { QueryMeta } from '../http/query-meta.js'
import type { ReadScope } from './read-scope.js'

/**
 * What a watch reads, and how its answers are compared. The engine knows no endpoint: it is handed a function. Whoever defines a query
 * sends a read with an `index` or a `hash` as a blocking one and any other as a plain one.
 */

/** One read that the engine asks for. */
export interface WatchRead {
  /** Answer when the index is above this one, or when `waitMs` is over. Absent: answer at once. */
  readonly index?: number
  /** The same for endpoints that block on a content hash. Never together with `index`. */
  readonly hash?: string
  /** The longest hold asked for, in milliseconds; 0 for a read that answers at once. */
  readonly waitMs: number
  /** Ask the leader, past every cache and every server that may lag: an answer was older than the bound, or older than one before. */
  readonly fresh: boolean
  /** Whether the answer may be compressed: not worth the time when it was small before. */
  readonly compress: boolean
  readonly signal: AbortSignal
}

/** What one read yields. `meta` is what the agent's headers said; an answer without index and hash is read again at an interval. */
export interface WatchReading<T> {
  readonly value: T
  readonly meta: QueryMeta
}

/** One thing to watch. */
export interface WatchQuery<T> {
  /**
   * Identity within its family, made by `queryKey`: two subscriptions with the same key share one loop, so every parameter that matters
   * must be in it.
   */
  readonly key: string
  /** Who answers. Reads of the same scope fail together, and share one back-off. */
  readonly scope: ReadScope
  /** Whether a server that lags may answer. Then an index below one that was seen is read anew from the leader. Default false. */
  readonly stale?: boolean
  /** Read at this interval instead of waiting for a change: for an endpoint whose answer has an index by which it cannot wait. */
  readonly pollMs?: number
  read(request: WatchRead): Promise<WatchReading<T>>
}

/** What all queries of one kind have in common. */
export interface WatchKind<T> {
  /** For messages and the debug view, such as `health.service`. */
  readonly name: string
  /**
   * Returns `previous` itself when `next` says nothing new: then nobody is told. May return a value that keeps unchanged parts of
   * `previous`. Must not throw.
   */
  reconcile(previous: T, next: T): T
  /** Prepares a value that has none before it, to freeze it, say. Default: as it is. */
  adopt?(value: T): T
  /** Whether the value stands for something that does not exist: the agent may wake such a query for unrelated changes. Default: never. */
  isEmpty?(value: T): boolean
}

/** The last value read. */
export interface WatchSnapshot<T> {
  readonly value: T
  /** Raft index of the read, where the endpoint has one. */
  readonly index: number | undefined
  /** When the agent last confirmed the value: milliseconds since the epoch. */
  readonly receivedAt: number
}

/** Hears of a query. Never called before `subscribe` has returned. What it throws is logged. */
export interface WatchObserver<T> {
  /** A value that differs from the one told before, which comes as it was last confirmed; the first call brings the first value. */
  onValue(snapshot: WatchSnapshot<T>, before?: WatchSnapshot<T>): void
  /** The first failed read after good ones (or at the start), and again when the code of the failure changes. */
  onFailure(error: ProconsulError): void
  /** The first good read after failures; called before `onValue` when the value changed meanwhile. */
  onRecovery(snapshot: WatchSnapshot<T>): void
  /** A read that brought the same value: its age begins anew. */
  onConfirmed?(snapshot: WatchSnapshot<T>): void
}

/** One observer's hold on a query. */
export interface WatchSubscription<T> {
  /** The value that was told last, as it was last confirmed; undefined before the first. */
  readonly snapshot: WatchSnapshot<T> | undefined
  /** What the query fails with at present. */
  readonly failure: ProconsulError | undefined
  /** Stops the calls to the observer, and the reads when all observers of the query have paused. */
  pause(): void
  /** Reads anew if the reads had stopped, and tells the observer what it missed. */
  resume(): void
  /** A hint that the value may be out of date: ends a back-off or a wait for a turn early, at most once per interval of the query. */
  refresh(): void
  /** Ends the calls to the observer at once. The query itself ends after a grace time unless someone else subscribes to it. */
  close(): void
}

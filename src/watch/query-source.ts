import type { Confirmed, LiveSource } from '../live/live-source.js'
import type { WatchFamily } from './watch-engine.js'
import type { WatchQuery, WatchSnapshot } from './watch-query.js'

/** The value of a query as something to follow. */
export interface Watched<T> extends Confirmed {
  readonly value: T
  /** Raft index of the read, where the endpoint has one. */
  readonly index: number | undefined
}

/** A query of the engine as a source. Equal queries share one loop. */
export function querySource<T>(label: string, family: WatchFamily<T>, query: WatchQuery<T>): LiveSource<Watched<T>> {
  return {
    label,
    observe(observer) {
      const tell = ({ value, index, receivedAt }: WatchSnapshot<T>): void =>
        observer.onValue({ value, index, confirmedAt: receivedAt })
      return family.subscribe(query, {
        onValue: tell,
        onRecovery: tell,
        onConfirmed: tell,
        onFailure: (error) => observer.onFailure(error),
      })
    },
  }
}

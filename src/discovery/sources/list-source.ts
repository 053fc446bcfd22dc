import type { ProconsulError } from '../../errors/proconsul-error.js'
import type { WatchFamily } from '../../watch/watch-engine.js'
import type { WatchObserver, WatchQuery, WatchSnapshot } from '../../watch/watch-query.js'
import type { Listing } from '../listing.js'

/** A list as it was read. */
export type ListSnapshot<Item> = WatchSnapshot<Listing<Item>>

/** Hears of a list. */
export interface ListObserver<Item> extends WatchObserver<Listing<Item>> {
  /** A newer list is there but is not believed yet; a value or a recovery follows within a bounded time. */
  onDoubt(): void
  /** Consul has not answered yet, and this is a list that was saved earlier. */
  onSaved(items: readonly Item[], savedAt: number): void
  /** Something beside the list itself went wrong, such as a file that cannot be written. */
  onProblem(error: ProconsulError): void
}

/** One observer's hold on a list. */
export interface ListHold {
  /** When Consul last confirmed the list, in milliseconds since the epoch; undefined before the first answer. */
  readonly confirmedAt: number | undefined
  pause(): void
  resume(): void
  /** A hint that the list may be out of date. */
  refresh(): void
  /** Resolves when nothing is left to write. */
  close(): Promise<void>
}

/** Something that yields a list again and again. Sources are stacked: a query, a guard around it, a failover over several. */
export interface ListSource<Item> {
  subscribe(observer: ListObserver<Item>): ListHold
}

/** A query of the engine as a source. */
export function querySource<Item>(
  family: WatchFamily<Listing<Item>>,
  query: WatchQuery<Listing<Item>>,
): ListSource<Item> {
  return {
    subscribe(observer) {
      const subscription = family.subscribe(query, observer)
      return {
        get confirmedAt() {
          return subscription.snapshot?.receivedAt
        },
        pause: () => subscription.pause(),
        resume: () => subscription.resume(),
        refresh: () => subscription.refresh(),
        close: () => {
          subscription.close()
          return Promise.resolve()
        },
      }
    },
  }
}

/** The same hold with another way to close it. */
export function closedBy(hold: ListHold, close: ListHold['close']): ListHold {
  return {
    get confirmedAt() {
      return hold.confirmedAt
    },
    pause: () => hold.pause(),
    resume: () => hold.resume(),
    refresh: () => hold.refresh(),
    close,
  }
}

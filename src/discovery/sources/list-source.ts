import type { ProconsulError } from '../../errors/proconsul-error.js'
import type { WatchFamily } from '../../watch/watch-engine.js'
import type { WatchObserver, WatchQuery, WatchSnapshot } from '../../watch/watch-query.js'
import type { Listing } from '../listing.js'

/** A list as it was read. */
export type ListSnapshot<Item> = WatchSnapshot<Listing<Item>>

/** Hears of a list. */
export interface ListObserver<Item> extends WatchObserver<Listing<Item>> {
  /** A newer list is there but is not believed yet; a value follows within a bounded time in which Consul can be asked. */
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

/** The list that is shown as long as the source has told none, if there is one. */
export type ShownList<Item> = () => readonly Item[] | undefined

/** Something that yields a list again and again. Sources are stacked: a query, a guard around it, a failover over several. */
export interface ListSource<Item> {
  subscribe(observer: ListObserver<Item>, shown?: ShownList<Item>): ListHold
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

/** What a source on top of another does in its own way. */
export interface HoldWays extends Partial<Pick<ListHold, 'pause' | 'resume' | 'close'>> {
  readonly confirmedAt?: () => number | undefined
}

/** The same hold with other ways for some of what it does. */
export function holdOver(hold: ListHold, { confirmedAt = () => hold.confirmedAt, ...ways }: HoldWays): ListHold {
  return {
    get confirmedAt() {
      return confirmedAt()
    },
    pause: () => hold.pause(),
    resume: () => hold.resume(),
    refresh: () => hold.refresh(),
    close: () => hold.close(),
    ...ways,
  }
}

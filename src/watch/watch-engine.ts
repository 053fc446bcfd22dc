import { outOfContext } from '../core/async-context.js'
import type { Timer } from '../core/clock.js'
import type { Runtime } from '../core/runtime.js'
import { ProconsulError } from '../errors/proconsul-error.js'
import type { Closeable } from '../lifecycle/closeable.js'
import type { LoopParts, ReadGate } from './query-loop.js'
import { scopeKey, type ReadScope } from './read-scope.js'
import { SharedBackoff } from './shared-backoff.js'
import { SharedQuery, type QueryDebug } from './shared-query.js'
import { Turns, type TurnsDebug } from './turns.js'
import type { ResolvedWatchOptions } from './watch-options.js'
import type { WatchKind, WatchObserver, WatchQuery, WatchSubscription } from './watch-query.js'

/** What the engine may use of the connection. */
export interface WatchBudget {
  /** Blocking queries that may be under way at once. */
  readonly blockingPlaces: number
  /** Places for reads that answer at once: fewer than the connection has, so that a heartbeat always finds one. */
  readonly plainReads: ReadGate
}

/** A moment's view of all watches. */
export interface WatchDebug extends TurnsDebug {
  readonly watches: readonly QueryDebug[]
}

/** Queries of one kind. */
export interface WatchFamily<T> {
  /**
   * Hears of a query, which is read by one loop however many subscribe to it. The loop, and the calls to the observer, run in no async
   * context, whoever subscribed.
   * @throws ProconsulError `PROCONSUL_CLOSED` after the engine was closed
   */
  subscribe(query: WatchQuery<T>, observer: WatchObserver<T>): WatchSubscription<T>
}

/** Queries that nobody listens to any more may be so many; past that the one that was left first ends at once. */
const MOST_LINGERING = 32
/** When nobody listens to anything any more, no query goes on for longer: a long poll would keep a process running that is done. */
const ALL_IDLE_MS = 500

/** Runs all watches of one connection: one loop per distinct query, a shared budget, a shared back-off. */
export class WatchEngine implements Closeable {
  readonly #runtime: Runtime
  readonly #options: ResolvedWatchOptions
  readonly #plainReads: ReadGate
  readonly #turns: Turns
  readonly #backoffs = new Map<string, SharedBackoff>()
  readonly #queries = new Set<AnyQuery>()
  /** In the order in which they were left. */
  readonly #lingering = new Set<AnyQuery>()
  #allIdle: Timer | undefined
  #closing: Promise<void> | undefined

  constructor(runtime: Runtime, budget: WatchBudget, options: ResolvedWatchOptions) {
    this.#runtime = runtime
    this.#options = options
    this.#plainReads = budget.plainReads
    this.#turns = new Turns(runtime.clock, budget.blockingPlaces, options.waitMs)
  }

  /** A family of queries that are compared alike. Families do not share queries: make one per kind, once. */
  family<T>(kind: WatchKind<T>): WatchFamily<T> {
    const byKey = new Map<string, SharedQuery<T>>()
    return {
      subscribe: (query, observer) => {
        if (this.#closing !== undefined) throw new ProconsulError('PROCONSUL_CLOSED', 'the client is closed')
        return outOfContext(() => (byKey.get(query.key) ?? this.#open(byKey, query, kind)).subscribe(observer))
      },
    }
  }

  /** What every query is doing. */
  debug(): WatchDebug {
    return { ...this.#turns.debug(), watches: [...this.#queries].map((query) => query.debug()) }
  }

  /** Ends every read at once. Resolves when all loops have left. */
  close(): Promise<void> {
    this.#closing ??= this.#end()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #open<T>(byKey: Map<string, SharedQuery<T>>, query: WatchQuery<T>, kind: WatchKind<T>): SharedQuery<T> {
    const parts: LoopParts = {
      runtime: this.#runtime,
      options: this.#options,
      turns: this.#turns,
      plainReads: this.#plainReads,
      backoff: this.#backoff(query.scope),
    }
    const shared = new SharedQuery(query, kind, parts, {
      onIdle: () => this.#lingers(shared),
      onBusy: () => this.#lingering.delete(shared),
      onEnd: () => {
        byKey.delete(query.key)
        this.#queries.delete(shared)
        this.#lingering.delete(shared)
      },
    })
    byKey.set(query.key, shared)
    this.#queries.add(shared)
    return shared
  }

  #backoff(scope: ReadScope): SharedBackoff {
    const key = scopeKey(scope)
    const backoff = this.#backoffs.get(key) ?? new SharedBackoff(this.#runtime)
    this.#backoffs.set(key, backoff)
    return backoff
  }

  #lingers(query: AnyQuery): void {
    this.#lingering.add(query)
    const [oldest] = this.#lingering
    if (this.#lingering.size > MOST_LINGERING) void oldest?.end()
    this.#allIdle?.cancel()
    this.#allIdle = this.#runtime.clock.setTimer(() => this.#endIfAllIdle(), ALL_IDLE_MS, { keepAlive: false })
  }

  #endIfAllIdle(): void {
    if (this.#lingering.size < this.#queries.size) return
    for (const query of [...this.#lingering]) void query.end()
  }

  async #end(): Promise<void> {
    this.#allIdle?.cancel()
    await Promise.all([...this.#queries].map((query) => query.end()))
    for (const backoff of this.#backoffs.values()) backoff.close()
  }
}

/** A shared query, whatever its values. */
type AnyQuery = Pick<SharedQuery<never>, 'debug' | 'end'>

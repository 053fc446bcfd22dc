import { outOfContext } from '../core/async-context.js'
import type { Timer } from '../core/clock.js'
import type { LogFields } from '../core/logger.js'
import type { ProconsulError } from '../errors/proconsul-error.js'
import { QueryLoop, type LoopParts } from './query-loop.js'
import type { WatchKind, WatchObserver, WatchQuery, WatchSnapshot, WatchSubscription } from './watch-query.js'

/** A moment's view of one query. */
export interface QueryDebug {
  readonly kind: string
  readonly key: string
  readonly state: QueryLoop<unknown>['state'] | 'lingering'
  readonly index: number | undefined
  /** Milliseconds since the agent last confirmed the value; undefined before the first answer. */
  readonly ageMs: number | undefined
  /** Code and message of the failure that lasts. */
  readonly failure: string | undefined
  readonly subscribers: number
  /** Whether it changed lately. */
  readonly hot: boolean
  readonly reads: number
  /** Reads that brought something new. */
  readonly changes: number
}

/** Whoever keeps the shared queries. */
export interface QueryHost {
  /** Nobody listens any more; the query lingers. */
  onIdle(): void
  /** Someone listens again. */
  onBusy(): void
  /** The query has ended and is not to be used any more. */
  onEnd(): void
}

/** How long a query goes on after its last subscriber has left: longer than the pause between two short uses of the same query. */
const GRACE_MS = 10_000

/** One loop and those who listen to it. Ends a grace time after the last of them has left. */
export class SharedQuery<T> {
  readonly #query: WatchQuery<T>
  readonly #kind: WatchKind<T>
  readonly #parts: LoopParts
  readonly #host: QueryHost
  readonly #loop: QueryLoop<T>
  readonly #subscriptions = new Set<Subscription<T>>()
  #snapshot: WatchSnapshot<T> | undefined
  #failure: ProconsulError | undefined
  #linger: Timer | undefined
  #changes = 0
  #ended = false

  constructor(query: WatchQuery<T>, kind: WatchKind<T>, parts: LoopParts, host: QueryHost) {
    this.#query = query
    this.#kind = kind
    this.#parts = parts
    this.#host = host
    this.#loop = new QueryLoop(query, kind, parts, {
      onRead: (value, index) => this.#onRead(value, index),
      onFailure: (error) => this.#onFailure(error),
    })
  }

  get snapshot(): WatchSnapshot<T> | undefined {
    return this.#snapshot
  }

  get failure(): ProconsulError | undefined {
    return this.#failure
  }

  subscribe(observer: WatchObserver<T>): WatchSubscription<T> {
    const subscription = new Subscription(this, observer)
    this.#subscriptions.add(subscription)
    this.#host.onBusy()
    this.wanted()
    subscription.catchUp()
    return subscription
  }

  leave(subscription: Subscription<T>): void {
    if (!this.#subscriptions.delete(subscription) || this.#ended) return
    if (this.#subscriptions.size > 0) {
      this.unwanted()
      return
    }
    const { clock } = this.#parts.runtime
    this.#linger = clock.setTimer(() => void this.end(), GRACE_MS, { keepAlive: false })
    this.#host.onIdle()
  }

  /** Someone wants values: the loop runs. */
  wanted(): void {
    this.#linger?.cancel()
    this.#linger = undefined
    this.#loop.start()
  }

  /** Someone wants values no more: the loop stops when all that are left have paused. */
  unwanted(): void {
    if ([...this.#subscriptions].every((subscription) => subscription.isPaused)) void this.#loop.stop()
  }

  hurry(): void {
    this.#loop.hurry()
  }

  /** Ends the loop at once. Resolves when it has left. */
  async end(): Promise<void> {
    if (!this.#ended) {
      this.#ended = true
      this.#linger?.cancel()
      this.#host.onEnd()
    }
    await this.#loop.stop()
  }

  /** Calls one observer; what it throws is logged and harms nobody. */
  tell(call: () => void): void {
    try {
      call()
    } catch (error) {
      this.#parts.runtime.logger.error({ query: this.#kind.name, err: error }, 'an observer of a watch failed')
    }
  }

  debug(): QueryDebug {
    const { clock } = this.#parts.runtime
    return {
      kind: this.#kind.name,
      key: this.#query.key,
      state: this.#subscriptions.size === 0 ? 'lingering' : this.#loop.state,
      index: this.#snapshot?.index,
      ageMs: this.#snapshot && Math.max(0, clock.now() - this.#snapshot.receivedAt),
      failure: this.#failure && `${this.#failure.code}: ${this.#failure.message}`,
      subscribers: this.#subscriptions.size,
      hot: this.#loop.hot,
      reads: this.#loop.reads,
      changes: this.#changes,
    }
  }

  #onRead(next: T, index: number | undefined): boolean {
    const previous = this.#snapshot
    const value = previous === undefined ? this.#adopt(next) : this.#kind.reconcile(previous.value, next)
    const changed = previous === undefined || value !== previous.value
    const recovered = this.#failure !== undefined
    const snapshot = { value, index, receivedAt: this.#parts.runtime.clock.now() }
    this.#snapshot = snapshot
    this.#failure = undefined
    if (recovered) this.#log({}, 'a query can be read again')
    if (changed) this.#changes += 1
    for (const subscription of [...this.#subscriptions]) {
      subscription.onRecovery(snapshot)
      subscription.onValue(snapshot)
    }
    return changed && previous !== undefined
  }

  #adopt(value: T): T {
    return this.#kind.adopt === undefined ? value : this.#kind.adopt(value)
  }

  #onFailure(error: ProconsulError): void {
    const isNews = error.code !== this.#failure?.code
    this.#failure = error
    if (!isNews) return
    this.#log({ err: error }, 'a query cannot be read; it is tried again and again')
    for (const subscription of [...this.#subscriptions]) subscription.onFailure(error)
  }

  /** For debugging only: what is followed tells people, once for each view and not once for each query beneath it. */
  #log(fields: LogFields, message: string): void {
    this.#parts.runtime.logger.debug({ query: this.#kind.name, key: this.#query.key, ...fields }, message)
  }
}

/**
 * What the observer of a subscription was told last, so that a resumed one hears what it missed and nothing twice. Whoever calls it, the
 * reads and timers that this begins run in no async context.
 */
class Subscription<T> implements WatchSubscription<T> {
  readonly #query: SharedQuery<T>
  readonly #observer: WatchObserver<T>
  #state: 'active' | 'paused' | 'closed' = 'active'
  #told: WatchSnapshot<T> | undefined
  #toldFailure: ProconsulError | undefined

  constructor(query: SharedQuery<T>, observer: WatchObserver<T>) {
    this.#query = query
    this.#observer = observer
  }

  get snapshot(): WatchSnapshot<T> | undefined {
    return this.#told
  }

  get failure(): ProconsulError | undefined {
    return this.#query.failure
  }

  get isPaused(): boolean {
    return this.#state === 'paused'
  }

  pause(): void {
    if (this.#state !== 'active') return
    this.#state = 'paused'
    outOfContext(() => this.#query.unwanted())
  }

  resume(): void {
    if (this.#state !== 'paused') return
    this.#state = 'active'
    outOfContext(() => {
      this.#query.wanted()
      this.catchUp()
    })
  }

  refresh(): void {
    if (this.#state === 'active') this.#query.hurry()
  }

  close(): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    outOfContext(() => this.#query.leave(this))
  }

  /** Tells, in a moment, what is known already. */
  catchUp(): void {
    const { snapshot, failure } = this.#query
    if (snapshot === undefined && failure === undefined) return
    queueMicrotask(() => {
      const now = this.#query
      if (now.snapshot !== undefined && now.failure === undefined) this.onRecovery(now.snapshot)
      if (now.snapshot !== undefined) this.onValue(now.snapshot)
      if (now.failure !== undefined) this.onFailure(now.failure)
    })
  }

  onValue(snapshot: WatchSnapshot<T>): void {
    if (this.#state !== 'active') return
    const before = this.#told
    this.#told = snapshot
    if (before !== undefined && before.value === snapshot.value) {
      this.#query.tell(() => this.#observer.onConfirmed?.(snapshot))
      return
    }
    // A failure that lasts is told again after it, lest the value is taken for one that is known now.
    this.#toldFailure = undefined
    this.#query.tell(() => this.#observer.onValue(snapshot, before))
  }

  onFailure(error: ProconsulError): void {
    if (this.#state !== 'active' || this.#toldFailure?.code === error.code) return
    this.#toldFailure = error
    this.#query.tell(() => this.#observer.onFailure(error))
  }

  onRecovery(snapshot: WatchSnapshot<T>): void {
    if (this.#state !== 'active' || this.#toldFailure === undefined) return
    this.#toldFailure = undefined
    this.#query.tell(() => this.#observer.onRecovery(snapshot))
  }
}

import type { Clock, Timer } from '../../core/clock.js'
import type { StateStore } from '../state/state-store.js'
import { NS_PER_MS, parseGoDuration } from '../wire/go-duration.js'

/** A TTL is a lower bound: a session that is not renewed lives for twice as long. */
const TTL_MULTIPLIER = 2

/** Ends sessions that are not renewed. The leader keeps these timers: without one nothing ends, and a new one starts them anew. */
export class SessionTimers {
  readonly #clock: Clock
  readonly #store: StateStore
  readonly #timers = new Map<string, Timer>()

  constructor(clock: Clock, store: StateStore) {
    this.#clock = clock
    this.#store = store
  }

  /** Starts or restarts the timer of a session that has a TTL. */
  renew(id: string): void {
    this.#timers.get(id)?.cancel()
    this.#timers.delete(id)
    const ttl = this.#store.sessions.get(id)?.ttl ?? ''
    if (ttl === '') return
    const delayMs = Math.min((parseGoDuration(ttl) / NS_PER_MS) * TTL_MULTIPLIER, LONGEST_TIMER_MS)
    this.#timers.set(
      id,
      this.#clock.setTimer(() => this.expire(id), delayMs, { keepAlive: false }),
    )
  }

  /** Ends a session now, as if it had not been renewed; false when there is none. */
  expire(id: string): boolean {
    this.#timers.get(id)?.cancel()
    this.#timers.delete(id)
    if (this.#store.sessions.get(id) === undefined) return false
    return this.#store.apply((tx) => this.#store.sessions.destroy(tx, id))
  }

  /** Stops all timers, as when there is no leader. */
  stop(): void {
    for (const timer of this.#timers.values()) timer.cancel()
    this.#timers.clear()
  }

  /** Starts all timers at their full length. */
  restart(): void {
    this.stop()
    for (const { id } of this.#store.sessions.all()) this.renew(id)
  }
}

/** Node.js fires longer timers at once. */
const LONGEST_TIMER_MS = 2_147_483_647

import type { Clock, Timer } from '../core/clock.js'
import { parseDuration, type Duration } from '../core/duration.js'

/** When a manual clock starts unless it is told otherwise: a fixed moment, so that tests repeat. */
const DEFAULT_START_MS = Date.UTC(2026, 0, 1)

interface Pending {
  readonly dueMs: number
  readonly callback: () => void
}

/**
 * A clock that stands still until it is told to go on. Give it to `startEmbeddedConsul` and jump an hour: TTLs expire, services are
 * reaped, sessions end, and blocked queries come back, all in the order in which they would have.
 */
export class ManualClock implements Clock {
  readonly #pending = new Set<Pending>()
  readonly #startMs: number
  #elapsedMs = 0

  constructor(startMs: number = DEFAULT_START_MS) {
    this.#startMs = startMs
  }

  now(): number {
    return this.#startMs + this.#elapsedMs
  }

  monotonic(): number {
    return this.#elapsedMs
  }

  setTimer(callback: () => void, delayMs: number): Timer {
    // As on a real clock, no timer fires in the millisecond in which it was set: a loop without a pause must not hold time up.
    const pending = { dueMs: this.#elapsedMs + Math.max(1, delayMs), callback }
    this.#pending.add(pending)
    return { cancel: () => void this.#pending.delete(pending) }
  }

  /** How many timers are set. */
  get pendingTimers(): number {
    return this.#pending.size
  }

  /**
   * Goes on by a duration and runs every timer that falls due, in order, each at its own moment. Between timers the event loop runs, so
   * that what one of them causes happens before the next. Resolves when all is done.
   */
  async advance(by: Duration): Promise<void> {
    const endMs = this.#elapsedMs + parseDuration('by', by)
    await nextTurn()
    for (let next = this.#nextUntil(endMs); next !== undefined; next = this.#nextUntil(endMs)) {
      this.#pending.delete(next)
      this.#elapsedMs = Math.max(this.#elapsedMs, next.dueMs)
      next.callback()
      await nextTurn()
    }
    this.#elapsedMs = endMs
  }

  #nextUntil(endMs: number): Pending | undefined {
    let earliest: Pending | undefined
    for (const pending of this.#pending) {
      if (pending.dueMs <= endMs && (earliest === undefined || pending.dueMs < earliest.dueMs)) earliest = pending
    }
    return earliest
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

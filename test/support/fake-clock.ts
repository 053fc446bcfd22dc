import type { Clock, Timer } from '../../src/core/clock.js'

interface PendingTimer {
  readonly callback: () => void
  readonly dueMs: number
  readonly keepAlive: boolean
}

/** Time that moves only when a test says so. */
export class FakeClock implements Clock {
  #elapsedMs = 0
  #wallOffsetMs: number
  readonly #timers = new Set<PendingTimer>()

  constructor(startsAt = Date.UTC(2030, 0, 1)) {
    this.#wallOffsetMs = startsAt
  }

  now(): number {
    return this.#wallOffsetMs + this.#elapsedMs
  }

  monotonic(): number {
    return this.#elapsedMs
  }

  setTimer(callback: () => void, delayMs: number, { keepAlive = true }: { readonly keepAlive?: boolean } = {}): Timer {
    // The event loop never fires a timer in the same millisecond; a fake that did would let a loop without a pause spin for ever.
    const timer: PendingTimer = { callback, keepAlive, dueMs: this.#elapsedMs + Math.max(1, delayMs) }
    this.#timers.add(timer)
    return { cancel: () => void this.#timers.delete(timer) }
  }

  /** Timers not yet fired or cancelled. */
  get pendingTimers(): number {
    return this.#timers.size
  }

  /** Of these, the ones that would keep the process running. */
  get keepAliveTimers(): number {
    return [...this.#timers].filter((timer) => timer.keepAlive).length
  }

  /** Milliseconds until the next timer fires, or undefined when none is pending. */
  get nextTimerInMs(): number | undefined {
    const next = this.#next(Infinity)
    return next && Math.max(0, next.dueMs - this.#elapsedMs)
  }

  /** Moves the time on, firing what falls due in order, and lets promises settle before and after each timer. */
  async advance(byMs: number): Promise<void> {
    const until = this.#elapsedMs + byMs
    await settle()
    for (let timer = this.#next(until); timer; timer = this.#next(until)) {
      this.#timers.delete(timer)
      this.#elapsedMs = Math.max(this.#elapsedMs, timer.dueMs)
      timer.callback()
      await settle()
    }
    this.#elapsedMs = until
  }

  /** Moves the time on without firing a timer, as a blocked event loop does. What fell due fires late, with the next advance. */
  block(forMs: number): void {
    this.#elapsedMs += forMs
  }

  /** Advances to the next timer and fires it. Throws when none is pending. */
  async advanceToNext(): Promise<void> {
    await settle()
    const inMs = this.nextTimerInMs
    if (inMs === undefined) throw new Error('no timer is pending')
    await this.advance(inMs)
  }

  /** Sets the wall time off by so much, as an NTP step or a suspended laptop does; monotonic time goes on. */
  jumpWallTime(byMs: number): void {
    this.#wallOffsetMs += byMs
  }

  #next(until: number): PendingTimer | undefined {
    let first: PendingTimer | undefined
    for (const timer of this.#timers) {
      if (timer.dueMs <= until && (!first || timer.dueMs < first.dueMs)) first = timer
    }
    return first
  }
}

/** Resolves when promise reactions queued up to now, and those they queue in turn, have run. */
export async function settle(): Promise<void> {
  // setImmediate runs after the microtask queue has drained; two rounds also cover streams, which defer by process.nextTick.
  for (let round = 0; round < 2; round++) await new Promise<void>((resolve) => setImmediate(resolve))
}

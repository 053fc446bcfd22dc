import type { Clock, Timer } from '../../src/core/clock.js'

/** A simulated fleet: servers with workers and queues, and a time that jumps from event to event. */

/** What is due at a moment. */
interface Event {
  readonly at: number
  readonly run: () => void
}

/** Events in the order of their moments: a binary heap. */
export class SimulatedTime implements Clock {
  readonly #heap: Event[] = []
  #now = 0

  now(): number {
    return this.#now
  }

  monotonic(): number {
    return this.#now
  }

  setTimer(callback: () => void, delayMs: number): Timer {
    let isCancelled = false
    this.at(this.#now + delayMs, () => {
      if (!isCancelled) callback()
    })
    return {
      cancel: () => {
        isCancelled = true
      },
    }
  }

  at(moment: number, run: () => void): void {
    const heap = this.#heap
    const event = { at: moment, run }
    let index = heap.length
    heap.push(event)
    while (index > 0) {
      const parent = (index - 1) >> 1
      const above = heap[parent]
      if (above === undefined || above.at <= moment) break
      heap[index] = above
      index = parent
    }
    heap[index] = event
  }

  /** Runs all that is due up to a moment. */
  runUntil(moment: number): void {
    for (let next = this.#take(moment); next !== undefined; next = this.#take(moment)) {
      this.#now = next.at
      next.run()
    }
    this.#now = moment
  }

  #take(until: number): Event | undefined {
    const heap = this.#heap
    const [first] = heap
    if (first === undefined || first.at > until) return undefined
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return first
    let index = 0
    for (;;) {
      let child = 2 * index + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && (heap[child + 1]?.at ?? 0) < (heap[child]?.at ?? 0)) child += 1
      const below = heap[child]
      if (below === undefined || below.at >= last.at) break
      heap[index] = below
      index = child
    }
    heap[index] = last
    return first
  }
}

const WORKERS = 4

/** A server whose workers take calls one by one, in the order in which they came. */
export class SimulatedServer {
  readonly meanMs: number
  readonly #time: SimulatedTime
  readonly #random: () => number
  /** When each worker is free again. */
  readonly #freeAt = new Array<number>(WORKERS).fill(0)
  calls = 0
  inFlight = 0

  constructor(meanMs: number, time: SimulatedTime, random: () => number) {
    this.meanMs = meanMs
    this.#time = time
    this.#random = random
  }

  /** Calls a second that it can take. */
  get capacity(): number {
    return (WORKERS * 1_000) / this.meanMs
  }

  /** Takes a call, and says when it is answered. */
  call(onAnswered: () => void): void {
    const now = this.#time.monotonic()
    this.calls += 1
    this.inFlight += 1
    let first = 0
    for (let worker = 1; worker < WORKERS; worker += 1) {
      if ((this.#freeAt[worker] ?? 0) < (this.#freeAt[first] ?? 0)) first = worker
    }
    const startsAt = Math.max(now, this.#freeAt[first] ?? 0)
    const endsAt = startsAt - this.meanMs * Math.log(1 - this.#random())
    this.#freeAt[first] = endsAt
    this.#time.at(endsAt, () => {
      this.inFlight -= 1
      onAnswered()
    })
  }
}

/** Numbers from 0 to 1, the same in every run (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

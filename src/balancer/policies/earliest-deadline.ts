/** What can be drawn, and how often compared with others. */
export interface Share {
  /** More than 0. */
  readonly weight: number
  /** Where its first draw stands between the beginning of its period (0) and the end (1). */
  readonly phase: number
}

/** A phase of 0 would let a place that is due at the end of a period be counted to the next. */
const LEAST_PHASE = 1e-6

/**
 * Draws places in proportion to their weights, evenly spread: each place is due once per 1/weight, and the one that is due first is next.
 * A heap that is changed in place: a draw costs the logarithm of the number of places.
 */
export class EarliestDeadline {
  readonly #heap: Int32Array
  readonly #due: Float64Array
  readonly #period: Float64Array
  #now = 0

  constructor(shares: readonly Share[]) {
    this.#heap = Int32Array.from(shares, (_share, place) => place)
    this.#period = Float64Array.from(shares, ({ weight }) => 1 / weight)
    this.#due = Float64Array.from(shares, ({ weight, phase }) => Math.min(1, Math.max(LEAST_PHASE, phase)) / weight)
    for (let index = (shares.length >> 1) - 1; index >= 0; index -= 1) this.#sink(index)
  }

  /** The next place. */
  next(): number {
    const place = this.#heap[0] ?? 0
    this.#now = this.#due[place] ?? 0
    this.#due[place] = this.#now + (this.#period[place] ?? 0)
    this.#sink(0)
    return place
  }

  /** How much of a place's period is left until it is due: what its phase is to be when it goes on elsewhere. */
  phaseOf(place: number): number {
    return ((this.#due[place] ?? 0) - this.#now) / (this.#period[place] ?? 1)
  }

  #sink(from: number): void {
    const [heap, size] = [this.#heap, this.#heap.length]
    const moving = heap[from] ?? 0
    let index = from
    for (;;) {
      let child = 2 * index + 1
      if (child >= size) break
      if (child + 1 < size && this.#isBefore(heap[child + 1] ?? 0, heap[child] ?? 0)) child += 1
      const below = heap[child] ?? 0
      if (!this.#isBefore(below, moving)) break
      heap[index] = below
      index = child
    }
    heap[index] = moving
  }

  #isBefore(place: number, other: number): boolean {
    const [due, otherDue] = [this.#due[place] ?? 0, this.#due[other] ?? 0]
    return due < otherDue || (due === otherDue && place < other)
  }
}

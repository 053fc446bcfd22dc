import type { FaultEffect } from './fault-effect.js'
import { matches, type FaultMatch, type FaultSubject } from './fault-match.js'

/** A fault that is in force. */
export interface FaultHandle {
  /** How many requests it has hit. */
  readonly hits: number
  /** Whether it is still in force: it was not removed, and its `times` are not used up. */
  readonly isActive: boolean
  /** Ends it. Requests that it holds go on. A second call does nothing. */
  remove(): void
  /** The same as `remove`, for `using`. */
  [Symbol.dispose](): void
}

/** A fault that waits for its requests. */
export class Fault implements FaultHandle {
  readonly effect: FaultEffect
  readonly #match: FaultMatch
  readonly #onRemove: (fault: Fault) => void
  readonly #held = new Set<() => void>()
  #hits = 0
  #isRemoved = false

  constructor(effect: FaultEffect, match: FaultMatch, onRemove: (fault: Fault) => void) {
    this.effect = effect
    this.#match = match
    this.#onRemove = onRemove
  }

  get hits(): number {
    return this.#hits
  }

  get isActive(): boolean {
    return !this.#isRemoved && this.#hits < (this.#match.times ?? Infinity)
  }

  /** Whether it is for this request; if so, it counts as hit. */
  take(subject: FaultSubject): boolean {
    if (!this.isActive || !matches(this.#match, subject)) return false
    this.#hits += 1
    return true
  }

  /** Resolves when the fault is removed. */
  removed(): Promise<void> {
    if (this.#isRemoved) return Promise.resolve()
    return new Promise((resolve) => this.#held.add(resolve))
  }

  remove(): void {
    if (this.#isRemoved) return
    this.#isRemoved = true
    for (const release of this.#held) release()
    this.#held.clear()
    this.#onRemove(this)
  }

  [Symbol.dispose](): void {
    this.remove()
  }
}

import type { Clock, Timer } from '../core/clock.js'
import type { LayerState } from './source/layer-state.js'

/** What the guard makes of a state. */
export type GuardVerdict =
  | { readonly type: 'trusted' }
  /** Held back: so many keys are missing that nothing shows to have been deleted. */
  | { readonly type: 'held'; readonly missing: number }

/**
 * Tells a deletion from a loss. Keys that are missing after an outage, or without proof that they were deleted, may be lost (an
 * agent that restarted empty, a token that may not read them any more); such a state is held back until the keys are there again, or
 * for a bounded time, after which it is taken as it is.
 */
export class LossGuard {
  readonly #clock: Clock
  readonly #holdMs: number
  readonly #onOver: (state: LayerState) => void
  #known: LayerState | undefined
  #wasInterrupted = false
  #held: { state: LayerState; readonly timer: Timer } | undefined

  constructor(clock: Clock, holdMs: number, onOver: (state: LayerState) => void) {
    this.#clock = clock
    this.#holdMs = holdMs
    this.#onOver = onOver
  }

  /** Whether a state is held back at present. */
  get isHolding(): boolean {
    return this.#held !== undefined
  }

  /** A read failed: what is missing next time may be lost. */
  interrupted(): void {
    this.#wasInterrupted = true
  }

  /** The store was reached again and holds what it held. */
  confirmed(): void {
    if (this.#held === undefined) this.#wasInterrupted = false
  }

  /** Looks at a new state. One that is held back comes through `onOver` when the time is up. */
  judge(state: LayerState): GuardVerdict {
    const missing = this.#missing(state)
    const isSuspect = missing > 0 && (this.#wasInterrupted || !state.advanced)
    if (!isSuspect || this.#holdMs === 0) {
      this.#accept(state)
      return { type: 'trusted' }
    }
    // While it is being filled again, an emptied store advances: all of that belongs to the same loss.
    this.#wasInterrupted = true
    const timer = this.#held?.timer ?? this.#clock.setTimer(() => this.#over(), this.#holdMs)
    this.#held = { state, timer }
    return { type: 'held', missing }
  }

  close(): void {
    this.#held?.timer.cancel()
    this.#held = undefined
  }

  #missing(state: LayerState): number {
    if (this.#known === undefined || this.#known.entries === state.entries) return 0
    const keys = new Set(state.entries.map(({ key }) => key))
    return this.#known.entries.filter(({ key }) => !keys.has(key)).length
  }

  #over(): void {
    const state = this.#held?.state
    if (state === undefined) return
    this.#accept(state)
    this.#onOver(state)
  }

  #accept(state: LayerState): void {
    this.#held?.timer.cancel()
    this.#held = undefined
    this.#wasInterrupted = false
    this.#known = state
  }
}

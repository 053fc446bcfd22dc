import { throwIfAborted } from '../core/abort.js'
import { outOfContext } from '../core/async-context.js'
import type { Clock, Timer } from '../core/clock.js'
import { WaitingLine } from '../core/waiting-line.js'

/**
 * A bounded number of places for requests to the agent, so that one kind of request can never use up the connections of another.
 * A place can stay taken after its request ended: the agent keeps the connection of an aborted blocking query until its wait runs out
 * (hashicorp/consul#8524), and the agent's limit counts it.
 */
export class Lane {
  /** How many requests may be under way. */
  readonly size: number
  readonly #clock: Clock
  readonly #waiting = new WaitingLine<void>()
  readonly #held = new Set<Timer>()
  #taken = 0

  constructor(size: number, clock: Clock) {
    this.size = size
    this.#clock = clock
  }

  /** Places that a request would get at once. */
  get free(): number {
    return Math.max(0, this.size - this.#taken - this.#waiting.size)
  }

  /** Requests that wait for a place. */
  get waiting(): number {
    return this.#waiting.size
  }

  /** Waits for a place, in order of asking. Rejects as soon as the signal is aborted. */
  async enter(signal?: AbortSignal): Promise<void> {
    throwIfAborted(signal)
    if (this.#taken < this.size && this.#waiting.size === 0) {
      this.#taken += 1
      return
    }
    await this.#waiting.wait(undefined, signal)
  }

  /** Gives a place back, at once or when the agent will have let go of it. */
  leave(heldForMs = 0): void {
    if (heldForMs <= 0) {
      this.#free()
      return
    }
    const letGo = (): void => {
      this.#held.delete(timer)
      this.#free()
    }
    const timer = outOfContext(() => this.#clock.setTimer(letGo, heldForMs, { keepAlive: false }))
    this.#held.add(timer)
  }

  /** Forgets the places that are still held, so that no timer of ours is left. */
  close(): void {
    for (const timer of this.#held) timer.cancel()
    this.#taken -= this.#held.size
    this.#held.clear()
  }

  #free(): void {
    const next = this.#waiting.first()
    if (next === undefined) this.#taken -= 1
    else next.give()
  }
}

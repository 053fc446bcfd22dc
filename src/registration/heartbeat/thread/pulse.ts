import type { Clock } from '../../../core/clock.js'

/** The main thread shows this often that it moves. */
export const PULSE_MS = 50

/** The heartbeat thread looks this often. */
export const LOOK_MS = 100

/** When the thread itself was late by this, the whole process stood still, and the main thread gets the time to show that it is back. */
const OWN_DELAY_MS = LOOK_MS * 5

/** Watches from the heartbeat thread whether the main thread still moves the number that both share. */
export class PulseReader {
  readonly #pulse: Int32Array
  readonly #clock: Clock
  #last = 0
  #movedAt: number
  #lookedAt: number

  constructor(pulse: Int32Array, clock: Clock) {
    this.#pulse = pulse
    this.#clock = clock
    this.#movedAt = clock.monotonic()
    this.#lookedAt = this.#movedAt
  }

  /** For how long it has stood still. To be asked at least every {@link LOOK_MS}. */
  blockedMs(): number {
    const now = this.#clock.monotonic()
    const current = Atomics.load(this.#pulse, 0)
    if (current !== this.#last || now - this.#lookedAt > OWN_DELAY_MS) this.#movedAt = now
    this.#last = current
    this.#lookedAt = now
    return now - this.#movedAt
  }
}

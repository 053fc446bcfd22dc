import type { Clock } from './clock.js'

/** The rate that a {@link TokenBucket} allows. */
export interface TokenBucketOptions {
  /** How many may pass at once after a quiet time. */
  readonly burst: number
  /** Time in milliseconds after which one more may pass. */
  readonly refillMs: number
}

/** Limits a rate: after quiet the first pass at once, a steady stream passes once per `refillMs`. */
export class TokenBucket {
  readonly #clock: Clock
  readonly #options: TokenBucketOptions
  #tokens: number
  #countedAt: number

  constructor(clock: Clock, options: TokenBucketOptions) {
    this.#clock = clock
    this.#options = options
    this.#tokens = options.burst
    this.#countedAt = clock.monotonic()
  }

  /** Takes a token and returns how many milliseconds to wait before using it: 0 when one was there. */
  take(): number {
    const now = this.#clock.monotonic()
    const gained = (now - this.#countedAt) / this.#options.refillMs
    this.#tokens = Math.min(this.#options.burst, this.#tokens + gained) - 1
    this.#countedAt = now
    return this.#tokens >= 0 ? 0 : -this.#tokens * this.#options.refillMs
  }
}

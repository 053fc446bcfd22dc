import type { Random } from '../../core/backoff.js'

/**
 * Whole numbers at random, for every pick: a 32-bit xorshift (https://www.jstatsoft.org/article/view/v008i14). It makes no object, which
 * a number with a fraction may.
 */
export class Chance {
  #state: number

  /** @param random decides where it begins */
  constructor(random: Random) {
    this.#state = Math.floor(random() * 2 ** 32) | 0 || 1
  }

  /** From 0 up to and without `count`. */
  below(count: number): number {
    let state = this.#state
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    this.#state = state
    return (state >>> 1) % count
  }
}

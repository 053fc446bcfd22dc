import type { BalancerPolicy, Candidate, IsExcluded, Picker, PolicyContext } from './policy.js'

/** Anyone, whoever that is. */
export const random: BalancerPolicy = Object.freeze({
  name: 'random',
  usesLatency: false,
  createPicker: (candidates: readonly Candidate[], context: PolicyContext) =>
    new RandomPicker(candidates.length, context),
})

class RandomPicker implements Picker {
  readonly #size: number
  readonly #context: PolicyContext

  constructor(size: number, context: PolicyContext) {
    this.#size = size
    this.#context = context
  }

  pick(_key: string | undefined, isExcluded: IsExcluded | undefined): number {
    const place = this.#context.below(this.#size)
    return isExcluded === undefined ? place : nextAllowed(place, this.#size, isExcluded)
  }
}

/** The first place from `start` on, around the list, that is not excluded; -1 when all are. */
export function nextAllowed(start: number, size: number, isExcluded: IsExcluded): number {
  for (let step = 0; step < size; step += 1) {
    const place = (start + step) % size
    if (!isExcluded(place)) return place
  }
  return -1
}

import type { BalancerPolicy, Candidate, IsExcluded, Picker, PolicyContext } from './policy.js'

/** One after the other. */
export const roundRobin: BalancerPolicy = Object.freeze({
  name: 'round-robin',
  usesLatency: false,
  createPicker: (candidates: readonly Candidate[], context: PolicyContext, previous: Picker | undefined) =>
    new RoundRobinPicker(candidates, startOf(candidates, context, previous)),
})

class RoundRobinPicker implements Picker {
  readonly candidates: readonly Candidate[]
  readonly #size: number
  #next: number

  constructor(candidates: readonly Candidate[], next: number) {
    this.candidates = candidates
    this.#size = candidates.length
    this.#next = next
  }

  get next(): number {
    return this.#next
  }

  pick(_key: string | undefined, isExcluded: IsExcluded | undefined): number {
    if (isExcluded !== undefined) return this.#pickOther(isExcluded)
    const place = this.#next
    const after = place + 1
    this.#next = after === this.#size ? 0 : after
    return place
  }

  #pickOther(isExcluded: IsExcluded): number {
    for (let tries = 0; tries < this.#size; tries += 1) {
      const place = this.pick(undefined, undefined)
      if (!isExcluded(place)) return place
    }
    return -1
  }
}

/** Where the previous picker stood: at the first of those it would have chosen next that is still there. At first, anywhere. */
function startOf(candidates: readonly Candidate[], context: PolicyContext, previous: Picker | undefined): number {
  // Every process of a fleet that began with the first would call the same one.
  if (!(previous instanceof RoundRobinPicker)) return context.below(candidates.length)
  const places = new Map(candidates.map((candidate, place) => [candidate, place]))
  const before = previous.candidates
  for (let step = 0; step < before.length; step += 1) {
    const candidate = before[(previous.next + step) % before.length]
    const place = candidate && places.get(candidate)
    if (place !== undefined) return place
  }
  return context.below(candidates.length)
}

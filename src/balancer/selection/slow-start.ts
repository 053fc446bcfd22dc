import type { IsExcluded, Picker, PolicyContext } from '../policies/policy.js'

/** What one that has just come gets of its share: Envoy's. */
export const LEAST_WARMTH = 0.1

/** The share of its calls that one gets at an age. */
export function warmthAt(ageMs: number, windowMs: number): number {
  return Math.min(1, Math.max(LEAST_WARMTH, ageMs / windowMs))
}

const STEPS = 10_000

/** Where one that is warming up is drawn, it is passed over for one that is not, the more often the newer it is. */
export class SlowStartPicker implements Picker {
  readonly #inner: Picker
  readonly #warmth: (place: number) => number
  readonly #context: PolicyContext

  /** @param warmth the share of its calls that the candidate of a place is to get now, from 0 to 1 */
  constructor(inner: Picker, warmth: (place: number) => number, context: PolicyContext) {
    this.#inner = inner
    this.#warmth = warmth
    this.#context = context
  }

  pick(key: string | undefined, isExcluded: IsExcluded | undefined): number {
    const place = this.#inner.pick(key, isExcluded)
    if (place === -1) return place
    const warmth = this.#warmth(place)
    if (warmth >= 1 || this.#context.below(STEPS) < warmth * STEPS) return place
    const other = this.#inner.pick(key, (candidate) => this.#warmth(candidate) < 1 || isExcluded?.(candidate) === true)
    return other === -1 ? place : other
  }
}

import { nextAllowed } from './random.js'
import type { Candidate, IsExcluded, Picker, PolicyContext } from './policy.js'

/**
 * The better of two different candidates drawn at random. They must differ: drawn with replacement, the worst of n would still be both
 * of them in one pick of n squared.
 */
export abstract class TwoChoicesPicker implements Picker {
  protected readonly candidates: readonly Candidate[]
  protected readonly context: PolicyContext
  readonly #size: number

  constructor(candidates: readonly Candidate[], context: PolicyContext) {
    this.candidates = candidates
    this.context = context
    this.#size = candidates.length
  }

  pick(_key: string | undefined, isExcluded: IsExcluded | undefined): number {
    const size = this.#size
    if (isExcluded !== undefined) return this.#pickOther(isExcluded)
    if (size === 1) return 0
    const first = this.context.below(size)
    const other = this.context.below(size - 1)
    return this.#better(first, other < first ? other : other + 1)
  }

  /** Whether the second is to be called rather than the first. */
  protected abstract isBetter(second: Candidate, first: Candidate): boolean

  #better(first: number, second: number): number {
    const one = this.candidates[first]
    const other = this.candidates[second]
    if (one === undefined || other === undefined) return first
    return this.isBetter(other, one) ? second : first
  }

  #pickOther(isExcluded: IsExcluded): number {
    const size = this.#size
    const first = nextAllowed(this.context.below(size), size, isExcluded)
    if (first === -1) return -1
    const second = nextAllowed(this.context.below(size), size, (place) => place === first || isExcluded(place))
    return second === -1 ? first : this.#better(first, second)
  }
}

import { EarliestDeadline } from './earliest-deadline.js'
import type { BalancerPolicy, Candidate, IsExcluded, Picker, PolicyContext } from './policy.js'

/** The longest order that is worked out in advance; 20 KB. Beyond it each pick works out the next. */
export const LONGEST_SEQUENCE = 10_000

/** Where in its period a candidate begins is drawn from so many places, so that a fleet does not begin with the same one. */
const PHASES = 1_000

/** In proportion to the weights, exactly over a period, and evenly spread within it. */
export const weightedRoundRobin: BalancerPolicy = Object.freeze({
  name: 'weighted-round-robin',
  usesLatency: false,
  createPicker(candidates: readonly Candidate[], context: PolicyContext, previous: Picker | undefined): Picker {
    const phases = previous instanceof WeightedPicker ? previous.phases() : undefined
    const shares = candidates.map((candidate) => ({
      weight: candidate.weight,
      phase: phases?.get(candidate) ?? (context.below(PHASES) + 1) / PHASES,
    }))
    const order = new EarliestDeadline(shares)
    const period = periodOf(candidates)
    return period > LONGEST_SEQUENCE ? new HeapPicker(candidates, order) : new SequencePicker(candidates, order, period)
  },
})

/** Knows how far each candidate is from its next turn. */
abstract class WeightedPicker implements Picker {
  protected readonly candidates: readonly Candidate[]

  constructor(candidates: readonly Candidate[]) {
    this.candidates = candidates
  }

  pick(_key: string | undefined, isExcluded: IsExcluded | undefined): number {
    const place = this.next()
    if (isExcluded?.(place) !== true) return place
    // A turn that is passed over is lost. One of a weight of 1 among many thousands is not waited for: the pool finds it.
    for (let tries = 0; tries < 2 * this.candidates.length; tries += 1) {
      const other = this.next()
      if (!isExcluded(other)) return other
    }
    return -1
  }

  protected abstract next(): number

  /** What is left of each candidate's period, from 0 to 1. */
  abstract phases(): ReadonlyMap<Candidate, number>
}

/** The order of one period, worked out once. */
class SequencePicker extends WeightedPicker {
  readonly #sequence: Uint16Array | Uint32Array
  readonly #length: number
  #next = 0

  constructor(candidates: readonly Candidate[], order: EarliestDeadline, period: number) {
    super(candidates)
    this.#length = period
    this.#sequence = candidates.length > 65_535 ? new Uint32Array(period) : new Uint16Array(period)
    for (let index = 0; index < period; index += 1) this.#sequence[index] = order.next()
  }

  protected override next(): number {
    const index = this.#next
    this.#next = index + 1 === this.#length ? 0 : index + 1
    return this.#sequence[index] ?? 0
  }

  override phases(): ReadonlyMap<Candidate, number> {
    const sum = this.candidates.reduce((total, candidate) => total + candidate.weight, 0)
    const phases = new Map<Candidate, number>()
    for (let step = 0; step < this.#length; step += 1) {
      const candidate = this.candidates[this.#sequence[(this.#next + step) % this.#length] ?? 0]
      if (candidate !== undefined && !phases.has(candidate))
        phases.set(candidate, ((step + 1) * candidate.weight) / sum)
    }
    return phases
  }
}

/** The order, worked out at each pick. */
class HeapPicker extends WeightedPicker {
  readonly #order: EarliestDeadline

  constructor(candidates: readonly Candidate[], order: EarliestDeadline) {
    super(candidates)
    this.#order = order
  }

  protected override next(): number {
    return this.#order.next()
  }

  override phases(): ReadonlyMap<Candidate, number> {
    return new Map(this.candidates.map((candidate, place) => [candidate, this.#order.phaseOf(place)]))
  }
}

/** The picks after which everyone has had its share: the sum of the weights over their greatest common divisor. */
function periodOf(candidates: readonly Candidate[]): number {
  let sum = 0
  let divisor = 0
  for (const { weight } of candidates) {
    if (!Number.isInteger(weight)) return Infinity
    sum += weight
    divisor = greatestCommonDivisor(divisor, weight)
  }
  return sum / divisor
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b)
}

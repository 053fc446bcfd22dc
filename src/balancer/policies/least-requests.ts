import type { BalancerPolicy, Candidate, PolicyContext } from './policy.js'
import { TwoChoicesPicker } from './two-choices.js'

/** Of two at random, the one with fewer calls in flight for its weight. */
export const leastRequests: BalancerPolicy = Object.freeze({
  name: 'least-requests',
  usesLatency: false,
  createPicker: (candidates: readonly Candidate[], context: PolicyContext) =>
    new LeastRequestsPicker(candidates, context),
})

class LeastRequestsPicker extends TwoChoicesPicker {
  /** Without a division: both are compared for the same weight. */
  protected override isBetter(second: Candidate, first: Candidate): boolean {
    return (second.inFlight + 1) * first.weight < (first.inFlight + 1) * second.weight
  }
}

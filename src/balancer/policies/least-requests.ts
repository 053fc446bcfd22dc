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
  protected override cost(candidate: Candidate): number {
    return candidate.inFlight + 1
  }
}

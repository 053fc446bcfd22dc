import type { BalancerPolicy, Candidate, PolicyContext } from './policy.js'
import { TwoChoicesPicker } from './two-choices.js'

/** How long a mean of the known latencies is used before it is taken anew. */
const MEAN_MAX_AGE_MS = 100

/**
 * Of two at random, the one that promises the sooner answer: recent latency, times the calls in flight and this one, over its weight.
 * The latency is the peak-sensitive moving average that Finagle made known
 * (https://twitter.github.io/finagle/guide/Clients.html#power-of-two-choices-p2c-least-loaded).
 */
export const p2c: BalancerPolicy = Object.freeze({
  name: 'p2c',
  usesLatency: true,
  createPicker: (candidates: readonly Candidate[], context: PolicyContext) => new P2cPicker(candidates, context),
})

class P2cPicker extends TwoChoicesPicker {
  #meanMs = 1
  #meanAt = -Infinity

  /** Without a division: both are compared for the same weight. In one piece, so that no number becomes an object. */
  protected override isBetter(second: Candidate, first: Candidate): boolean {
    const { now } = this.context
    let secondMs = second.latencyAt(now)
    let firstMs = first.latencyAt(now)
    if (secondMs < 0 || firstMs < 0) {
      const meanMs = this.#mean()
      if (secondMs < 0) secondMs = meanMs
      if (firstMs < 0) firstMs = meanMs
    }
    return secondMs * (second.inFlight + 1) * first.weight < firstMs * (first.inFlight + 1) * second.weight
  }

  /**
   * What is expected of one about which nothing is known: the mean of those that are. As nothing it would draw every call at once, as
   * the worst it would get none.
   */
  #mean(): number {
    const { now } = this.context
    if (now - this.#meanAt < MEAN_MAX_AGE_MS) return this.#meanMs
    let sum = 0
    let known = 0
    for (const candidate of this.candidates) {
      const latency = candidate.latencyAt(now)
      if (latency < 0) continue
      sum += latency
      known += 1
    }
    this.#meanMs = known === 0 ? 1 : sum / known
    this.#meanAt = now
    return this.#meanMs
  }
}

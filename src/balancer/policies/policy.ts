import type { ServiceInstance } from '../../instances/service-instance.js'

/**
 * The contract between a pool and the rule by which it chooses. The pool decides who may be called at all (removed, ejected, in another
 * zone, warming up); a policy decides who of them is next.
 */

/** An instance that may be called. The same object from picker to picker, as long as the instance is the same. */
export interface Candidate {
  readonly instance: ServiceInstance
  /** Its share of the calls, compared with others: more than 0. */
  readonly weight: number
  /** Calls that have begun and not ended. */
  readonly inFlight: number
  /**
   * Peak-sensitive moving average of its latency in milliseconds at a moment of the monotonic clock, fading while it is not called.
   * Negative as long as nothing is known. A failed call counts as a second at least.
   */
  latencyAt(now: number): number
}

/** What a policy may ask of its pool. */
export interface PolicyContext {
  /** The moment of the present pick in milliseconds of a monotonic clock, if the policy `usesLatency`. */
  readonly now: number
  /** Calls under way to all instances of the pool together. */
  readonly inFlight: number
  /** A whole number at random, from 0 up to and without `count`. */
  below(count: number): number
}

/** Whether the candidate at a place must not be chosen. */
export type IsExcluded = (place: number) => boolean

/**
 * Chooses among the candidates it was made for; the list never changes under it. What it keeps (a position, a ring) is its own.
 */
export interface Picker {
  /**
   * The place of the chosen candidate in the list, or -1 when there is none.
   * @param key the caller's, where it gave one
   * @param isExcluded given when a call is repeated elsewhere; undefined as a rule
   */
  pick(key: string | undefined, isExcluded: IsExcluded | undefined): number
}

/**
 * A rule by which instances are chosen. One that throws, or names a place that is not there, is passed over for that pick.
 */
export interface BalancerPolicy {
  readonly name: string
  /** Whether latencies are measured for it, which costs it two looks at the clock a call. Default true. */
  readonly usesLatency?: boolean
  /**
   * A picker for these candidates, at least one. Called when instances come, go, change their weight, are ejected or return.
   * @param previous the picker before, of this policy and this pool, so that the next can go on from its place
   */
  createPicker(candidates: readonly Candidate[], context: PolicyContext, previous: Picker | undefined): Picker
}

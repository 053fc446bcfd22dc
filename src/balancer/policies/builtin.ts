import { consistentHash } from './consistent-hash.js'
import { leastRequests } from './least-requests.js'
import { p2c } from './p2c.js'
import type { BalancerPolicy } from './policy.js'
import { random } from './random.js'
import { roundRobin } from './round-robin.js'
import { weightedRoundRobin } from './weighted-round-robin.js'

/** The policies that are chosen by a word. */
export const POLICY_NAMES = [
  'p2c',
  'round-robin',
  'weighted-round-robin',
  'least-requests',
  'random',
  'consistent-hash',
] as const

/** The name of a policy that comes with the package. */
export type PolicyName = (typeof POLICY_NAMES)[number]

/** The policies by their names. */
export const POLICIES: Readonly<Record<PolicyName, BalancerPolicy>> = Object.freeze({
  p2c,
  'round-robin': roundRobin,
  'weighted-round-robin': weightedRoundRobin,
  'least-requests': leastRequests,
  random,
  'consistent-hash': consistentHash,
})

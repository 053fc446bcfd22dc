import type { ResolvedOutliers } from '../outliers/outlier-options.js'
import type { BalancerPolicy } from '../policies/policy.js'
import type { SubsetOptions } from '../selection/subset.js'
import type { ZoneOptions } from '../selection/zone.js'

/** What decides which instance is next: balancers for which it is equal share a pool. */
export interface ResolvedPoolOptions {
  readonly policy: BalancerPolicy
  readonly zone: ZoneOptions | undefined
  readonly subset: SubsetOptions | undefined
  readonly slowStartMs: number
  readonly outliers: ResolvedOutliers | undefined
  readonly panicThreshold: number
}

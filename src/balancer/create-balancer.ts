import type { Random } from '../core/backoff.js'
import type { Clock } from '../core/clock.js'
import type { Logger } from '../core/logger.js'
import { checkObject } from '../core/option-check.js'
import type { Runtime } from '../core/runtime.js'
import { resolveRuntime } from '../core/runtime-options.js'
import { checkInstances } from '../instances/given-list.js'
import type { InstanceSource } from '../instances/instance-source.js'
import type { InstanceFields, ServiceInstance } from '../instances/service-instance.js'
import { ServiceWatcher } from '../instances/service-watcher.js'
import { watchInstances } from '../instances/watch-instances.js'
import type { Balancer } from './balancer.js'
import { BALANCER_OPTIONS, resolveBalancerOptions, type BalancerOptions } from './balancer-options.js'
import type { Followed } from './pool/pool.js'
import { SharedPools } from './shared-pools.js'

/** Where a balancer has its instances from: any source, a watcher that is followed and not closed, or a list that does not change. */
export type BalancerSource = InstanceSource | ServiceWatcher | readonly InstanceFields[] | readonly ServiceInstance[]

/** How a balancer of one's own chooses and calls. All optional. */
export interface CreateBalancerOptions extends BalancerOptions {
  /** Where to tell of turns of events. Default: silent, but for `NODE_DEBUG=proconsul`. */
  readonly logger?: Logger | undefined
  /** The clock. For tests. */
  readonly clock?: Clock | undefined
  /** The randomness. For tests. */
  readonly random?: Random | undefined
}

/**
 * A balancer over instances from anywhere: it works as that of `consul.balancer` does.
 * @throws ProconsulError `PROCONSUL_INVALID_OPTION`
 */
export function createBalancer(source: BalancerSource, options: CreateBalancerOptions = {}): Balancer {
  checkObject('options', options, [...BALANCER_OPTIONS, 'logger', 'clock', 'random'])
  const runtime = resolveRuntime(options)
  const resolved = resolveBalancerOptions(options)
  const pools = new SharedPools(runtime)
  return pools.open(undefined, resolved, () => follow(source, runtime))
}

function follow(source: BalancerSource, { logger, clock }: Runtime): Followed {
  if (source instanceof ServiceWatcher) return { watcher: source, isOwned: false }
  if (!isList(source)) return { watcher: watchInstances(source, { logger, clock }), isOwned: true }
  const instances = checkInstances(source)
  const watcher = watchInstances(fixedList(instances), { logger, clock, lossGuard: false })
  return { watcher, isOwned: true, instances }
}

function isList(source: BalancerSource): source is readonly InstanceFields[] {
  return Array.isArray(source)
}

/** Instances that stay as they are, as a source. */
function fixedList(instances: readonly ServiceInstance[]): InstanceSource {
  const label = instances[0] === undefined ? 'an empty list' : `service "${instances[0].name}"`
  return {
    label,
    observe(observer) {
      observer.onValue({ instances, confirmedAt: Date.now(), isContinuous: true })
      return { close: () => undefined }
    },
  }
}

import type { ServiceInstance } from '../../instances/service-instance.js'
import type { EjectionReason } from '../outliers/outliers.js'

/** An instance is left out because its calls fail. Frozen. */
export interface EjectedDetails {
  readonly instance: ServiceInstance
  readonly reason: EjectionReason
  /** For how long, in milliseconds: the longer the more often it was. */
  readonly forMs: number
  /** Until when, in milliseconds since the epoch. Then one call shows whether it is well again. */
  readonly until: number
}

/** An instance is called again. Frozen. */
export interface ReturnedDetails {
  readonly instance: ServiceInstance
  /** Milliseconds since it was ejected. */
  readonly ejectedForMs: number
}

/** Too few instances are left, or enough again. Frozen. */
export interface PanicDetails {
  /** True: ejected instances are called as well from now on. False: they are not any more. */
  readonly active: boolean
  /** Instances that are not ejected. */
  readonly available: number
  /** All instances that this process calls. */
  readonly total: number
}

/** The list of instances changed. Frozen. */
export interface BalancerChange {
  readonly instances: readonly ServiceInstance[]
  readonly added: readonly ServiceInstance[]
  readonly removed: readonly ServiceInstance[]
  /** The new versions of instances that were there before. */
  readonly updated: readonly ServiceInstance[]
}

/** The events of a balancer. Listeners are called synchronously, in the order they were added. */
export interface BalancerEvents {
  readonly ejected: [details: EjectedDetails]
  readonly returned: [details: ReturnedDetails]
  readonly panic: [details: PanicDetails]
  /** The first has every instance in `added`. */
  readonly change: [change: BalancerChange]
  /** The balancer was closed. Nothing follows. */
  readonly closed: []
}

/** Every event there is. */
export const BALANCER_EVENTS = ['ejected', 'returned', 'panic', 'change', 'closed'] as const

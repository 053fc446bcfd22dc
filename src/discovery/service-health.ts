import type { InstanceStatus } from '../instances/service-instance.js'

/**
 * Which instances are found, by their health. `'serving'`: passing and warning, as Consul's DNS has it by default
 * (https://developer.hashicorp.com/consul/docs/services/discovery/dns-static-lookups); a warning takes nobody out, it lowers the weight.
 * `'passing'`: only those all of whose checks, the node's included, pass. `'any'`: also those that are critical or in maintenance.
 */
export type ServiceHealth = 'serving' | 'passing' | 'any'

/** Every {@link ServiceHealth}. */
export const SERVICE_HEALTHS: readonly ServiceHealth[] = Object.freeze(['serving', 'passing', 'any'])

/** Whether an instance of this status is found. */
export function isFound(status: InstanceStatus, health: ServiceHealth): boolean {
  if (health === 'any') return true
  return status === 'passing' || (status === 'warning' && health === 'serving')
}

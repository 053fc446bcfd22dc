import type { ServiceRecord } from '../../api/health-entry.js'
import { sameMap, sameSet } from '../../core/equal.js'
import type { ResolvedDefinition } from '../definition/resolve-definition.js'
import { BOOT_KEY } from '../identity/boot.js'

/**
 * What of a service's record at the agent is not as it was registered; empty when all is. What was not registered, such as an address that
 * Consul or others added, is not ours to judge. The boot id is judged elsewhere.
 */
export function serviceDrift(service: ResolvedDefinition['service'], record: ServiceRecord): readonly string[] {
  const differs: readonly (readonly [string, boolean])[] = [
    ['name', record.name !== service.name],
    ['address', record.address !== (service.address ?? '')],
    ['port', service.ports === undefined && record.port !== (service.port ?? 0)],
    ['tags', service.enableTagOverride !== true && !sameSet(record.tags, service.tags ?? [])],
    ['meta', !sameMap(withoutBoot(record.meta), withoutBoot(service.meta ?? {}))],
    ['weights', service.weights !== undefined && !sameMap(record.weights, service.weights)],
    ['taggedAddresses', !hasAddresses(record.taggedAddresses, service.taggedAddresses ?? {})],
    ['enableTagOverride', record.enableTagOverride !== (service.enableTagOverride ?? record.enableTagOverride)],
  ]
  return differs.filter(([, isDifferent]) => isDifferent).map(([name]) => name)
}

function withoutBoot(meta: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(meta).filter(([key]) => key !== BOOT_KEY))
}

type Addresses = ServiceRecord['taggedAddresses']

function hasAddresses(all: Addresses, some: Addresses): boolean {
  return Object.entries(some).every(([tag, { address, port }]) => {
    const shown = all[tag]
    return shown?.address === address && shown.port === port
  })
}

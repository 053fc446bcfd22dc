import type { CheckEntry, ServiceRecord } from '../../api/health-entry.js'
import type { ResolvedDefinition } from '../definition/resolve-definition.js'
import { BOOT_KEY } from '../identity/boot.js'

/** What of a service's record at the agent is not as it was registered; empty when all is. The boot id is judged elsewhere. */
export function serviceDrift({ service }: ResolvedDefinition, record: ServiceRecord): readonly string[] {
  const differs: readonly (readonly [string, boolean])[] = [
    ['name', record.name !== service.name],
    ['address', record.address !== (service.address ?? '')],
    ['port', service.ports === undefined && record.port !== (service.port ?? 0)],
    ['tags', service.enableTagOverride !== true && !sameList(record.tags, service.tags ?? [])],
    ['meta', !sameMap(withoutBoot(record.meta), withoutBoot(service.meta ?? {}))],
    ['weights', service.weights !== undefined && !sameMap(record.weights, service.weights)],
  ]
  return differs.filter(([, isDifferent]) => isDifferent).map(([name]) => name)
}

/** Ids of the service's checks that the agent does not have, or has for another service. */
export function missingChecks({ service }: ResolvedDefinition, checks: readonly CheckEntry[]): readonly string[] {
  const owners = new Map(checks.map((check) => [check.id, check.serviceId]))
  return service.checks.map(({ id }) => id).filter((id) => owners.get(id) !== service.id)
}

function withoutBoot(meta: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(meta).filter(([key]) => key !== BOOT_KEY))
}

function sameList(left: readonly string[], right: readonly string[]): boolean {
  const [one, other] = [new Set(left), new Set(right)]
  return one.size === other.size && [...one].every((entry) => other.has(entry))
}

function sameMap(left: Readonly<Record<string, unknown>>, right: Readonly<Record<string, unknown>>): boolean {
  const keys = Object.keys(left)
  return keys.length === Object.keys(right).length && keys.every((key) => left[key] === right[key])
}

import type { CheckEntry, ServiceEntry, ServiceRecord } from '../api/health-entry.js'
import { weightOf, type InstanceStatus, type ServiceInstance } from '../instances/service-instance.js'

/** The instance that an entry of Consul describes; undefined when the query asks for a named port that it does not have. */
export function consulInstance({ node, service, checks }: ServiceEntry, port?: string): ServiceInstance | undefined {
  const chosen = port === undefined ? defaultPort(service) : namedPort(service, port)
  if (chosen === undefined) return undefined
  const status = worstStatus(checks)
  return {
    id: service.id,
    name: service.name,
    address: service.address === '' ? node.address : service.address,
    port: chosen,
    ports: namedPorts(service),
    taggedAddresses: service.taggedAddresses,
    tags: service.tags,
    meta: ownersMeta(service.meta),
    weights: service.weights,
    weight: weightOf({ status, weights: service.weights }),
    node: node.name,
    datacenter: node.datacenter,
    status,
  }
}

/** Begins the names of metadata that registrations add for themselves. Nobody can register such a name through this package. */
const RESERVED_META = 'proconsul-'

function ownersMeta(meta: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const entries = Object.entries(meta)
  const own = entries.filter(([name]) => !name.startsWith(RESERVED_META))
  return own.length === entries.length ? meta : Object.fromEntries(own)
}

/** Shared by the many instances that have none. */
const NO_PORTS: ServiceInstance['ports'] = Object.freeze({})

function namedPorts({ ports }: ServiceRecord): ServiceInstance['ports'] {
  return ports.length === 0 ? NO_PORTS : Object.fromEntries(ports.map(({ name, port }) => [name, port]))
}

/** A service that registers `ports` leaves its own port 0. */
function defaultPort({ port, ports }: ServiceRecord): number {
  if (port !== 0) return port
  return (ports.find((entry) => entry.isDefault) ?? ports[0])?.port ?? 0
}

function namedPort({ ports }: ServiceRecord, name: string): number | undefined {
  return ports.find((entry) => entry.name === name)?.port
}

const MAINTENANCE = /^_(?:node_maintenance$|service_maintenance:)/

function worstStatus(checks: readonly CheckEntry[]): InstanceStatus {
  let worst: InstanceStatus = 'passing'
  for (const { id, status } of checks) {
    if (status === 'passing') continue
    if (MAINTENANCE.test(id)) return 'maintenance'
    if (status === 'critical' || worst === 'passing') worst = status
  }
  return worst
}

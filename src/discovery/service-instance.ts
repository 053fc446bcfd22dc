import type { CheckEntry, CheckStatus, ServiceEntry, ServiceRecord } from '../api/health-entry.js'

/** One instance of a service, ready to be called. Frozen; the same object from snapshot to snapshot as long as nothing in it changes. */
export interface ServiceInstance {
  /** Unique on its node only: two nodes may each have a `web-1`. */
  readonly id: string
  readonly name: string
  /** The service's own address, or its node's where it has none. */
  readonly address: string
  /** The port that the query asked for, else the service's own, else the default one of `ports`. 0 when there is none. */
  readonly port: number
  /** Every named port (Consul 1.22 and later); empty for a service with a single port. */
  readonly ports: Readonly<Record<string, number>>
  readonly tags: readonly string[]
  /** What its owner registered; entries that this package adds (`proconsul-…`) are left out. */
  readonly meta: Readonly<Record<string, string>>
  readonly weights: { readonly passing: number; readonly warning: number }
  /** Name of the node. */
  readonly node: string
  readonly datacenter: string
  /** The worst of its checks and its node's; `maintenance` when either was put into maintenance. */
  readonly status: CheckStatus
}

/** The instance that an entry describes; undefined when the query asks for a named port that it does not have. */
export function serviceInstance({ node, service, checks }: ServiceEntry, port?: string): ServiceInstance | undefined {
  const chosen = port === undefined ? defaultPort(service) : namedPort(service, port)
  if (chosen === undefined) return undefined
  return {
    id: service.id,
    name: service.name,
    address: service.address === '' ? node.address : service.address,
    port: chosen,
    ports: namedPorts(service),
    tags: service.tags,
    meta: ownersMeta(service.meta),
    weights: service.weights,
    node: node.name,
    datacenter: node.datacenter,
    status: worstStatus(checks),
  }
}

/** Begins the names of metadata that registrations add for themselves. Nobody can register such a name through this package. */
const RESERVED_META = 'proconsul-'

function ownersMeta(meta: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const entries = Object.entries(meta)
  const own = entries.filter(([name]) => !name.startsWith(RESERVED_META))
  return own.length === entries.length ? meta : Object.fromEntries(own)
}

/** What tells instances apart. */
export function instanceKey(instance: ServiceInstance): string {
  return `${instance.datacenter}\n${instance.node}\n${instance.id}`
}

/** Whether two versions of an instance say the same. */
export function sameInstance(a: ServiceInstance, b: ServiceInstance): boolean {
  return (
    a.id === b.id &&
    a.status === b.status &&
    a.port === b.port &&
    a.address === b.address &&
    a.node === b.node &&
    a.datacenter === b.datacenter &&
    a.name === b.name &&
    a.weights.passing === b.weights.passing &&
    a.weights.warning === b.weights.warning &&
    sameList(a.tags, b.tags) &&
    sameMap(a.meta, b.meta) &&
    sameMap(a.ports, b.ports)
  )
}

/** Whether two lists hold the same texts in the same order. */
export function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((entry, index) => entry === b[index])
}

/** Whether two maps hold the same entries. */
export function sameMap<T>(a: Readonly<Record<string, T>>, b: Readonly<Record<string, T>>): boolean {
  const keys = Object.keys(a)
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && a[key] === b[key])
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

function worstStatus(checks: readonly CheckEntry[]): CheckStatus {
  let worst: CheckStatus = 'passing'
  for (const { id, status } of checks) {
    if (status === 'passing') continue
    if (MAINTENANCE.test(id)) return 'maintenance'
    if (status === 'critical' || worst === 'passing') worst = status
  }
  return worst
}

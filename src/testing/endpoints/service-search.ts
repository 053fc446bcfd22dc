/** Finding the instances of a service, and when to look again. */
import type { AgentNode } from '../agent/agent-node.js'
import type { Reading } from '../server/blocking-query.js'
import type { NodeRecord, ServiceRecord } from '../state/records.js'
import { commonLength } from '../state/sorted-map.js'
import { topics, type Topic } from '../state/wake-ups.js'

/** An instance with its node. */
export interface FoundInstance {
  readonly node: NodeRecord
  readonly service: ServiceRecord
}

/** What is looked for. */
export interface ServiceSearch {
  readonly name: string
  /** Whether the answer shows checks, and so must be read again when they change. */
  readonly withChecks: boolean
  /** Whether proxies and natively connected instances are looked for. */
  readonly isConnect: boolean
}

/** One reading of a service's instances. */
export function serviceReading<Value>(
  agent: AgentNode,
  search: ServiceSearch,
  present: (instances: readonly FoundInstance[]) => Value,
): Reading<Value> {
  const { catalog } = agent.cluster.store
  const name = search.name.toLowerCase()
  const rows = search.isConnect ? connectInstances(agent, name) : catalog.instances(name)
  const instances = rows.flatMap((service) => {
    const node = catalog.node(service.node)
    return node === undefined ? [] : [{ node, service }]
  })
  return {
    index: serviceIndex(agent, name, rows.length > 0, search),
    interests: interestsOf(agent, name, rows.length > 0, search),
    value: () => present(instances),
  }
}

/** Proxies for a service, and instances that speak for themselves. */
export function connectInstances(agent: AgentNode, name: string): readonly ServiceRecord[] {
  return agent.cluster.store.catalog.services().filter((service) => {
    const destination = service.proxy?.['DestinationServiceName']
    const isProxy =
      service.kind === 'connect-proxy' && typeof destination === 'string' && destination.toLowerCase() === name
    return isProxy || (service.connect?.['Native'] === true && service.name.toLowerCase() === name)
  })
}

function serviceIndex(
  agent: AgentNode,
  name: string,
  exists: boolean,
  { withChecks, isConnect }: ServiceSearch,
): number {
  const { indexes } = agent.cluster.store
  // An unknown service has the index of the last service that went; the tables' own only until that first happened.
  if (!exists && indexes.lastExtinction !== undefined) return indexes.lastExtinction
  const own = isConnect ? undefined : indexes.ofService(name)
  if (own !== undefined) return own
  return withChecks ? indexes.ofTables('nodes', 'services', 'checks') : indexes.ofTables('nodes', 'services')
}

function interestsOf(
  agent: AgentNode,
  name: string,
  exists: boolean,
  { withChecks, isConnect }: ServiceSearch,
): readonly Topic[] {
  if (isConnect) return [topics.services, topics.checks]
  if (exists && withChecks) return [topics.serviceIndex(name)]
  return [topics.below('service', exists ? name : neighbourhood(agent, name))]
}

/** The longest beginning that an unknown name shares with a known service: a change anywhere below it wakes who waits for the name. */
function neighbourhood(agent: AgentNode, name: string): string {
  const lengths = agent.cluster.store.catalog.serviceNames().map((known) => commonLength(known, name))
  return name.slice(0, Math.max(0, ...lengths))
}

/** Whether a service has all the wanted tags, in any spelling of case. */
export function hasTags(tags: readonly string[], wanted: readonly string[]): boolean {
  const known = new Set(tags.map((tag) => tag.toLowerCase()))
  return wanted.every((tag) => known.has(tag.toLowerCase()))
}

/** Whether metadata has all the wanted `key:value` pairs. */
export function matchesMeta(meta: Readonly<Record<string, string>> | null, wanted: readonly string[]): boolean {
  return wanted.every((pair) => {
    const [key = '', value = ''] = pair.split(/:(.*)/s)
    return meta?.[key] === value
  })
}

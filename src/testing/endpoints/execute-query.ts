import type { AgentNode } from '../agent/agent-node.js'
import type { ApiRequest } from '../server/api-request.js'
import type { QueryEndpoint } from '../server/query-endpoint.js'
import { plain, type Reply } from '../wire/reply.js'
import type { CheckRecord } from '../state/records.js'
import type { PreparedQueryRecord } from '../state/prepared-queries.js'
import { connectInstances } from './service-search.js'
import { checkJson, nodeJson, serviceJson } from './wire-shapes.js'

/** Answers `/v1/query/:name/execute`. It does not block, and instances come in any order. */
export function executeQuery(
  agent: AgentNode,
  endpoint: QueryEndpoint,
  request: ApiRequest,
  name: string,
): Promise<Reply> | Reply {
  const query = agent.cluster.store.queries.find(name)
  if (query === undefined) return plain(404, 'Query not found')
  const limit = Number(request.param('limit')) || Infinity
  return endpoint.answer(request, (view) => ({
    index: 0,
    interests: [],
    value: () => ({
      Service: query.service,
      Nodes: view
        .visible(findEntries(agent, query), ({ node, service }) => view.readsService(service) && view.readsNode(node))
        .slice(0, limit)
        .map(({ json }) => json),
      DNS: { TTL: query.dnsTtl },
      Datacenter: agent.cluster.datacenter,
      Failovers: 0,
      Index: 0,
      LastContact: 0,
      KnownLeader: true,
      ConsistencyLevel: 'leader',
    }),
  }))
}

interface QueryEntry {
  readonly node: string
  readonly service: string
  readonly json: object
}

function findEntries(agent: AgentNode, query: PreparedQueryRecord): readonly QueryEntry[] {
  const { catalog } = agent.cluster.store
  const rows = query.connect ? connectInstances(agent, query.service.toLowerCase()) : catalog.instances(query.service)
  return rows.flatMap((service) => {
    const node = catalog.node(service.node)
    if (node === undefined) return []
    const checks = [...catalog.checksOfInstance(node.node, ''), ...catalog.checksOfInstance(node.node, service.id)]
    const isWanted =
      isHealthy(checks, query) &&
      hasWantedTags(service.tags, query.tags ?? []) &&
      includes(node.meta, query.nodeMeta) &&
      includes(service.meta, query.serviceMeta)
    if (!isWanted) return []
    const json = {
      Node: nodeJson(node, agent.cluster.datacenter),
      Service: { ...serviceJson(service), Tags: nullIfNone(service.tags) },
      Checks: checks.map((check) => ({
        ...checkJson(check, agent.profile),
        ServiceTags: nullIfNone(check.serviceTags),
      })),
    }
    return [{ node: node.node, service: service.name, json }]
  })
}

/** The other endpoints show an empty list. */
function nullIfNone(tags: readonly string[]): readonly string[] | null {
  return tags.length === 0 ? null : tags
}

function isHealthy(checks: readonly CheckRecord[], { onlyPassing, ignoreCheckIds }: PreparedQueryRecord): boolean {
  return checks
    .filter(({ checkId }) => ignoreCheckIds?.includes(checkId) !== true)
    .every(({ status }) => (onlyPassing ? status === 'passing' : status !== 'critical'))
}

/** A tag with an exclamation mark must not be there. */
function hasWantedTags(tags: readonly string[], wanted: readonly string[]): boolean {
  const known = new Set(tags.map((tag) => tag.toLowerCase()))
  return wanted.every((tag) =>
    tag.startsWith('!') ? !known.has(tag.slice(1).toLowerCase()) : known.has(tag.toLowerCase()),
  )
}

function includes(
  meta: Readonly<Record<string, string>> | null,
  wanted: Readonly<Record<string, string>> | null,
): boolean {
  return Object.entries(wanted ?? {}).every(([key, value]) => meta?.[key] === value)
}

/** `/v1/health/…`. See https://developer.hashicorp.com/consul/api-docs/health. */
import type { AclView } from '../acl/acl-view.js'
import type { AgentNode } from '../agent/agent-node.js'
import { compileFilter } from '../filter/filter.js'
import type { ApiRequest } from '../server/api-request.js'
import type { Reading } from '../server/blocking-query.js'
import { CACHED_STYLE, CATALOG_STYLE, QueryEndpoint } from '../server/query-endpoint.js'
import { Refusal } from '../wire/reply.js'
import type { Route } from '../server/router.js'
import type { CheckRecord } from '../state/records.js'
import { topics, type Topic } from '../state/wake-ups.js'
import { requireRest } from './require-rest.js'
import { hasTags, matchesMeta, serviceReading, type FoundInstance } from './service-search.js'
import { checkJson, nodeJson, serviceJson } from './wire-shapes.js'

/** The routes of health. */
export function healthRoutes(agent: AgentNode): readonly Route[] {
  const endpoint = new QueryEndpoint(agent, CATALOG_STYLE)
  const { catalog } = lazyCatalog(agent)
  const checksRoute = (path: string, missing: string, read: (name: string) => CheckReading): Route => ({
    path,
    methods: {
      GET: (request) => {
        const name = requireRest(request, missing)
        const filter = compileFilter(request.param('filter'), 'check')
        return endpoint.answer(request, (view) => toReading(agent, request, view, read(name), filter))
      },
    },
  })
  return [
    serviceRoute(agent, new QueryEndpoint(agent, CACHED_STYLE), '/v1/health/service/', false),
    serviceRoute(agent, endpoint, '/v1/health/connect/', true),
    checksRoute('/v1/health/checks/', 'Missing service name', (name) => ({
      rows: catalog().checksOfService(name),
      interests: [topics.checksOfService(name.toLowerCase())],
    })),
    checksRoute('/v1/health/node/', 'Missing node name', (name) => ({
      rows: catalog().checksOfNode(name),
      interests: [topics.checksOfNode(name.toLowerCase())],
    })),
    checksRoute('/v1/health/state/', 'Missing check state', (state) =>
      state === 'any'
        ? { rows: catalog().checks(), interests: [topics.checks] }
        : { rows: catalog().checksInState(state), interests: [topics.checksInState(state), topics.checks] },
    ),
  ]
}

function lazyCatalog(agent: AgentNode): { catalog: () => AgentNode['cluster']['store']['catalog'] } {
  return { catalog: () => agent.cluster.store.catalog }
}

interface CheckReading {
  readonly rows: readonly CheckRecord[]
  readonly interests: readonly Topic[]
}

function toReading(
  agent: AgentNode,
  request: ApiRequest,
  view: AclView,
  { rows, interests }: CheckReading,
  filter: (row: object) => boolean,
): Reading<readonly object[]> {
  const { catalog, indexes } = agent.cluster.store
  const wantedMeta = request.query.getAll('node-meta')
  return {
    index: indexes.ofTables('checks'),
    interests,
    value: () =>
      view
        .visible(rows, (row) => view.readsCheck(row))
        .filter((row) => wantedMeta.length === 0 || matchesMeta(catalog.node(row.node)?.meta ?? null, wantedMeta))
        .map((row) => checkJson(row, agent.profile))
        .filter(filter),
  }
}

function serviceRoute(agent: AgentNode, endpoint: QueryEndpoint, path: string, isConnect: boolean): Route {
  return {
    path,
    methods: {
      GET: (request) => {
        const name = requireRest(request, 'Missing service name')
        const isPassingOnly = parsePassing(request)
        const filter = compileFilter(request.param('filter'), 'health')
        const entry = ({ node, service }: FoundInstance): { readonly entry: object; readonly isPassing: boolean } => {
          const checks = [
            ...agent.cluster.store.catalog.checksOfInstance(node.node, ''),
            ...agent.cluster.store.catalog.checksOfInstance(node.node, service.id),
          ]
          return {
            entry: {
              Node: nodeJson(node, agent.cluster.datacenter),
              Service: serviceJson(service),
              Checks: checks.map((check) => checkJson(check, agent.profile)),
            },
            isPassing: checks.every(({ status }) => status === 'passing'),
          }
        }
        return endpoint.answer(request, (view) =>
          serviceReading(agent, { name, withChecks: true, isConnect }, (instances) =>
            view
              .visible(instances, ({ node, service }) => view.readsService(service.name) && view.readsNode(node.node))
              .filter((found) => hasTags(found.service.tags, request.query.getAll('tag')))
              .filter((found) => matchesMeta(found.node.meta, request.query.getAll('node-meta')))
              .map(entry)
              .filter(({ isPassing }) => isPassing || !isPassingOnly)
              .map((found) => found.entry)
              .filter(filter),
          ),
        )
      },
    },
  }
}

/** The parameter `passing`: alone or true it filters; `false` and `0` do not. */
function parsePassing(request: ApiRequest): boolean {
  if (!request.has('passing')) return false
  const value = request.param('passing')
  if (['', '1', 't', 'T', 'true', 'TRUE', 'True'].includes(value)) return true
  if (['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(value)) return false
  throw new Refusal(400, 'Invalid value for ?passing')
}

/** The reads of `/v1/catalog/…`. See https://developer.hashicorp.com/consul/api-docs/catalog. */
import type { AgentNode } from '../agent/agent-node.js'
import { compileFilter } from '../filter/filter.js'
import { CACHED_STYLE, CATALOG_STYLE, QueryEndpoint } from '../server/query-endpoint.js'
import { json } from '../wire/reply.js'
import type { Route } from '../server/router.js'
import { topics } from '../state/wake-ups.js'
import { requireRest } from './require-rest.js'
import { hasTags, matchesMeta, serviceReading } from './service-search.js'
import { catalogServiceJson, nodeJson, serviceJson } from './wire-shapes.js'

/** The routes that read the catalog. */
export function catalogRoutes(agent: AgentNode): readonly Route[] {
  const endpoint = new QueryEndpoint(agent, CATALOG_STYLE)
  return [
    { path: '/v1/catalog/datacenters', methods: { GET: () => json([agent.cluster.datacenter]) } },
    nodesRoute(agent, endpoint),
    servicesRoute(agent, new QueryEndpoint(agent, CACHED_STYLE)),
    serviceRoute(agent, endpoint, '/v1/catalog/service/', false),
    serviceRoute(agent, endpoint, '/v1/catalog/connect/', true),
    nodeRoute(agent, endpoint, '/v1/catalog/node/', 'map'),
    nodeRoute(agent, endpoint, '/v1/catalog/node-services/', 'list'),
  ]
}

function nodesRoute(agent: AgentNode, endpoint: QueryEndpoint): Route {
  return {
    path: '/v1/catalog/nodes',
    methods: {
      GET: (request) => {
        const filter = compileFilter(request.param('filter'), 'node')
        return endpoint.answer(request, (view) => ({
          index: agent.cluster.store.indexes.ofTables('nodes'),
          interests: [topics.nodes],
          value: () =>
            view
              .visible(agent.cluster.store.catalog.nodes(), ({ node }) => view.readsNode(node))
              .filter(({ meta }) => matchesMeta(meta, request.query.getAll('node-meta')))
              .map((node) => nodeJson(node, agent.cluster.datacenter))
              .filter(filter),
        }))
      },
    },
  }
}

function servicesRoute(agent: AgentNode, endpoint: QueryEndpoint): Route {
  return {
    path: '/v1/catalog/services',
    methods: {
      GET: (request) =>
        endpoint.answer(request, (view) => ({
          index: agent.cluster.store.indexes.ofTables('services'),
          interests: [topics.services],
          value: () => {
            const { catalog } = agent.cluster.store
            const wanted = request.query.getAll('node-meta')
            const visible = view
              .visible(catalog.services(), ({ name }) => view.readsService(name))
              .filter(({ node }) => matchesMeta(catalog.node(node)?.meta ?? null, wanted))
            const names = new Map<string, Set<string>>()
            for (const { name, tags } of visible) {
              const known = names.get(name) ?? new Set()
              names.set(name, known)
              for (const tag of tags) known.add(tag)
            }
            return Object.fromEntries(
              [...names].sort(byName).map(([name, tags]) => [name, inAnyOrder([...tags], agent.random)]),
            )
          },
        })),
    },
  }
}

function byName([left]: readonly [string, unknown], [right]: readonly [string, unknown]): number {
  return left < right ? -1 : 1
}

/** The real agent lists the tags of a service in another order at each read. */
function inAnyOrder(tags: string[], random: () => number): readonly string[] {
  return tags
    .map((tag) => ({ tag, place: random() }))
    .sort((left, right) => left.place - right.place)
    .map(({ tag }) => tag)
}

function serviceRoute(agent: AgentNode, endpoint: QueryEndpoint, path: string, isConnect: boolean): Route {
  return {
    path,
    methods: {
      GET: (request) => {
        const name = requireRest(request, 'Missing service name')
        const filter = compileFilter(request.param('filter'), 'catalog-service')
        return endpoint.answer(request, (view) =>
          serviceReading(agent, { name, withChecks: false, isConnect }, (instances) =>
            view
              .visible(instances, ({ node, service }) => view.readsService(service.name) && view.readsNode(node.node))
              .filter(({ service }) => hasTags(service.tags, request.query.getAll('tag')))
              .filter(({ node }) => matchesMeta(node.meta, request.query.getAll('node-meta')))
              .map(({ node, service }) => catalogServiceJson(service, node, agent.cluster.datacenter))
              .filter(filter),
          ),
        )
      },
    },
  }
}

function nodeRoute(agent: AgentNode, endpoint: QueryEndpoint, path: string, shape: 'map' | 'list'): Route {
  return {
    path,
    methods: {
      GET: (request) => {
        const name = requireRest(request, 'Missing node name')
        const filter = compileFilter(request.param('filter'), 'service')
        return endpoint.answer<object | null>(request, (view) => {
          const { catalog, indexes } = agent.cluster.store
          const node = catalog.node(name) ?? catalog.nodeById(name)
          const key = (node?.node ?? name).toLowerCase()
          const interests = [topics.node(key), topics.servicesOfNode(key)]
          if (node === undefined || !view.readsNode(node.node)) {
            return { index: 0, interests, value: () => (shape === 'map' ? null : { Node: null, Services: null }) }
          }
          return {
            index: indexes.ofTables('nodes', 'services'),
            interests,
            value: () => {
              const services = view
                .visible(catalog.servicesOfNode(node.node), (service) => view.readsService(service.name))
                .map((service): readonly [string, object] => [service.id, serviceJson(service)])
                .filter(([, service]) => filter(service))
              return {
                Node: nodeJson(node, agent.cluster.datacenter),
                Services: shape === 'map' ? Object.fromEntries(services) : services.map(([, service]) => service),
              }
            },
          }
        })
      },
    },
  }
}

/** `/v1/query…`. See https://developer.hashicorp.com/consul/api-docs/query. */
import { randomUUID } from 'node:crypto'
import type { AclView } from '../acl/acl-view.js'
import type { AgentNode } from '../agent/agent-node.js'
import type { ApiRequest } from '../server/api-request.js'
import { CATALOG_STYLE, QueryEndpoint, requireLeader } from '../server/query-endpoint.js'
import { EMPTY, json, plain, Refusal, type Reply } from '../wire/reply.js'
import type { Route } from '../server/router.js'
import type { PreparedQueryRecord } from '../state/prepared-queries.js'
import { topics } from '../state/wake-ups.js'
import { executeQuery } from './execute-query.js'
import { decodeQuery, queryJson } from './query-definition.js'
import { UUID_LENGTH } from './session-lookup.js'

/** The routes of prepared queries. */
export function preparedQueryRoutes(agent: AgentNode): readonly Route[] {
  const endpoint = new QueryEndpoint(agent, CATALOG_STYLE)
  return [
    {
      path: '/v1/query',
      methods: {
        GET: (request) =>
          endpoint.answer(request, (view) => ({
            index: agent.cluster.store.indexes.ofTables('prepared-queries'),
            interests: [topics.queries],
            value: () =>
              view.visible(agent.cluster.store.queries.all(), (query) => mayRead(view, query)).map(queryJson),
          })),
        POST: (request) => create(agent, request),
      },
    },
    {
      path: '/v1/query/',
      methods: {
        GET: (request) => read(agent, endpoint, request),
        PUT: (request) => update(agent, request),
        DELETE: (request) => remove(agent, request),
      },
    },
  ]
}

function mayRead(view: AclView, { name }: PreparedQueryRecord): boolean {
  return view.authorizer.allows('query', name, 'read')
}

function create(agent: AgentNode, request: ApiRequest): Reply {
  const definition = decodeQuery(request)
  requireLeader(agent, request)
  if (definition.session !== '') checkSession(agent, definition.session)
  agent.view(request.token).require('query', definition.name, 'write')
  const { store } = agent.cluster
  if (definition.name !== '' && store.queries.find(definition.name) !== undefined) {
    throw new Refusal(500, `name '${definition.name}' aliases an existing query name`)
  }
  const id = randomUUID()
  store.apply((tx) => store.queries.put(tx, { ...definition, id }))
  return json({ ID: id })
}

function checkSession(agent: AgentNode, session: string): void {
  if (session.length !== UUID_LENGTH) throw new Refusal(500, 'invalid session: index error: UUID must be 36 characters')
  if (agent.cluster.store.sessions.get(session) === undefined)
    throw new Refusal(500, `invalid session ${JSON.stringify(session)}`)
}

function update(agent: AgentNode, request: ApiRequest): Reply {
  const id = request.rest
  const definition = decodeQuery(request, () => requireQuery(agent, id))
  const query = requireQuery(agent, id)
  requireLeader(agent, request)
  agent.view(request.token).require('query', query.name, 'write')
  const { store } = agent.cluster
  store.apply((tx) => store.queries.put(tx, { ...definition, id: query.id }))
  return EMPTY
}

function remove(agent: AgentNode, request: ApiRequest): Reply {
  const query = requireQuery(agent, request.rest)
  requireLeader(agent, request)
  agent.view(request.token).require('query', query.name, 'write')
  const { store } = agent.cluster
  store.apply((tx) => store.queries.delete(tx, query.id))
  return EMPTY
}

function requireQuery(agent: AgentNode, id: string): PreparedQueryRecord {
  checkId(id, 'Prepared Query lookup failed: ')
  const query = agent.cluster.store.queries.get(id)
  if (query === undefined) throw new Refusal(500, `Cannot modify non-existent prepared query: '${id}'`)
  return query
}

function checkId(id: string, prefix = ''): void {
  if (id.length !== UUID_LENGTH) {
    throw new Refusal(500, `${prefix}failed prepared query lookup: index error: UUID must be 36 characters`)
  }
}

function read(agent: AgentNode, endpoint: QueryEndpoint, request: ApiRequest): Promise<Reply> | Reply {
  const [name = '', verb] = request.rest.split('/')
  if (verb === 'execute') return executeQuery(agent, endpoint, request, name)
  if (verb === 'explain') return explain(agent, endpoint, request, name)
  return endpoint.answer(
    request,
    (view) => {
      checkId(name)
      const query = agent.cluster.store.queries.get(name)
      const visible = query !== undefined && mayRead(view, query) ? [query] : []
      return { index: query?.modifyIndex ?? 0, interests: [topics.queries], value: () => visible.map(queryJson) }
    },
    (queries, headers) => (queries.length === 0 ? plain(404, 'Query not found') : json(queries, headers)),
  )
}

function explain(agent: AgentNode, endpoint: QueryEndpoint, request: ApiRequest, name: string): Promise<Reply> | Reply {
  const query = agent.cluster.store.queries.find(name)
  if (query === undefined) return plain(404, 'Query not found')
  const meta = { Index: 0, LastContact: 0, KnownLeader: true, ConsistencyLevel: 'leader' }
  return endpoint.answer(request, () => ({
    index: 0,
    interests: [],
    value: () => ({ Query: queryJson(query), ...meta }),
  }))
}

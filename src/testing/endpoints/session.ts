/** `/v1/session/…`. See https://developer.hashicorp.com/consul/api-docs/session. */
import { randomUUID } from 'node:crypto'
import type { AgentNode } from '../agent/agent-node.js'
import { SERF_CHECK_ID } from '../agent/catalog-sync.js'
import type { ApiRequest } from '../server/api-request.js'
import { checkScope, KV_STYLE, metaHeaders, QueryEndpoint, requireLeader } from '../server/query-endpoint.js'
import { json, Refusal, type Reply } from '../wire/reply.js'
import type { Route } from '../server/router.js'
import type { SessionRecord } from '../state/sessions.js'
import type { StateStore } from '../state/state-store.js'
import { topics } from '../state/wake-ups.js'
import { GoDecodeError, list, object, text, type Decoded, type Decoder } from '../wire/go-decode.js'
import { GoDurationError, NS_PER_MS, parseGoDuration } from '../wire/go-duration.js'
import { requireRest } from './require-rest.js'
import { findSession } from './session-lookup.js'

/** The shortest and the longest TTL of a session. */
const MIN_TTL_MS = 10_000
const MAX_TTL_MS = 86_400_000
const DEFAULT_LOCK_DELAY_NS = 15e9

const lockDelay: Decoder<number> = (value, field) => {
  // A number is one of seconds when it is small: nobody means fifteen nanoseconds.
  if (typeof value === 'number') return value < 1000 ? value * 1e9 : value
  if (typeof value !== 'string') throw new GoDecodeError(`json: cannot unmarshal ${typeof value} into ${field}`)
  try {
    return parseGoDuration(value)
  } catch (error) {
    if (error instanceof GoDurationError) throw new GoDecodeError(error.message)
    throw error
  }
}

const SHAPE = {
  Name: text,
  Node: text,
  LockDelay: lockDelay,
  Behavior: text,
  TTL: text,
  Checks: list(text),
  NodeChecks: list(text),
  ServiceChecks: list(object({ ID: text, Namespace: text }, { lenient: true })),
} as const
const decodeSession = object(SHAPE, { lenient: true })

/** The routes of sessions. `minTtlMs` is the shortest TTL that is taken. */
export function sessionRoutes(agent: AgentNode, minTtlMs = MIN_TTL_MS): readonly Route[] {
  const endpoint = new QueryEndpoint(agent, KV_STYLE)
  return [
    { path: '/v1/session/create', methods: { PUT: (request) => create(agent, request, minTtlMs) } },
    { path: '/v1/session/destroy/', methods: { PUT: (request) => destroy(agent, request) } },
    { path: '/v1/session/renew/', methods: { PUT: (request) => renew(agent, request) } },
    { path: '/v1/session/info/', methods: { GET: (request) => info(agent, endpoint, request) } },
    {
      path: '/v1/session/node/',
      methods: {
        GET: (request) => {
          const node = requireRest(request, 'Missing node name')
          return listSessions(agent, endpoint, request, (store) => store.sessions.ofNode(node))
        },
      },
    },
    {
      path: '/v1/session/list',
      methods: { GET: (request) => listSessions(agent, endpoint, request, (store) => store.sessions.all()) },
    },
  ]
}

function sessionJson(session: SessionRecord): object {
  return {
    ID: session.id,
    Name: session.name,
    Node: session.node,
    LockDelay: session.lockDelayNs,
    Behavior: session.behavior,
    TTL: session.ttl,
    NodeChecks: session.nodeChecks,
    ServiceChecks: session.serviceChecks,
    CreateIndex: session.createIndex,
    ModifyIndex: session.modifyIndex,
  }
}

function create(agent: AgentNode, request: ApiRequest, minTtlMs: number): Reply {
  const given: Decoded<typeof SHAPE> = request.body.length === 0 ? {} : request.decode(decodeSession)
  checkScope(request, agent.cluster.datacenter)
  requireLeader(agent, request)
  const node = given.Node === undefined || given.Node === '' ? agent.nodeName : given.Node
  agent.view(request.token).require('session', node, 'write')
  const { store } = agent.cluster
  if (store.catalog.node(node) === undefined) throw new Refusal(500, 'Missing node registration')
  const behavior = checkBehavior(given.Behavior ?? '')
  checkTtl(given.TTL ?? '', minTtlMs)
  const nodeChecks = [...new Set([...(given.Checks ?? []), ...(given.NodeChecks ?? [SERF_CHECK_ID])])]
  const serviceChecks = given.ServiceChecks?.map(({ ID = '', Namespace = '' }) => ({ ID, Namespace })) ?? null
  for (const id of [...nodeChecks, ...(serviceChecks ?? []).map(({ ID }) => ID)]) requireHealthyCheck(store, node, id)
  const session = {
    id: randomUUID(),
    name: given.Name ?? '',
    node,
    lockDelayNs: given.LockDelay ?? DEFAULT_LOCK_DELAY_NS,
    behavior,
    ttl: given.TTL ?? '',
    nodeChecks,
    serviceChecks: serviceChecks === null || serviceChecks.length === 0 ? null : serviceChecks,
  }
  store.apply((tx) => store.sessions.create(tx, session))
  agent.cluster.sessionTimers.renew(session.id)
  return json({ ID: session.id })
}

function checkBehavior(given: string): SessionRecord['behavior'] {
  if (given === '' || given === 'release') return 'release'
  if (given === 'delete') return 'delete'
  throw new Refusal(500, `Invalid Behavior setting '${given}'`)
}

function checkTtl(ttl: string, minTtlMs: number): void {
  if (ttl === '') return
  const ttlMs = parseTtl(ttl) / NS_PER_MS
  if (ttlMs !== 0 && (ttlMs < minTtlMs || ttlMs > MAX_TTL_MS)) {
    throw new Refusal(500, `Invalid Session TTL '${ttlMs * NS_PER_MS}', must be between [10s=24h0m0s]`)
  }
}

function parseTtl(ttl: string): number {
  try {
    return parseGoDuration(ttl)
  } catch (error) {
    if (error instanceof GoDurationError) throw new Refusal(500, `Session TTL '${ttl}' invalid: ${error.message}`)
    throw error
  }
}

function requireHealthyCheck(store: StateStore, node: string, id: string): void {
  const check = store.catalog.check(node, id)
  if (check === undefined) throw new Refusal(500, `Missing check '${id}' registration`)
  if (check.status === 'critical') throw new Refusal(500, `Check '${id}' is in critical state`)
}

function destroy(agent: AgentNode, request: ApiRequest): Reply {
  const id = requireRest(request, 'Missing session')
  checkScope(request, agent.cluster.datacenter)
  requireLeader(agent, request)
  const { store } = agent.cluster
  const session = findSession(store, id)
  if (session === undefined) return json(true)
  agent.view(request.token).require('session', session.node, 'write')
  store.apply((tx) => store.sessions.destroy(tx, id))
  return json(true)
}

function renew(agent: AgentNode, request: ApiRequest): Reply {
  const id = requireRest(request, 'Missing session')
  checkScope(request, agent.cluster.datacenter)
  requireLeader(agent, request)
  const session = findSession(agent.cluster.store, id)
  if (session === undefined) throw new Refusal(404, `Session id '${id}' not found`)
  agent.view(request.token).require('session', session.node, 'write')
  agent.cluster.sessionTimers.renew(id)
  return json([sessionJson(session)])
}

async function info(agent: AgentNode, endpoint: QueryEndpoint, request: ApiRequest): Promise<Reply> {
  const id = requireRest(request, 'Missing session')
  return endpoint.answer(request, (view) => {
    const session = findForRead(agent.cluster.store, id)
    const rows =
      session === undefined
        ? []
        : view.visible([session], ({ node }) => view.authorizer.allows('session', node, 'read'))
    return {
      index: agent.cluster.store.indexes.ofTables('sessions'),
      interests: [topics.session(id)],
      value: () => rows.map(sessionJson),
    }
  })
}

function findForRead(store: StateStore, id: string): SessionRecord | undefined {
  try {
    return findSession(store, id)
  } catch (error) {
    // Unlike the writes, this read carries the headers of a failed query.
    if (error instanceof Refusal) throw new Refusal(error.status, error.message, metaHeaders(1n, false, 0))
    throw error
  }
}

function listSessions(
  agent: AgentNode,
  endpoint: QueryEndpoint,
  request: ApiRequest,
  rowsOf: (store: StateStore) => readonly SessionRecord[],
): Promise<Reply> {
  return endpoint.answer(request, (view) => {
    const { store } = agent.cluster
    const rows = view.visible(rowsOf(store), ({ node }) => view.authorizer.allows('session', node, 'read'))
    return {
      index: store.indexes.ofTables('sessions'),
      interests: [topics.sessions],
      value: () => rows.map(sessionJson),
    }
  })
}

/** `/v1/agent/health/service/…`: what the agent thinks of its own services, as a status code. */
import type { AgentNode } from '../agent/agent-node.js'
import type { LocalService } from '../agent/local-state.js'
import type { ApiRequest } from '../server/api-request.js'
import { json, type Reply } from '../wire/reply.js'
import type { Route } from '../server/router.js'
import { localCheckJson } from './agent-checks.js'
import { localServiceJson } from './wire-shapes.js'

/** The routes by id and by name. */
export function aggregatedHealthRoutes(agent: AgentNode): readonly Route[] {
  return [
    { path: '/v1/agent/health/service/id/', methods: { GET: (request) => byId(agent, request) } },
    { path: '/v1/agent/health/service/name/', methods: { GET: (request) => byName(agent, request) } },
  ]
}

type Aggregate = 'passing' | 'warning' | 'critical' | 'maintenance'

const CODES: Readonly<Record<Aggregate, number>> = { passing: 200, warning: 429, critical: 503, maintenance: 503 }
const WORST_FIRST: readonly Aggregate[] = ['maintenance', 'critical', 'warning', 'passing']

interface ServiceHealth {
  readonly status: Aggregate
  readonly json: object
}

function healthOf(agent: AgentNode, { definition }: LocalService): ServiceHealth {
  const checks = [...agent.local.checksOf(''), ...agent.local.checksOf(definition.id)]
  const states = checks.map(({ definition: { type, status } }): Aggregate =>
    type === 'maintenance' ? 'maintenance' : status,
  )
  const status = worst(states)
  return {
    status,
    json: {
      AggregatedStatus: status,
      Service: localServiceJson(definition, agent.cluster.datacenter, agent.profile),
      Checks: checks.map((check) => localCheckJson(agent, check)),
    },
  }
}

function worst(states: readonly Aggregate[]): Aggregate {
  return WORST_FIRST.find((state) => states.includes(state)) ?? 'passing'
}

function answer(request: ApiRequest, status: Aggregate, code: number, reason: string, body: unknown): Reply {
  const headers = { 'X-Consul-Reason': reason }
  if (request.param('format') !== 'text') return json(body, headers, code)
  return { status: code, headers: { ...headers, 'Content-Type': 'text/plain' }, body: { text: status } }
}

function byId(agent: AgentNode, request: ApiRequest): Reply {
  const service = agent.local.service(request.rest)
  if (service === undefined) {
    const body = { AggregatedStatus: 'critical', Service: null, Checks: null }
    return answer(request, 'critical', 404, `ServiceId ${request.rest} not found`, body)
  }
  agent.view(request.token).require('service', service.definition.name, 'read')
  const health = healthOf(agent, service)
  return answer(request, health.status, CODES[health.status], health.status, health.json)
}

function byName(agent: AgentNode, request: ApiRequest): Reply {
  agent.view(request.token).require('service', request.rest, 'read')
  const services = agent.local.services().filter(({ definition }) => definition.name === request.rest)
  if (services.length === 0) return answer(request, 'critical', 404, `ServiceName ${request.rest} Not Found`, [])
  const all = services.map((service) => healthOf(agent, service))
  const status = worst(all.map((health) => health.status))
  return answer(
    request,
    status,
    CODES[status],
    status,
    all.map((health) => health.json),
  )
}

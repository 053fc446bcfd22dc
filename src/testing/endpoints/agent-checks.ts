/** `/v1/agent/check…`. See https://developer.hashicorp.com/consul/api-docs/agent/check. */
import type { AgentNode } from '../agent/agent-node.js'
import type { LocalCheck } from '../agent/local-state.js'
import { checkDefinitionDecoder, isCheckStatus, validateCheck } from '../checks/check-spec.js'
import { compileFilter } from '../filter/filter.js'
import type { ApiRequest } from '../server/api-request.js'
import { EMPTY, json, plain, Refusal, type Reply } from '../wire/reply.js'
import type { Route } from '../server/router.js'
import type { CheckStatus } from '../state/records.js'
import { object, text } from '../wire/go-decode.js'
import { filteredHeader } from './agent-services.js'
import { checkDefinitionOf, refuseScripts } from './service-definition.js'
import { checkJson } from './wire-shapes.js'

const decodeUpdate = object({ Status: text, Output: text })

/** The routes of an agent's own checks. */
export function agentCheckRoutes(agent: AgentNode): readonly Route[] {
  const beat = (path: string, status: CheckStatus): Route => ({
    path,
    methods: { PUT: (request) => heartbeat(agent, request, status, request.param('note')) },
  })
  return [
    { path: '/v1/agent/checks', methods: { GET: (request) => listChecks(agent, request) } },
    { path: '/v1/agent/check/register', methods: { PUT: (request) => register(agent, request) } },
    { path: '/v1/agent/check/deregister/', methods: { PUT: (request) => deregister(agent, request) } },
    beat('/v1/agent/check/pass/', 'passing'),
    beat('/v1/agent/check/warn/', 'warning'),
    beat('/v1/agent/check/fail/', 'critical'),
    { path: '/v1/agent/check/update/', methods: { PUT: (request) => update(agent, request) } },
  ]
}

/** A check of this agent as it is shown; it has no indexes here. */
export function localCheckJson(agent: AgentNode, { definition }: LocalCheck): object {
  return checkJson({ ...definition, node: agent.nodeName, createIndex: 0, modifyIndex: 0 }, agent.profile)
}

function listChecks(agent: AgentNode, request: ApiRequest): Reply {
  const view = agent.view(request.token)
  const filter = compileFilter(request.param('filter'), 'agent-check')
  const checks = view
    .visible(agent.local.checks(), ({ definition: { serviceName } }) =>
      serviceName === '' ? view.readsNode(agent.nodeName) : view.readsService(serviceName),
    )
    .map((check): readonly [string, object] => [check.definition.checkId, localCheckJson(agent, check)])
    .filter(([, check]) => filter(check))
  return json(Object.fromEntries(checks), filteredHeader(agent, view.hasHidden && !view.authorizer.isAnonymous))
}

function register(agent: AgentNode, request: ApiRequest): Reply {
  const given = request.decode(checkDefinitionDecoder(agent.profile))
  const name = given.Name ?? ''
  if (name === '') throw new Refusal(400, 'Missing check name')
  const { Status = '', ...rest } = given
  if (Status !== '' && !isCheckStatus(Status)) throw new Refusal(400, 'Bad check status')
  validateCheck(rest)
  refuseScripts([given])
  const serviceId = given.ServiceID ?? ''
  const service = agent.local.service(serviceId)
  if (serviceId !== '' && service === undefined)
    throw new Refusal(500, `ServiceID ${JSON.stringify(serviceId)} does not exist`)
  const token = request.token === '' ? (given.Token ?? '') : request.token
  requireWrite(agent, token, service?.definition.name ?? '')
  const checkId = [given.ID, given.CheckID].find(Boolean) ?? name
  agent.local.addCheck({
    definition: checkDefinitionOf(given, { checkId, name, service: service?.definition }),
    spec: given,
    token,
  })
  return EMPTY
}

function deregister(agent: AgentNode, request: ApiRequest): Reply {
  const id = request.rest
  if (id === '') throw new Refusal(500, 'CheckID missing')
  const check = agent.local.check(id)
  if (check === undefined) return unknownCheck(agent, id) ?? EMPTY
  requireWrite(agent, request.token, check.definition.serviceName)
  agent.local.removeCheck(id)
  return EMPTY
}

function requireWrite(agent: AgentNode, token: string, serviceName: string): void {
  const view = agent.view(token)
  if (serviceName === '') view.requireExplained('node', agent.nodeName, 'write')
  else view.requireExplained('service', serviceName, 'write')
}

/** What a version says of an unknown check id; undefined where an old one without ACLs says nothing. */
function unknownCheck(agent: AgentNode, id: string): Reply | undefined {
  const quoted = JSON.stringify(id)
  if (agent.profile.unknownIdIs404) {
    return plain(404, `Unknown check ID ${quoted}. Ensure that the check ID is passed, not the check name.`)
  }
  return agent.cluster.acl.isEnabled ? plain(500, `Unknown check ${quoted}`) : undefined
}

function heartbeat(agent: AgentNode, request: ApiRequest, status: CheckStatus, output: string): Reply {
  const id = request.rest
  const check = agent.local.check(id)
  if (check === undefined) {
    const unknown = unknownCheck(agent, id)
    if (unknown !== undefined) return unknown
  } else requireWrite(agent, request.token, check.definition.serviceName)
  if (!agent.local.heartbeat(id, status, output)) {
    throw new Refusal(500, `CheckID ${JSON.stringify(id)} does not have associated TTL`)
  }
  return EMPTY
}

function update(agent: AgentNode, request: ApiRequest): Reply {
  const { Status = '', Output = '' } = request.decode(decodeUpdate)
  if (!isCheckStatus(Status)) throw new Refusal(400, `Invalid check status: '${Status}'`)
  return heartbeat(agent, request, Status, Output)
}

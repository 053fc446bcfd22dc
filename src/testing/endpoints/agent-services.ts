/** `/v1/agent/service…`. See https://developer.hashicorp.com/consul/api-docs/agent/service. */
import { createHash } from 'node:crypto'
import type { AgentNode } from '../agent/agent-node.js'
import type { LocalService } from '../agent/local-state.js'
import { compileFilter } from '../filter/filter.js'
import type { ApiRequest } from '../server/api-request.js'
import { AgentStopped, waitFor } from '../server/blocking-query.js'
import { EMPTY, json, plain, Refusal, type Reply } from '../wire/reply.js'
import type { Route } from '../server/router.js'
import { topics } from '../state/wake-ups.js'
import { setServiceMaintenance } from './maintenance.js'
import { decodeRegistration } from './service-definition.js'
import { localServiceJson } from './wire-shapes.js'

/** The routes of an agent's own services. */
export function agentServiceRoutes(agent: AgentNode): readonly Route[] {
  return [
    { path: '/v1/agent/services', methods: { GET: (request) => listServices(agent, request) } },
    { path: '/v1/agent/service/', methods: { GET: (request) => readService(agent, request) } },
    { path: '/v1/agent/service/register', methods: { PUT: (request) => register(agent, request) } },
    { path: '/v1/agent/service/deregister/', methods: { PUT: (request) => deregister(agent, request) } },
    { path: '/v1/agent/service/maintenance/', methods: { PUT: (request) => setServiceMaintenance(agent, request) } },
  ]
}

function listServices(agent: AgentNode, request: ApiRequest): Reply {
  const view = agent.view(request.token)
  const filter = compileFilter(request.param('filter'), 'agent-service')
  const services = view
    .visible(agent.local.services(), ({ definition }) => view.readsService(definition.name))
    .map(({ definition }): readonly [string, object] => [definition.id, show(agent, definition)])
    .filter(([, service]) => filter(service))
  return json(Object.fromEntries(services), filteredHeader(agent, view.hasHidden && !view.authorizer.isAnonymous))
}

/** The header that tells of a shortened list, where the version has it. */
export function filteredHeader(agent: AgentNode, isShortened: boolean): Readonly<Record<string, string>> {
  return agent.profile.filteredHeader && isShortened ? { 'X-Consul-Results-Filtered-By-ACLs': 'true' } : {}
}

function show(agent: AgentNode, definition: LocalService['definition']): object {
  return localServiceJson(definition, agent.cluster.datacenter, agent.profile)
}

async function readService(agent: AgentNode, request: ApiRequest): Promise<Reply> {
  const id = request.rest
  const known = request.param('hash')
  const deadlineMs = agent.clock.monotonic() + request.waitMs * (1 + agent.random() / 16)
  for (;;) {
    const service = agent.local.service(id)
    if (service === undefined) throw new Refusal(404, unknownService(agent, id))
    agent.view(request.token).require('service', service.definition.name, 'read')
    const shown = show(agent, service.definition)
    const hash = createHash('sha256').update(JSON.stringify(shown)).digest('hex').slice(0, 16)
    const isDue = known !== hash || agent.clock.monotonic() >= deadlineMs
    if (isDue) return json({ ...shown, ContentHash: hash }, { 'X-Consul-Contenthash': hash })
    const outcome = await waitFor(
      { clock: agent.clock, store: agent.cluster.store, waiters: agent.waiters },
      [topics.localService(agent.nodeName, id)],
      deadlineMs - agent.clock.monotonic(),
    )
    if (outcome === 'stopped') throw new AgentStopped()
    if (outcome === 'spurious') return json({ ...shown, ContentHash: hash }, { 'X-Consul-Contenthash': hash })
  }
}

function unknownService(agent: AgentNode, id: string): string {
  return agent.profile.unknownIdIs404 ? unknownServiceId(id) : `unknown service ID: ${id}`
}

/** What later versions say of an unknown service id. */
export function unknownServiceId(id: string): string {
  return `Unknown service ID ${JSON.stringify(id)}. Ensure that the service ID is passed, not the service name.`
}

function register(agent: AgentNode, request: ApiRequest): Reply {
  const { definition, checks, token } = decodeRegistration(request, agent.profile)
  const view = agent.view(token)
  view.requireExplained('service', definition.name, 'write')
  const before = agent.local.service(definition.id)
  if (before !== undefined) view.requireExplained('service', before.definition.name, 'write')
  const replaces = request.has('replace-existing-checks') && isTrue(request.param('replace-existing-checks'))
  agent.local.addService({ definition, token }, checks, replaces)
  return EMPTY
}

function isTrue(value: string): boolean {
  return ['', '1', 't', 'T', 'true', 'TRUE', 'True'].includes(value)
}

function deregister(agent: AgentNode, request: ApiRequest): Reply {
  const id = request.rest
  if (id === '') throw new Refusal(500, 'ServiceID missing')
  const service = agent.local.service(id)
  if (service === undefined) {
    if (agent.profile.unknownIdIs404) return plain(404, unknownServiceId(id))
    if (agent.cluster.acl.isEnabled) throw new Refusal(500, `Unknown service {${JSON.stringify(id)} {}}`)
    return EMPTY
  }
  agent.view(request.token).requireExplained('service', service.definition.name, 'write')
  agent.local.removeService(id)
  return EMPTY
}

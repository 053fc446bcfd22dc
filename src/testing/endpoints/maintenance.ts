import type { AgentNode } from '../agent/agent-node.js'
import type { ApiRequest } from '../server/api-request.js'
import { EMPTY, Refusal, type Reply } from '../wire/reply.js'
import type { CheckDefinition, ServiceDefinition } from '../state/records.js'
import { parseGoBool } from './go-bool.js'

const NODE_CHECK_ID = '_node_maintenance'

/** `PUT /v1/agent/service/maintenance/:id`: a critical check that stands for the maintenance of one service. */
export function setServiceMaintenance(agent: AgentNode, request: ApiRequest): Reply {
  const id = request.rest
  if (id === '') throw new Refusal(400, 'Missing service ID')
  const isOn = parseEnable(request)
  const service = agent.local.service(id)
  if (service === undefined) throw new Refusal(404, unknown(agent, id))
  agent.view(request.token).requireExplained('service', service.definition.name, 'write')
  set(agent, request, isOn, `_service_maintenance:${id}`, service.definition)
  return EMPTY
}

/** `PUT /v1/agent/maintenance`: the same for the whole node. */
export function setNodeMaintenance(agent: AgentNode, request: ApiRequest): Reply {
  const isOn = parseEnable(request)
  agent.view(request.token).requireExplained('node', agent.nodeName, 'write')
  set(agent, request, isOn, NODE_CHECK_ID, undefined)
  return EMPTY
}

function unknown(agent: AgentNode, id: string): string {
  const quoted = JSON.stringify(id)
  if (!agent.profile.unknownIdIs404) return `No service registered with ID ${quoted}`
  return `Unknown service ID ${quoted}. Ensure that the service ID is passed, not the service name.`
}

function parseEnable(request: ApiRequest): boolean {
  const given = request.param('enable')
  if (given === '') throw new Refusal(400, 'Missing value for enable')
  const isOn = parseGoBool(given)
  if (isOn === undefined) throw new Refusal(400, `Invalid value for enable: ${JSON.stringify(given)}`)
  return isOn
}

function set(
  agent: AgentNode,
  request: ApiRequest,
  isOn: boolean,
  checkId: string,
  service: ServiceDefinition | undefined,
): void {
  if (!isOn) {
    agent.local.removeCheck(checkId)
    return
  }
  // Once on, the first reason stays.
  if (agent.local.check(checkId) !== undefined) return
  const definition = maintenanceCheck(checkId, request.param('reason'), service)
  agent.local.addCheck({ definition, spec: undefined, token: request.token })
}

function maintenanceCheck(checkId: string, reason: string, service: ServiceDefinition | undefined): CheckDefinition {
  const subject = service === undefined ? 'node' : 'service'
  return {
    checkId,
    name: service === undefined ? 'Node Maintenance Mode' : 'Service Maintenance Mode',
    status: 'critical',
    notes:
      reason ||
      `Maintenance mode is enabled for this ${subject}, but no reason was provided. This is a default message.`,
    output: '',
    serviceId: service?.id ?? '',
    serviceName: service?.name ?? '',
    serviceTags: service?.tags ?? [],
    type: 'maintenance',
    interval: '',
    timeout: '',
    definition: {},
  }
}

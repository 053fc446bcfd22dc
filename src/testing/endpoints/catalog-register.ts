/** The writes of `/v1/catalog/…`, which bypass the agents. See https://developer.hashicorp.com/consul/api-docs/catalog. */
import type { AgentNode } from '../agent/agent-node.js'
import type { ApiRequest } from '../server/api-request.js'
import { requireLeader } from '../server/query-endpoint.js'
import { json, Refusal, type Reply } from '../wire/reply.js'
import type { Route } from '../server/router.js'
import type { CheckDefinition, ServiceDefinition } from '../state/records.js'
import { isCheckStatus } from '../checks/check-spec.js'
import { flag, integer, isObject, list, map, object, text, type Decoded, type Decoder } from '../wire/go-decode.js'

const opaque: Decoder<Readonly<Record<string, unknown>>> = (value) => (isObject(value) ? value : {})
const address = object({ Address: text, Port: integer }, { lenient: true })
const port = object({ Name: text, Port: integer, Default: flag }, { lenient: true })

const SERVICE_SHAPE = {
  ID: text,
  Service: text,
  Kind: text,
  Tags: list(text),
  Address: text,
  Port: integer,
  Ports: list(port),
  TaggedAddresses: map(address),
  Meta: map(text),
  Weights: object({ Passing: integer, Warning: integer }, { lenient: true }),
  EnableTagOverride: flag,
  SocketPath: text,
  Proxy: opaque,
  Connect: opaque,
  Locality: opaque,
  Namespace: text,
  CreateIndex: integer,
  ModifyIndex: integer,
} as const

const CHECK_SHAPE = {
  Node: text,
  CheckID: text,
  Name: text,
  Status: text,
  Notes: text,
  Output: text,
  ServiceID: text,
  ServiceName: text,
  ServiceTags: list(text),
  Namespace: text,
  CreateIndex: integer,
  ModifyIndex: integer,
  Type: text,
  Definition: opaque,
} as const

const decodeService = object(SERVICE_SHAPE)
const decodeCheck = object(CHECK_SHAPE)
const decodeRegister = object({
  ID: text,
  Node: text,
  Address: text,
  Datacenter: text,
  TaggedAddresses: map(text),
  NodeMeta: map(text),
  Service: decodeService,
  Check: decodeCheck,
  Checks: list(decodeCheck),
  SkipNodeUpdate: flag,
  Namespace: text,
  EnterpriseMeta: opaque,
})
const decodeDeregister = object({ Node: text, ServiceID: text, CheckID: text, Datacenter: text }, { lenient: true })

/** The routes that write the catalog. */
export function catalogRegisterRoutes(agent: AgentNode): readonly Route[] {
  return [
    { path: '/v1/catalog/register', methods: { PUT: (request) => register(agent, request) } },
    { path: '/v1/catalog/deregister', methods: { PUT: (request) => deregister(agent, request) } },
  ]
}

function register(agent: AgentNode, request: ApiRequest): Reply {
  const given = request.decode(decodeRegister)
  checkDatacenter(agent, given.Datacenter)
  const node = given.Node ?? ''
  if (node === '') throw new Refusal(500, 'Must provide node')
  const hasAddress = given.Address !== undefined && given.Address !== ''
  if (!hasAddress && given.SkipNodeUpdate !== true) {
    throw new Refusal(500, 'Must provide address if SkipNodeUpdate is not set')
  }
  const id = given.ID ?? ''
  if (id !== '' && !/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id)) {
    throw new Refusal(500, `Bad node ID: uuid string is wrong length`)
  }
  requireLeader(agent, request)
  const service = given.Service === undefined ? undefined : serviceOf(given.Service)
  const checks = [...(given.Check === undefined ? [] : [given.Check]), ...(given.Checks ?? [])].map(checkOf)
  requireRights(agent, request, node, service)
  const { store } = agent.cluster
  const { catalog } = store
  store.apply((tx) => {
    if (catalog.node(node) === undefined || given.SkipNodeUpdate !== true) {
      const namesake = catalog.nodeById(id)
      // A node that comes back under another name is renamed.
      if (namesake !== undefined && namesake.node.toLowerCase() !== node.toLowerCase())
        catalog.deleteNode(tx, namesake.node)
      catalog.putNode(tx, {
        id: id === '' ? (catalog.node(node)?.id ?? '') : id,
        node,
        address: given.Address ?? '',
        taggedAddresses: given.TaggedAddresses ?? null,
        meta: given.NodeMeta ?? null,
      })
    }
    if (service?.id === '') throw missingIndex('service')
    if (service !== undefined) catalog.putService(tx, node, service)
    for (const check of checks) {
      if (check.checkId === '') throw missingIndex('check', ` on node ${JSON.stringify(node)}`)
      const missing = catalog.putCheck(tx, node, check)
      if (missing !== undefined)
        throw new Refusal(
          500,
          `failed inserting check: Missing ${missing} registration on node ${JSON.stringify(node)}`,
        )
    }
  })
  return json(true)
}

/** What the real store says of something that has neither id nor name. */
function missingIndex(what: 'service' | 'check', where = ''): Refusal {
  return new Refusal(500, `failed inserting ${what}: failed inserting ${what}: object missing primary index${where}`)
}

function requireRights(
  agent: AgentNode,
  request: ApiRequest,
  node: string,
  service: ServiceDefinition | undefined,
): void {
  const view = agent.view(request.token)
  const isKnown = agent.cluster.store.catalog.node(node) !== undefined
  if (service === undefined || !isKnown) view.require('node', node, 'write')
  if (service !== undefined) view.require('service', service.name, 'write')
}

function checkDatacenter(agent: AgentNode, given: string | undefined): void {
  if (given !== undefined && given !== '' && given !== agent.cluster.datacenter) {
    throw new Refusal(500, 'No path to datacenter')
  }
}

function serviceOf(given: Decoded<typeof SERVICE_SHAPE>): ServiceDefinition {
  const name = given.Service ?? ''
  const id = given.ID ?? ''
  if (name === '' && id !== '') throw new Refusal(500, 'Must provide service name with ID')
  const addresses = Object.entries(given.TaggedAddresses ?? {}).map(
    ([key, { Address = '', Port = 0 }]) => [key, { Address, Port }] as const,
  )
  return {
    id: id === '' ? name : id,
    name,
    kind: given.Kind ?? '',
    tags: given.Tags ?? [],
    address: given.Address ?? '',
    port: given.Port ?? 0,
    ports: (given.Ports ?? []).map(({ Name = '', Port = 0, Default = false }) => ({ Name, Port, Default })),
    taggedAddresses: addresses.length === 0 ? null : Object.fromEntries(addresses),
    meta: given.Meta ?? null,
    weights: { Passing: given.Weights?.Passing ?? 1, Warning: given.Weights?.Warning ?? 1 },
    enableTagOverride: given.EnableTagOverride ?? false,
    socketPath: given.SocketPath ?? '',
    locality: undefined,
    proxy: given.Proxy,
    connect: given.Connect,
  }
}

function checkOf(given: Decoded<typeof CHECK_SHAPE>): CheckDefinition {
  const status = given.Status ?? ''
  const name = given.Name ?? ''
  return {
    checkId: given.CheckID === undefined || given.CheckID === '' ? name : given.CheckID,
    name,
    // A status of another name is stored as it is by the real catalog; it counts as critical here.
    status: isCheckStatus(status) ? status : 'critical',
    notes: given.Notes ?? '',
    output: given.Output ?? '',
    serviceId: given.ServiceID ?? '',
    serviceName: '',
    serviceTags: [],
    type: given.Type ?? '',
    interval: '',
    timeout: '',
    definition: given.Definition ?? {},
  }
}

function deregister(agent: AgentNode, request: ApiRequest): Reply {
  const given = request.decode(decodeDeregister)
  checkDatacenter(agent, given.Datacenter)
  const node = given.Node ?? ''
  if (node === '') throw new Refusal(500, 'Must provide node')
  requireLeader(agent, request)
  const { store } = agent.cluster
  const { catalog } = store
  const serviceId = given.ServiceID ?? ''
  const checkId = given.CheckID ?? ''
  const service = serviceId === '' ? undefined : catalog.service(node, serviceId)
  const view = agent.view(request.token)
  if (service === undefined) view.require('node', node, 'write')
  else view.require('service', service.name, 'write')
  store.apply((tx) => {
    if (serviceId !== '') catalog.deleteService(tx, node, serviceId)
    else if (checkId !== '') catalog.deleteCheck(tx, node, checkId)
    else catalog.deleteNode(tx, node)
  })
  return json(true)
}

import { checkObject, checkString, checkStrings } from '../core/option-check.js'
import type { HttpClient } from '../http/request.js'
import {
  nodeEntry,
  servicePort,
  serviceRecord,
  taggedAddresses,
  weights,
  type NodeEntry,
  type ServiceRecord,
  type WireNode,
  type WirePort,
  type WireService,
  type WireTaggedAddress,
  type WireWeights,
} from './health-entry.js'
import { AgentVersion } from './agent-version.js'
import { knownOptions, LIST_OPTIONS, REQUEST_OPTIONS, type ListOptions, type RequestOptions } from './options.js'
import { path } from './path.js'
import { read, readList, write, type ListEndpoint } from './send.js'
import { listOf, mapOf, nullableOf, type Answer, type WireList, type WireMap } from './wire.js'

/** Options of a read of a service's entries in the catalog. */
export interface CatalogServiceOptions extends ListOptions {
  /** Only instances with all of these tags. */
  readonly tags?: readonly string[] | undefined
}

/** One instance as the catalog knows it, without its health. */
export interface CatalogService {
  readonly node: NodeEntry
  readonly service: ServiceRecord
}

/** A node with all that is registered on it. */
export interface CatalogNode {
  readonly node: NodeEntry
  readonly services: readonly ServiceRecord[]
}

/** What to remove from the catalog: a service, a check, or with neither the node with all it holds. */
export interface CatalogDeregistration {
  readonly node: string
  readonly serviceId?: string | undefined
  readonly checkId?: string | undefined
}

/** An entry that no agent keeps, such as an external service. */
export interface CatalogRegistration {
  readonly node: string
  readonly address: string
  readonly nodeMeta?: Readonly<Record<string, string>> | undefined
  readonly service?:
    | {
        readonly name: string
        readonly id?: string | undefined
        readonly address?: string | undefined
        readonly port?: number | undefined
        readonly tags?: readonly string[] | undefined
        readonly meta?: Readonly<Record<string, string>> | undefined
      }
    | undefined
}

interface WireCatalogService extends WireNode {
  readonly NodeMeta?: WireMap<string>
  readonly ServiceID?: string | null
  readonly ServiceName?: string | null
  readonly ServiceAddress?: string | null
  readonly ServicePort?: number | null
  readonly ServicePorts?: WireList<WirePort>
  readonly ServiceTags?: WireList<string>
  readonly ServiceMeta?: WireMap<string>
  readonly ServiceWeights?: WireWeights | null
  readonly ServiceTaggedAddresses?: WireMap<WireTaggedAddress>
  readonly ServiceEnableTagOverride?: boolean | null
  readonly ServiceKind?: string | null
  readonly CreateIndex?: number | null
  readonly ModifyIndex?: number | null
}

interface WireNodeServices {
  readonly Node?: WireNode | null
  readonly Services?: WireMap<WireService>
}

const SERVICE_OPTIONS = [...LIST_OPTIONS, 'tags'] as const
const REGISTERED_FIELDS = ['name', 'id', 'address', 'port', 'tags', 'meta']

/** Nodes and services as the servers know them, without their health (https://developer.hashicorp.com/consul/api-docs/catalog). */
export class CatalogApi {
  readonly #endpoint: ListEndpoint

  constructor(http: HttpClient, version = new AgentVersion(http)) {
    this.#endpoint = { http, version }
  }

  /**
   * The names of all services with all tags in use.
   * @throws ProconsulError `PROCONSUL_UNSUPPORTED` with a `filter` for an agent that would ignore it, from before Consul 1.17
   */
  async services(options: ListOptions = {}): Promise<Answer<Readonly<Record<string, readonly string[]>>>> {
    const known = knownOptions('catalog.services', options, LIST_OPTIONS)
    if (known.filter !== undefined) await this.#endpoint.version.require('filter of services', known)
    const answer = await readList(this.#endpoint, 'catalog.services', '/catalog/services', known)
    const entries = Object.entries(mapOf<WireList<string>>(answer))
    return { value: Object.fromEntries(entries.map(([name, tags]) => [name, tags ?? []])), meta: answer.meta }
  }

  /** The instances of a service, healthy or not. */
  async service(name: string, options: CatalogServiceOptions = {}): Promise<Answer<readonly CatalogService[]>> {
    const { tags, ...rest } = knownOptions('catalog.service', options, SERVICE_OPTIONS)
    const query = { tag: tags === undefined ? undefined : checkStrings('tags', tags) }
    const at = path`/catalog/service/${checkString('name', name)}`
    const answer = await readList(this.#endpoint, 'catalog.service', at, rest, { query })
    return { value: listOf<WireCatalogService>(answer).map(catalogService), meta: answer.meta }
  }

  /** All nodes. */
  async nodes(options: ListOptions = {}): Promise<Answer<readonly NodeEntry[]>> {
    const known = knownOptions('catalog.nodes', options, LIST_OPTIONS)
    const answer = await readList(this.#endpoint, 'catalog.nodes', '/catalog/nodes', known)
    return { value: listOf<WireNode>(answer).map(nodeEntry), meta: answer.meta }
  }

  /** One node with its services; undefined when there is none of that name. */
  async node(node: string, options: ListOptions = {}): Promise<Answer<CatalogNode | undefined>> {
    const at = path`/catalog/node/${checkString('node', node)}`
    const known = knownOptions('catalog.node', options, LIST_OPTIONS)
    const answer = await readList(this.#endpoint, 'catalog.node', at, known)
    const wire = nullableOf<WireNodeServices>(answer)
    const value = wire && {
      node: nodeEntry(wire.Node ?? {}),
      services: Object.values(wire.Services ?? {}).map(serviceRecord),
    }
    return { value, meta: answer.meta }
  }

  /** The datacenters, nearest first. Cannot block. */
  async datacenters(options: RequestOptions = {}): Promise<readonly string[]> {
    const known = knownOptions('catalog.datacenters', options, REQUEST_OPTIONS)
    return listOf<string>(await read(this.#endpoint.http, 'catalog.datacenters', '/catalog/datacenters', known))
  }

  /** Enters a node, and a service on it, for which no agent answers. An agent on that node removes what it does not know. */
  async register(registration: CatalogRegistration, options: RequestOptions = {}): Promise<void> {
    checkObject('registration', registration, ['node', 'address', 'nodeMeta', 'service'])
    const { node, address, nodeMeta, service } = registration
    if (service !== undefined) checkObject('registration.service', service, REGISTERED_FIELDS)
    const known = knownOptions('catalog.register', options, REQUEST_OPTIONS)
    await write(this.#endpoint.http, 'catalog.register', '/catalog/register', known, {
      body: {
        Node: checkString('node', node),
        Address: checkString('address', address),
        ...(nodeMeta !== undefined && { NodeMeta: nodeMeta }),
        ...(service !== undefined && {
          Service: {
            Service: checkString('service.name', service.name),
            ID: service.id,
            Address: service.address,
            Port: service.port,
            Tags: service.tags,
            Meta: service.meta,
          },
        }),
      },
      idempotent: true,
    })
  }

  /** Removes an entry. What an agent keeps comes back within minutes: deregister that at its agent. */
  async deregister(entry: CatalogDeregistration, options: RequestOptions = {}): Promise<void> {
    checkObject('entry', entry, ['node', 'serviceId', 'checkId'])
    const known = knownOptions('catalog.deregister', options, REQUEST_OPTIONS)
    await write(this.#endpoint.http, 'catalog.deregister', '/catalog/deregister', known, {
      body: { Node: checkString('node', entry.node), ServiceID: entry.serviceId, CheckID: entry.checkId },
      idempotent: true,
    })
  }
}

function catalogService(wire: WireCatalogService): CatalogService {
  return {
    node: { ...nodeEntry(wire), meta: wire.NodeMeta ?? {} },
    service: {
      id: wire.ServiceID ?? '',
      name: wire.ServiceName ?? '',
      address: wire.ServiceAddress ?? '',
      port: wire.ServicePort ?? 0,
      ports: (wire.ServicePorts ?? []).map(servicePort),
      tags: wire.ServiceTags ?? [],
      meta: wire.ServiceMeta ?? {},
      weights: weights(wire.ServiceWeights),
      taggedAddresses: taggedAddresses(wire.ServiceTaggedAddresses),
      enableTagOverride: wire.ServiceEnableTagOverride ?? false,
      kind: wire.ServiceKind ?? '',
      createIndex: wire.CreateIndex ?? 0,
      modifyIndex: wire.ModifyIndex ?? 0,
    },
  }
}

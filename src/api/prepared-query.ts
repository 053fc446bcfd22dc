import { checkInteger, checkObject, checkString } from '../core/option-check.js'
import type { HttpClient } from '../http/request.js'
import { serviceEntry, type ServiceEntry, type WireServiceEntry } from './health-entry.js'
import {
  knownOptions,
  READ_OPTIONS,
  REQUEST_OPTIONS,
  type ListOptions,
  type ReadOptions,
  type RequestOptions,
} from './options.js'
import { path } from './path.js'
import { read, write } from './send.js'
import { listOf, objectOf, type Answer, type WireList } from './wire.js'

/** What a query yields when it is executed. */
export interface QueryResult {
  readonly service: string
  readonly entries: readonly ServiceEntry[]
  /** The datacenter that answered. */
  readonly datacenter: string
  /** How many datacenters were tried before it. */
  readonly failovers: number
}

/** Options of an execution. */
export interface ExecuteQueryOptions extends ReadOptions, Pick<ListOptions, 'near'> {
  /** At most so many instances. */
  readonly limit?: number | undefined
}

/** What a query looks for. */
export interface QueryDefinition {
  readonly name?: string | undefined
  readonly service: {
    readonly name: string
    readonly onlyPassing?: boolean | undefined
    readonly tags?: readonly string[] | undefined
    readonly near?: string | undefined
    readonly failover?:
      { readonly nearestN?: number | undefined; readonly datacenters?: readonly string[] | undefined } | undefined
  }
}

/** A stored query. */
export interface StoredQuery {
  readonly id: string
  readonly name: string
  readonly service: string
}

interface WireResult {
  readonly Service?: string | null
  readonly Nodes?: WireList<WireServiceEntry>
  readonly Datacenter?: string | null
  readonly Failovers?: number | null
}

interface WireQuery {
  readonly ID?: string | null
  readonly Name?: string | null
  readonly Service?: { readonly Service?: string | null } | null
}

const EXECUTE_OPTIONS = [...READ_OPTIONS, 'near', 'limit'] as const

/** Queries stored on the servers, with failover between datacenters (https://developer.hashicorp.com/consul/api-docs/query). */
export class PreparedQueryApi {
  readonly #http: HttpClient

  constructor(http: HttpClient) {
    this.#http = http
  }

  /** Executes a query by its id or name. Cannot block: its answer carries no index to wait by. */
  async execute(query: string, options: ExecuteQueryOptions = {}): Promise<Answer<QueryResult>> {
    const { limit, ...rest } = knownOptions('query.execute', options, EXECUTE_OPTIONS)
    const at = path`/query/${checkString('query', query)}/execute`
    const asked = { limit: limit === undefined ? undefined : checkInteger('limit', limit, 1, 1_000_000) }
    const answer = await read(this.#http, 'query.execute', at, rest, { query: asked })
    const wire = objectOf<WireResult>(answer)
    return {
      value: {
        service: wire.Service ?? '',
        entries: (wire.Nodes ?? []).map(serviceEntry),
        datacenter: wire.Datacenter ?? '',
        failovers: wire.Failovers ?? 0,
      },
      meta: answer.meta,
    }
  }

  /** All stored queries that the token may read. */
  async list(options: RequestOptions = {}): Promise<readonly StoredQuery[]> {
    const known = knownOptions('query.list', options, REQUEST_OPTIONS)
    return listOf<WireQuery>(await read(this.#http, 'query.list', '/query', known)).map((wire) => ({
      id: wire.ID ?? '',
      name: wire.Name ?? '',
      service: wire.Service?.Service ?? '',
    }))
  }

  /** Stores a query and returns its id. Each call makes a new one. */
  async create(definition: QueryDefinition, options: RequestOptions = {}): Promise<string> {
    checkObject('definition', definition, ['name', 'service'])
    const { name, service } = definition
    checkObject('definition.service', service, ['name', 'onlyPassing', 'tags', 'near', 'failover'])
    const known = knownOptions('query.create', options, REQUEST_OPTIONS)
    const answer = await write(this.#http, 'query.create', '/query', known, {
      method: 'POST',
      body: {
        Name: name,
        Service: {
          Service: checkString('service.name', service.name),
          OnlyPassing: service.onlyPassing,
          Tags: service.tags,
          Near: service.near,
          ...(service.failover !== undefined && {
            Failover: { NearestN: service.failover.nearestN, Datacenters: service.failover.datacenters },
          }),
        },
      },
      idempotent: false,
    })
    return objectOf<WireQuery>(answer).ID ?? ''
  }

  /** Removes a stored query. */
  async delete(id: string, options: RequestOptions = {}): Promise<void> {
    const known = knownOptions('query.delete', options, REQUEST_OPTIONS)
    await write(this.#http, 'query.delete', path`/query/${checkString('id', id)}`, known, {
      method: 'DELETE',
      idempotent: true,
    })
  }
}

import { checkBoolean, checkObject, checkString } from '../core/option-check.js'
import { isProconsulError } from '../errors/proconsul-error.js'
import type { HttpClient } from '../http/request.js'
import { orUnknown, present, wireCheck, type CheckRegistration } from './agent-check.js'
import { goDuration } from './go-duration.js'
import {
  serviceRecord,
  type CheckStatus,
  type ServicePort,
  type ServiceRecord,
  type TaggedAddress,
  type WireService,
} from './health-entry.js'
import { blockingWait, commonPart, knownOptions, REQUEST_OPTIONS, type RequestOptions } from './options.js'
import { path } from './path.js'
import { read, write } from './send.js'
import { mapOf, objectOf, type Answer } from './wire.js'
import type { Duration } from '../core/duration.js'

/** A service as the agent is told of it. Only what is set is sent: agents refuse fields that they do not know. */
export interface ServiceRegistration {
  readonly id: string
  readonly name: string
  readonly address?: string | undefined
  readonly port?: number | undefined
  /** Several named ports in place of `port` (Consul 1.22 and later). */
  readonly ports?: readonly ServicePort[] | undefined
  readonly tags?: readonly string[] | undefined
  readonly meta?: Readonly<Record<string, string>> | undefined
  readonly weights?: { readonly passing: number; readonly warning: number } | undefined
  readonly taggedAddresses?: Readonly<Record<string, TaggedAddress>> | undefined
  /** Whether others may change the tags in the catalog without the agent setting them back. */
  readonly enableTagOverride?: boolean | undefined
  readonly checks?: readonly CheckRegistration[] | undefined
}

/** Options of a registration. */
export interface RegisterServiceOptions extends RequestOptions {
  /** Removes checks of the service that are not in the registration; its maintenance mode is one of them. Default false. */
  readonly replaceExistingChecks?: boolean | undefined
}

/** Options of a read of one service. */
export interface AgentServiceOptions extends RequestOptions {
  /** Answer when the content's hash differs from this one, or when `wait` is over. */
  readonly hash?: string | undefined
  /** Default 30 s. */
  readonly wait?: Duration | undefined
}

/** The health of one service as its agent sees it, with the checks of the node. */
export interface LocalHealth {
  readonly status: CheckStatus
  readonly service: ServiceRecord
}

interface WireLocalHealth {
  readonly AggregatedStatus?: string | null
  readonly Service?: WireService | null
}

const SERVICE_FIELDS: readonly (keyof ServiceRegistration)[] = [
  'id',
  'name',
  'address',
  'port',
  'ports',
  'tags',
  'meta',
  'weights',
  'taggedAddresses',
  'enableTagOverride',
  'checks',
]

const LIST_OPTIONS = [...REQUEST_OPTIONS, 'filter'] as const
const GET_OPTIONS = [...REQUEST_OPTIONS, 'hash', 'wait'] as const
const REGISTER_OPTIONS = [...REQUEST_OPTIONS, 'replaceExistingChecks'] as const

/** The services of this agent (https://developer.hashicorp.com/consul/api-docs/agent/service). */
export class AgentServiceApi {
  readonly #http: HttpClient

  constructor(http: HttpClient) {
    this.#http = http
  }

  /** The services registered with this agent. */
  async list(
    options: RequestOptions & { readonly filter?: string | undefined } = {},
  ): Promise<readonly ServiceRecord[]> {
    const known = knownOptions('agent.services.list', options, LIST_OPTIONS)
    const answer = await read(this.#http, 'agent.services', '/agent/services', known)
    return Object.values(mapOf<WireService>(answer)).map(serviceRecord)
  }

  /**
   * One service, or undefined where the agent does not know it. With a `hash` it waits for a change; its disappearance is one.
   * `meta.contentHash` is the hash to wait by next.
   */
  async get(id: string, options: AgentServiceOptions = {}): Promise<Answer<ServiceRecord | undefined>> {
    const { hash, wait, ...rest } = knownOptions('agent.services.get', options, GET_OPTIONS)
    const blocking = hash === undefined ? undefined : blockingWait(wait)
    const answer = await this.#http.request({
      operation: 'agent.service',
      method: 'GET',
      path: path`/agent/service/${checkString('id', id)}`,
      idempotent: true,
      answers: [404],
      ...(blocking !== undefined && { blocking, query: { hash, wait: goDuration(blocking.waitMs) } }),
      ...commonPart(rest),
    })
    return {
      value: answer.status === 404 ? undefined : serviceRecord(objectOf<WireService>(answer)),
      meta: answer.meta,
    }
  }

  /**
   * Adds or replaces a service with its checks. An answer does not yet mean that the servers know it: without a leader the agent tells
   * them later. An existing check keeps its status, and a TTL check's time starts anew.
   */
  async register(service: ServiceRegistration, options: RegisterServiceOptions = {}): Promise<void> {
    const { replaceExistingChecks = false, ...rest } = knownOptions(
      'agent.services.register',
      options,
      REGISTER_OPTIONS,
    )
    await write(this.#http, 'agent.service.register', '/agent/service/register', rest, {
      body: wireRegistration(service),
      query: { 'replace-existing-checks': checkBoolean('replaceExistingChecks', replaceExistingChecks) },
      idempotent: true,
    })
  }

  /** Removes a service with its checks. One that the agent does not know is fine. */
  async deregister(id: string, options: RequestOptions = {}): Promise<void> {
    const at = path`/agent/service/deregister/${checkString('id', id)}`
    const known = knownOptions('agent.services.deregister', options, REQUEST_OPTIONS)
    await orUnknown(write(this.#http, 'agent.service.deregister', at, known, { idempotent: true }))
  }

  /** Takes a service out of discovery with a critical check, or back in. A second switch to on keeps the first reason. */
  async maintenance(id: string, enable: boolean, reason?: string, options: RequestOptions = {}): Promise<void> {
    const at = path`/agent/service/maintenance/${checkString('id', id)}`
    const known = knownOptions('agent.services.maintenance', options, REQUEST_OPTIONS)
    const query = { enable: String(checkBoolean('enable', enable)), reason }
    await write(this.#http, 'agent.service.maintenance', at, known, { query, idempotent: true })
  }

  /** The health of one service at this agent; undefined where the agent does not know it. */
  async health(id: string, options: RequestOptions = {}): Promise<LocalHealth | undefined> {
    const at = path`/agent/health/service/id/${checkString('id', id)}`
    const known = knownOptions('agent.services.health', options, REQUEST_OPTIONS)
    try {
      // 429 stands for warning and 503 for critical here.
      const answer = await read(this.#http, 'agent.service.health', at, known, {
        query: { format: 'json' },
        answers: [429, 503],
      })
      const wire = objectOf<WireLocalHealth>(answer)
      return { status: worstCase(wire.AggregatedStatus), service: serviceRecord(wire.Service ?? {}) }
    } catch (error) {
      if (isProconsulError(error, 'PROCONSUL_NOT_FOUND')) return undefined
      throw error
    }
  }
}

function worstCase(status: string | null | undefined): CheckStatus {
  return status === 'passing' || status === 'warning' || status === 'maintenance' ? status : 'critical'
}

function wireRegistration(service: ServiceRegistration): Readonly<Record<string, unknown>> {
  checkObject('service', service, SERVICE_FIELDS)
  return {
    ID: service.id,
    Name: service.name,
    ...present({
      Address: service.address,
      Port: service.port,
      Ports: service.ports?.map(({ name, port, isDefault }) => ({ Name: name, Port: port, Default: isDefault })),
      Tags: service.tags,
      Meta: service.meta,
      Weights: service.weights && { Passing: service.weights.passing, Warning: service.weights.warning },
      TaggedAddresses: service.taggedAddresses && wireAddresses(service.taggedAddresses),
      EnableTagOverride: service.enableTagOverride,
      Checks: service.checks?.map(wireCheck),
    }),
  }
}

function wireAddresses(addresses: Readonly<Record<string, TaggedAddress>>): Readonly<Record<string, unknown>> {
  const entries = Object.entries(addresses)
  return Object.fromEntries(entries.map(([tag, { address, port }]) => [tag, { Address: address, Port: port }]))
}

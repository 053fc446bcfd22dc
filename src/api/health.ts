import { checkBoolean, checkOneOf, checkString, checkStrings } from '../core/option-check.js'
import { mapInSlices } from '../core/map-in-slices.js'
import type { HttpClient, QueryValue } from '../http/request.js'
import {
  checkEntry,
  serviceEntry,
  type CheckEntry,
  type ServiceEntry,
  type WireCheck,
  type WireServiceEntry,
} from './health-entry.js'
import { AgentVersion } from './agent-version.js'
import { knownOptions, LIST_OPTIONS, type ListOptions } from './options.js'
import { path } from './path.js'
import { readList, type ListEndpoint } from './send.js'
import { listOf, type Answer } from './wire.js'

/** Options of a read of a service's instances. */
export interface HealthServiceOptions extends ListOptions {
  /** Only instances with all of these tags. */
  readonly tags?: readonly string[] | undefined
  /** Only instances all of whose checks, those of the node included, are passing. Default false. */
  readonly passing?: boolean | undefined
}

const SERVICE_OPTIONS = [...LIST_OPTIONS, 'tags', 'passing'] as const

const STATES = ['any', 'passing', 'warning', 'critical'] as const

/** Which checks to list. */
export type HealthState = (typeof STATES)[number]

/** Instances and checks with their health (https://developer.hashicorp.com/consul/api-docs/health). */
export class HealthApi {
  readonly #endpoint: ListEndpoint

  constructor(http: HttpClient, version = new AgentVersion(http)) {
    this.#endpoint = { http, version }
  }

  /** The instances of a service. Empty for one that does not exist, and for what the token may not read. */
  async service(name: string, options: HealthServiceOptions = {}): Promise<Answer<readonly ServiceEntry[]>> {
    return await this.#instances('health.service', path`/health/service/${checkString('name', name)}`, options)
  }

  /** The instances that accept mesh traffic for a service: its sidecar proxies, and those that speak it themselves. */
  async connect(name: string, options: HealthServiceOptions = {}): Promise<Answer<readonly ServiceEntry[]>> {
    return await this.#instances('health.connect', path`/health/connect/${checkString('name', name)}`, options)
  }

  /** The checks of a service. Those of its nodes are not among them. */
  async checks(service: string, options: ListOptions = {}): Promise<Answer<readonly CheckEntry[]>> {
    return await this.#checks('health.checks', path`/health/checks/${checkString('service', service)}`, options)
  }

  /** The checks of a node and of all that runs on it. */
  async node(node: string, options: ListOptions = {}): Promise<Answer<readonly CheckEntry[]>> {
    return await this.#checks('health.node', path`/health/node/${checkString('node', node)}`, options)
  }

  /** All checks in a state. */
  async state(state: HealthState, options: ListOptions = {}): Promise<Answer<readonly CheckEntry[]>> {
    return await this.#checks('health.state', path`/health/state/${checkOneOf('state', state, STATES)}`, options)
  }

  async #instances(
    operation: string,
    at: string,
    options: HealthServiceOptions,
  ): Promise<Answer<readonly ServiceEntry[]>> {
    const { tags, passing, ...rest } = knownOptions(operation, options, SERVICE_OPTIONS)
    const query: Record<string, QueryValue> = {
      tag: tags === undefined ? undefined : checkStrings('tags', tags),
      passing: passing === undefined ? undefined : checkBoolean('passing', passing),
    }
    const answer = await readList(this.#endpoint, operation, at, rest, { query })
    return { value: await mapInSlices(listOf<WireServiceEntry>(answer), serviceEntry), meta: answer.meta }
  }

  async #checks(operation: string, at: string, options: ListOptions): Promise<Answer<readonly CheckEntry[]>> {
    const answer = await readList(this.#endpoint, operation, at, knownOptions(operation, options, LIST_OPTIONS))
    return { value: listOf<WireCheck>(answer).map(checkEntry), meta: answer.meta }
  }
}

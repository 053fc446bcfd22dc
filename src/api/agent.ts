import { checkBoolean } from '../core/option-check.js'
import type { HttpClient } from '../http/request.js'
import { AgentCheckApi } from './agent-check.js'
import { AgentServiceApi } from './agent-service.js'
import { knownOptions, REQUEST_OPTIONS, type RequestOptions } from './options.js'
import { read, write } from './send.js'
import { listOf, objectOf, type WireMap } from './wire.js'

/** What an agent says of itself. */
export interface AgentSelf {
  readonly node: string
  readonly nodeId: string
  readonly datacenter: string
  /** Such as `1.22.0`; Enterprise has a suffix such as `+ent`. */
  readonly version: string
  readonly isServer: boolean
}

/** An agent that this one knows through gossip. */
export interface AgentMember {
  readonly name: string
  readonly address: string
  readonly port: number
  /** Serf's number for its state: 1 is alive. */
  readonly status: number
  readonly tags: Readonly<Record<string, string>>
}

interface WireSelf {
  readonly Config?: {
    readonly NodeName?: string | null
    readonly NodeID?: string | null
    readonly Datacenter?: string | null
    readonly Version?: string | null
    readonly Server?: boolean | null
  } | null
}

interface WireMember {
  readonly Name?: string | null
  readonly Addr?: string | null
  readonly Port?: number | null
  readonly Status?: number | null
  readonly Tags?: WireMap<string>
}

/** The agent itself (https://developer.hashicorp.com/consul/api-docs/agent). */
export class AgentApi {
  /** The services that are registered with this agent. */
  readonly services: AgentServiceApi
  /** The checks that this agent runs or keeps. */
  readonly checks: AgentCheckApi
  readonly #http: HttpClient

  constructor(http: HttpClient) {
    this.#http = http
    this.services = new AgentServiceApi(http)
    this.checks = new AgentCheckApi(http)
  }

  /** Who the agent is. Needs `agent:read`. */
  async self(options: RequestOptions = {}): Promise<AgentSelf> {
    const known = knownOptions('agent.self', options, REQUEST_OPTIONS)
    const { Config: config } = objectOf<WireSelf>(await read(this.#http, 'agent.self', '/agent/self', known))
    return {
      node: config?.NodeName ?? '',
      nodeId: config?.NodeID ?? '',
      datacenter: config?.Datacenter ?? '',
      version: config?.Version ?? '',
      isServer: config?.Server ?? false,
    }
  }

  /** The agents that this one knows. */
  async members(options: RequestOptions = {}): Promise<readonly AgentMember[]> {
    const known = knownOptions('agent.members', options, REQUEST_OPTIONS)
    const answer = await read(this.#http, 'agent.members', '/agent/members', known)
    return listOf<WireMember>(answer).map((wire) => ({
      name: wire.Name ?? '',
      address: wire.Addr ?? '',
      port: wire.Port ?? 0,
      status: wire.Status ?? 0,
      tags: wire.Tags ?? {},
    }))
  }

  /** Takes the node with all that runs on it out of discovery, or back in. Needs `node:write`. */
  async maintenance(enable: boolean, reason?: string, options: RequestOptions = {}): Promise<void> {
    const known = knownOptions('agent.maintenance', options, REQUEST_OPTIONS)
    const query = { enable: String(checkBoolean('enable', enable)), reason }
    await write(this.#http, 'agent.maintenance', '/agent/maintenance', known, { query, idempotent: true })
  }
}

/** What all reads of replicated state have in common: consistency, datacenter, blocking, ACLs, and the headers that tell of them. */
import type { AclView } from '../acl/acl-view.js'
import type { AgentNode } from '../agent/agent-node.js'
import type { ApiRequest } from './api-request.js'
import { blockingQuery, type Reading } from './blocking-query.js'
import { ReadCache } from './read-cache.js'
import { json, Refusal, type Reply } from '../wire/reply.js'

/** How one family of endpoints reads. */
export interface QueryStyle {
  /** Health, catalog and prepared queries name the consistency and put an index of 1 on refusals; keys and sessions do neither. */
  readonly namesConsistency: boolean
  /** Whether the token is looked at again at every wake-up; else a token revoked meanwhile still gets the answer. */
  readonly resolvesAtWakeUp: boolean
  /** Whether `?cached` means anything. */
  readonly isCached: boolean
}

/** Health, catalog and prepared queries. */
export const CATALOG_STYLE: QueryStyle = { namesConsistency: true, resolvesAtWakeUp: true, isCached: false }
/** Those reads of health and catalog that an agent can keep a copy of. */
export const CACHED_STYLE: QueryStyle = { ...CATALOG_STYLE, isCached: true }
/** Keys and sessions. */
export const KV_STYLE: QueryStyle = { namesConsistency: false, resolvesAtWakeUp: false, isCached: false }

/** How a reading becomes an answer when it is not simply JSON. */
export type Present<Value> = (value: Value, headers: Readonly<Record<string, string>>) => Reply

/** The reading of replicated state through one agent. */
export class QueryEndpoint {
  readonly #agent: AgentNode
  readonly #style: QueryStyle
  readonly #cache: ReadCache

  constructor(agent: AgentNode, style: QueryStyle) {
    this.#cache = new ReadCache(agent.clock)
    this.#agent = agent
    this.#style = style
  }

  /** Answers a read, after waiting if the request asks for it. */
  async answer<Value>(
    request: ApiRequest,
    read: (view: AclView) => Reading<Value>,
    present: Present<Value> = (value, headers) => json(value, headers),
  ): Promise<Reply> {
    try {
      if (!this.#style.isCached || !request.has('cached') || request.has('consistent')) {
        return await this.#answer(request, read, present)
      }
      const plainQuery = new URLSearchParams([...request.query].filter(([name]) => name !== 'index' && name !== 'wait'))
      return await this.#cache.answer(`${request.path}?${plainQuery.toString()}`, this.#agent.cluster.hasLeader, () =>
        this.#answer(request, read, present),
      )
    } catch (error) {
      // The index on a refusal is not one to wait from; the real agent sends it all the same.
      if (!(error instanceof Refusal) || !this.#style.namesConsistency || error.status === 400) throw error
      throw new Refusal(error.status, error.message, { ...error.headers, ...metaHeaders(1n, false, 0) })
    }
  }

  async #answer<Value>(
    request: ApiRequest,
    read: (view: AclView) => Reading<Value>,
    present: Present<Value>,
  ): Promise<Reply> {
    const agent = this.#agent
    const consistency = checkConsistency(request)
    checkScope(request, agent.cluster.datacenter)
    requireLeader(agent, request)
    let view = agent.view(request.token)
    const knowsLeader = agent.cluster.hasLeader
    const lastContactMs = Math.round(agent.cluster.leaderlessForMs)
    const result = await blockingQuery(
      {
        clock: agent.clock,
        store: agent.cluster.store,
        waiters: agent.waiters,
        random: agent.random,
        missingKeepsBlocking: agent.profile.missingKeyKeepsBlocking,
      },
      request,
      () => {
        if (this.#style.resolvesAtWakeUp) view = agent.view(request.token)
        return read(view)
      },
    )
    return present(result.value, {
      ...metaHeaders(result.index, knowsLeader, lastContactMs),
      ...(this.#style.namesConsistency ? { 'X-Consul-Effective-Consistency': consistency } : {}),
      ...(agent.profile.queryBackendHeader ? { 'X-Consul-Query-Backend': 'blocking-query' } : {}),
      ...this.#filteredHeader(view),
    })
  }

  #filteredHeader(view: AclView): Readonly<Record<string, string>> {
    const isTold = this.#agent.profile.filteredHeader && view.hasHidden && !view.authorizer.isAnonymous
    return isTold ? { 'X-Consul-Results-Filtered-By-ACLs': 'true' } : {}
  }
}

/** The headers that say what an answer is worth. */
export function metaHeaders(
  index: bigint,
  knowsLeader: boolean,
  lastContactMs: number,
): Readonly<Record<string, string>> {
  return {
    'X-Consul-Index': index.toString(),
    'X-Consul-Knownleader': String(knowsLeader),
    'X-Consul-Lastcontact': String(lastContactMs),
  }
}

function checkConsistency(request: ApiRequest): 'leader' | 'stale' | 'consistent' {
  const isConsistent = request.has('consistent')
  for (const weaker of ['stale', 'cached']) {
    if (isConsistent && request.has(weaker)) {
      throw new Refusal(400, `Cannot specify ?${weaker} with ?consistent, conflicting semantics.`)
    }
  }
  if (isConsistent) return 'consistent'
  return request.has('stale') ? 'stale' : 'leader'
}

/**
 * Refuses what this datacenter cannot answer.
 * @throws Refusal 400 for a namespace, 500 for another datacenter.
 */
export function checkScope(request: ApiRequest, datacenter: string): void {
  if (request.has('ns')) {
    throw new Refusal(400, 'Bad request: Invalid query parameter: "ns" - Namespaces are a Consul Enterprise feature')
  }
  const wanted = request.param('dc')
  if (wanted !== '' && wanted !== datacenter) throw new Refusal(500, 'No path to datacenter')
}

/**
 * Refuses what needs a leader while there is none; a stale read does not need one.
 * @throws Refusal 500 `No cluster leader`
 */
export function requireLeader(agent: AgentNode, request: ApiRequest): void {
  if (!agent.cluster.hasLeader && !request.has('stale')) throw new Refusal(500, 'No cluster leader')
}

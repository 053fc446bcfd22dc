import type { IncomingHttpHeaders } from 'node:http'

/**
 * What is known of an answer beside its value, from the agent's headers. Absent stays absent: with the streaming backend `knownLeader` and `lastContactMs` may
 * be missing, which is not `false`. (https://developer.hashicorp.com/consul/api-docs/api-structure)
 */
export interface QueryMeta {
  /** `X-Consul-Index`. A Raft index; exact, since it stays far below 2^53. Absent where the endpoint has none. */
  readonly index?: number
  /** `X-Consul-Index` where it is no Raft index and too long for a number, as that of user events is. */
  readonly longIndex?: string
  /** `X-Consul-ContentHash`, of the agent's own endpoints. */
  readonly contentHash?: string
  /** `X-Consul-KnownLeader`: whether the answering server knew a leader when the query began. */
  readonly knownLeader?: boolean
  /** `X-Consul-LastContact`: milliseconds since the answering server last heard from the leader. */
  readonly lastContactMs?: number
  /** `X-Cache`: whether the agent answered from its cache. */
  readonly cacheHit?: boolean
  /** `Age` of a cached answer, in milliseconds. */
  readonly cacheAgeMs?: number
  /** `X-Consul-Results-Filtered-By-ACLs` (Consul 1.11 and later). */
  readonly filteredByAcls?: boolean
  /** Size of the body in bytes, unpacked. */
  readonly bodyBytes?: number
}

/** Reads the headers. A malformed value counts as absent. */
export function queryMeta(headers: IncomingHttpHeaders): Omit<QueryMeta, 'bodyBytes'> {
  const index = wholeNumber(headers['x-consul-index'])
  const longIndex = index === undefined ? /^\d{16,20}$/.exec(text(headers['x-consul-index']) ?? '')?.[0] : undefined
  const contentHash = text(headers['x-consul-contenthash'])
  const knownLeader = flag(headers['x-consul-knownleader'])
  const lastContactMs = wholeNumber(headers['x-consul-lastcontact'])
  const cache = text(headers['x-cache'])
  const ageSeconds = wholeNumber(headers.age)
  const filteredByAcls = flag(headers['x-consul-results-filtered-by-acls'])
  return {
    ...(index !== undefined && { index }),
    ...(longIndex !== undefined && { longIndex }),
    ...(contentHash !== undefined && { contentHash }),
    ...(knownLeader !== undefined && { knownLeader }),
    ...(lastContactMs !== undefined && { lastContactMs }),
    ...(cache !== undefined && { cacheHit: cache === 'HIT' }),
    ...(ageSeconds !== undefined && { cacheAgeMs: ageSeconds * 1_000 }),
    ...(filteredByAcls !== undefined && { filteredByAcls }),
  }
}

function text(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value
}

function flag(value: string | string[] | undefined): boolean | undefined {
  const word = text(value)
  return word === undefined ? undefined : word === 'true'
}

function wholeNumber(value: string | string[] | undefined): number | undefined {
  const digits = text(value)
  if (digits === undefined || !/^\d+$/.test(digits)) return undefined
  const parsed = Number(digits)
  return Number.isSafeInteger(parsed) ? parsed : undefined
}

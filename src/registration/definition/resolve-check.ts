import { parseDuration } from '../../core/duration.js'
import { checkBoolean, checkInteger, checkObject, checkOneOf, checkString, isRecord } from '../../core/option-check.js'
import { invalidOption } from '../../errors/invalid-option.js'
import type {
  ActiveCheckOptions,
  AliasCheckDefinition,
  CheckDefinition,
  HttpCheckDefinition,
} from './check-definition.js'
import { checkHostPort, checkUrl } from './check-target.js'
import { HEALTH_STATUSES, type HealthStatus } from './health-status.js'
import { checkPathText } from './limits.js'

/** A check with every value decided. Its probes are resolved elsewhere. */
export type ResolvedCheck = ResolvedCheckBase &
  (
    | { readonly type: 'ttl'; readonly ttlMs: number }
    | ({
        readonly type: 'http'
        readonly url: string
        readonly method?: string | undefined
        readonly headers?: Readonly<Record<string, readonly string[]>> | undefined
        readonly body?: string | undefined
        readonly tlsSkipVerify?: boolean | undefined
      } & ResolvedSchedule)
    | ({ readonly type: 'tcp'; readonly address: string } & ResolvedSchedule)
    | ({
        readonly type: 'grpc'
        readonly address: string
        readonly useTls?: boolean | undefined
        readonly tlsSkipVerify?: boolean | undefined
      } & ResolvedSchedule)
    | { readonly type: 'alias'; readonly service?: string | undefined; readonly node?: string | undefined }
  )

interface ResolvedCheckBase {
  readonly id: string
  readonly name: string
  readonly notes?: string | undefined
  /** Undefined: never. */
  readonly deregisterCriticalServiceAfterMs?: number | undefined
  /** Until the first result. Undefined: as the registry has it. */
  readonly status?: HealthStatus | undefined
  readonly successBeforePassing?: number | undefined
  readonly failuresBeforeCritical?: number | undefined
}

interface ResolvedSchedule {
  readonly intervalMs: number
  readonly timeoutMs?: number | undefined
}

/** Every default, with its reason. */
export const CHECK_DEFAULTS = Object.freeze({
  /** Three heartbeats of five seconds: a crashed instance is out after the time that two lost ones need. */
  ttlMs: 15_000,
  /** The interval of Consul's own examples. */
  intervalMs: 10_000,
  /** Longer than a restart of a host. What is critical for so long is dead, or is registered again by whoever lives. */
  deregisterCriticalServiceAfterMs: 600_000,
})

/** With less, a garbage collection or a busy machine costs more beats than a TTL has. */
const SHORTEST_TTL_MS = 1_000

/** Consul raises anything shorter to a minute, telling only its log (https://developer.hashicorp.com/consul/api-docs/agent/check). */
const SHORTEST_REAP_MS = 60_000

/** What is for Consul's timers is bounded by Go, which counts nanoseconds in 63 bits: about 292 years. */
const LONGEST_OF_GO_MS = 9_223_372_036_854

const BASE = ['type', 'id', 'name', 'notes', 'deregisterCriticalServiceAfter', 'probes']
const ACTIVE = [...BASE, 'interval', 'timeout', 'status', 'successBeforePassing', 'failuresBeforeCritical']
const KNOWN = {
  ttl: [...BASE, 'ttl'],
  http: [...ACTIVE, 'url', 'method', 'headers', 'body', 'tlsSkipVerify'],
  tcp: [...ACTIVE, 'address'],
  grpc: [...ACTIVE, 'address', 'useTls', 'tlsSkipVerify'],
  alias: [...BASE, 'service', 'node'],
} as const
const KINDS = ['ttl', 'http', 'tcp', 'grpc', 'alias'] as const

/** Where a check belongs. */
export interface CheckPlace {
  /** Name of the option, for messages. */
  readonly option: string
  readonly serviceId: string
  readonly serviceName: string
  /** Position among the service's checks. */
  readonly position: number
}

/**
 * A check, complete and ready to send. Its probes are resolved elsewhere.
 * @throws ProconsulError `PROCONSUL_INVALID_OPTION`
 */
export function resolveCheck(definition: CheckDefinition, place: CheckPlace): ResolvedCheck {
  const { option } = place
  const given: unknown = definition
  if (!isRecord(given)) throw invalidOption(option, given, 'an object that describes a check')
  const kind = checkOneOf(`${option}.type`, definition.type ?? 'ttl', KINDS)
  checkObject(option, definition, KNOWN[kind])
  const base = basePart(definition, place)
  switch (definition.type) {
    case 'http':
      return { ...base, type: 'http', ...httpPart(definition, option), ...activePart(definition, option) }
    case 'tcp': {
      const address = checkHostPort(`${option}.address`, definition.address, 'host:port')
      return { ...base, type: 'tcp', address, ...activePart(definition, option) }
    }
    case 'grpc':
      return {
        ...base,
        type: 'grpc',
        address: checkHostPort(`${option}.address`, definition.address, 'host:port/service'),
        useTls: optional(definition.useTls, (value) => checkBoolean(`${option}.useTls`, value)),
        tlsSkipVerify: optional(definition.tlsSkipVerify, (value) => checkBoolean(`${option}.tlsSkipVerify`, value)),
        ...activePart(definition, option),
      }
    case 'alias':
      return { ...base, type: 'alias', ...aliasPart(definition, option) }
    default: {
      const ttlMs = parseDuration(`${option}.ttl`, definition.ttl ?? CHECK_DEFAULTS.ttlMs, { minMs: SHORTEST_TTL_MS })
      return { ...base, type: 'ttl', ttlMs }
    }
  }
}

/** `read(value)` unless the value is undefined. */
export function optional<T, R>(value: T | undefined, read: (value: T) => R): R | undefined {
  return value === undefined ? undefined : read(value)
}

function basePart(definition: CheckDefinition, { option, serviceId, serviceName, position }: CheckPlace) {
  const suffix = position === 0 ? '' : `:${position + 1}`
  const counted = position === 0 ? '' : ` ${position + 1}`
  return {
    id: checkPathText(`${option}.id`, definition.id ?? `service:${serviceId}${suffix}`),
    name: checkString(`${option}.name`, definition.name ?? `Service '${serviceName}' check${counted}`),
    notes: optional(definition.notes, (value) => checkString(`${option}.notes`, value)),
    deregisterCriticalServiceAfterMs: reapAfterMs(definition, `${option}.deregisterCriticalServiceAfter`),
  }
}

function reapAfterMs({ deregisterCriticalServiceAfter: after }: CheckDefinition, option: string): number | undefined {
  if (after === false) return undefined
  if (after === undefined) return CHECK_DEFAULTS.deregisterCriticalServiceAfterMs
  return parseDuration(option, after, { minMs: SHORTEST_REAP_MS, maxMs: LONGEST_OF_GO_MS })
}

function activePart(definition: ActiveCheckOptions, option: string) {
  const count = (name: 'successBeforePassing' | 'failuresBeforeCritical'): number | undefined =>
    optional(definition[name], (value) => checkInteger(`${option}.${name}`, value, 0, 1_000))
  const ofConsul = (name: 'interval' | 'timeout', value: unknown, minMs: number): number =>
    parseDuration(`${option}.${name}`, value, { minMs, maxMs: LONGEST_OF_GO_MS })
  return {
    intervalMs: ofConsul('interval', definition.interval ?? CHECK_DEFAULTS.intervalMs, 1_000),
    timeoutMs: optional(definition.timeout, (value) => ofConsul('timeout', value, 1)),
    status: optional(definition.status, (value) => checkOneOf(`${option}.status`, value, HEALTH_STATUSES)),
    successBeforePassing: count('successBeforePassing'),
    failuresBeforeCritical: count('failuresBeforeCritical'),
  }
}

function httpPart(definition: HttpCheckDefinition, option: string) {
  const { url, headers, method, body, tlsSkipVerify } = definition
  return {
    url: checkUrl(`${option}.url`, url),
    method: optional(method, (value) => checkString(`${option}.method`, value)),
    headers: optional(headers, (value) => headerLists(`${option}.headers`, value)),
    body: optional(body, (value) => checkString(`${option}.body`, value)),
    tlsSkipVerify: optional(tlsSkipVerify, (value) => checkBoolean(`${option}.tlsSkipVerify`, value)),
  }
}

function headerLists(option: string, headers: unknown): Readonly<Record<string, readonly string[]>> {
  if (!isRecord(headers)) throw invalidOption(option, headers, 'an object of header names and values')
  const entries = Object.entries(headers).map(([name, value]): [string, readonly string[]] => {
    const values: readonly unknown[] = Array.isArray(value) ? value : [value]
    return [name, values.map((entry) => checkString(`${option}.${name}`, entry))]
  })
  return Object.fromEntries(entries)
}

function aliasPart({ service, node }: AliasCheckDefinition, option: string) {
  if (service === undefined && node === undefined) {
    throw invalidOption(`${option}.service`, service, 'the id of another service, or a node')
  }
  return {
    service: optional(service, (value) => checkPathText(`${option}.service`, value)),
    node: optional(node, (value) => checkString(`${option}.node`, value)),
  }
}

import type { CheckRegistration, SettableStatus } from '../../api/agent-check.js'
import { parseDuration, type Duration } from '../../core/duration.js'
import { checkBoolean, checkInteger, checkObject, checkOneOf, checkString, isRecord } from '../../core/option-check.js'
import { invalidOption } from '../../errors/invalid-option.js'
import type { Probes } from '../health/probe.js'

/** What every kind of check may have. */
export interface CheckOptions {
  /** One of its own at the agent. Default `service:<service id>`, and for further checks `service:<service id>:2` and so on. */
  readonly id?: string | undefined
  /** Default `Service '<service name>' check`. Names of one service must differ. */
  readonly name?: string | undefined
  /** For people. */
  readonly notes?: string | undefined
  /**
   * Consul removes the service when the check has been critical for so long; it looks every 30 s. At least one minute, as Consul has it.
   * Default: never.
   */
  readonly deregisterCriticalServiceAfter?: Duration | undefined
}

/** A check that this process keeps alive with heartbeats. The default kind. */
export interface TtlCheckDefinition extends CheckOptions {
  readonly type?: 'ttl' | undefined
  /** The check turns critical after so long without a heartbeat. Heartbeats are sent every third of it. 1 s and up; default 15 s. */
  readonly ttl?: Duration | undefined
  /** What decides whether the service can do its work. Every heartbeat carries the worst of them. Default none. */
  readonly probes?: Probes | undefined
}

/** A check that the agent carries out. */
export interface ActiveCheckOptions extends CheckOptions {
  /** Default 10 s. */
  readonly interval?: Duration | undefined
  /** Default: Consul's, which is 10 s. */
  readonly timeout?: Duration | undefined
  /** Status until the first result. Default critical, as Consul has it. */
  readonly status?: SettableStatus | undefined
  /** Passes in a row until it counts as passing. */
  readonly successBeforePassing?: number | undefined
  /** Failures in a row until it counts as critical. */
  readonly failuresBeforeCritical?: number | undefined
}

/** The agent asks a URL: 2xx is passing, 429 warning, anything else critical. */
export interface HttpCheckDefinition extends ActiveCheckOptions {
  readonly type: 'http'
  readonly url: string
  /** Default GET. */
  readonly method?: string | undefined
  readonly headers?: Readonly<Record<string, string | readonly string[]>> | undefined
  readonly body?: string | undefined
  readonly tlsSkipVerify?: boolean | undefined
}

/** The agent connects to `host:port`. */
export interface TcpCheckDefinition extends ActiveCheckOptions {
  readonly type: 'tcp'
  readonly address: string
}

/** The agent asks the gRPC health service at `host:port` or `host:port/service`. */
export interface GrpcCheckDefinition extends ActiveCheckOptions {
  readonly type: 'grpc'
  readonly address: string
  readonly useTls?: boolean | undefined
  readonly tlsSkipVerify?: boolean | undefined
}

/** The health of another service of the same agent, or of a node. */
export interface AliasCheckDefinition extends CheckOptions {
  readonly type: 'alias'
  /** Id of the other service. */
  readonly service?: string | undefined
  readonly node?: string | undefined
}

/** A health check of a service. */
export type CheckDefinition =
  TtlCheckDefinition | HttpCheckDefinition | TcpCheckDefinition | GrpcCheckDefinition | AliasCheckDefinition

/** Every default, with its reason. */
export const CHECK_DEFAULTS = Object.freeze({
  /** Three heartbeats of five seconds: a crashed instance is out after the time that two lost ones need. */
  ttlMs: 15_000,
  /** The interval of Consul's own examples. */
  intervalMs: 10_000,
})

/** With less, a garbage collection or a busy machine costs more beats than a TTL has. */
const SHORTEST_TTL_MS = 1_000

/** Consul raises anything shorter to a minute, telling only its log (https://developer.hashicorp.com/consul/api-docs/agent/check). */
const SHORTEST_REAP_MS = 60_000

const BASE = ['type', 'id', 'name', 'notes', 'deregisterCriticalServiceAfter']
const ACTIVE = [...BASE, 'interval', 'timeout', 'status', 'successBeforePassing', 'failuresBeforeCritical']
const KNOWN = {
  ttl: [...BASE, 'ttl', 'probes'],
  http: [...ACTIVE, 'url', 'method', 'headers', 'body', 'tlsSkipVerify'],
  tcp: [...ACTIVE, 'address'],
  grpc: [...ACTIVE, 'address', 'useTls', 'tlsSkipVerify'],
  alias: [...BASE, 'service', 'node'],
} as const
const STATUSES: readonly SettableStatus[] = ['passing', 'warning', 'critical']
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
export function resolveCheck(definition: CheckDefinition, place: CheckPlace): CheckRegistration {
  const { option } = place
  const given: unknown = definition
  if (!isRecord(given)) throw invalidOption(option, given, 'an object that describes a check')
  const kind = checkOneOf(`${option}.type`, definition.type ?? 'ttl', KINDS)
  checkObject(option, definition, KNOWN[kind])
  const base = basePart(definition, place)
  switch (definition.type) {
    case 'http':
      return { ...base, type: 'http', ...httpPart(definition, option), ...activePart(definition, option) }
    case 'tcp':
      return { ...base, type: 'tcp', address: hostPort(option, definition.address), ...activePart(definition, option) }
    case 'grpc':
      return {
        ...base,
        type: 'grpc',
        address: hostPort(option, definition.address),
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
    id: checkString(`${option}.id`, definition.id ?? `service:${serviceId}${suffix}`),
    name: checkString(`${option}.name`, definition.name ?? `Service '${serviceName}' check${counted}`),
    notes: optional(definition.notes, (value) => checkString(`${option}.notes`, value)),
    deregisterCriticalServiceAfterMs: optional(definition.deregisterCriticalServiceAfter, (value) =>
      parseDuration(`${option}.deregisterCriticalServiceAfter`, value, { minMs: SHORTEST_REAP_MS }),
    ),
  }
}

function activePart(definition: ActiveCheckOptions, option: string) {
  const count = (name: 'successBeforePassing' | 'failuresBeforeCritical'): number | undefined =>
    optional(definition[name], (value) => checkInteger(`${option}.${name}`, value, 0, 1_000))
  return {
    intervalMs: parseDuration(`${option}.interval`, definition.interval ?? CHECK_DEFAULTS.intervalMs, { minMs: 1_000 }),
    timeoutMs: optional(definition.timeout, (value) => parseDuration(`${option}.timeout`, value, { minMs: 1 })),
    status: optional(definition.status, (value) => checkOneOf(`${option}.status`, value, STATUSES)),
    successBeforePassing: count('successBeforePassing'),
    failuresBeforeCritical: count('failuresBeforeCritical'),
  }
}

function httpPart(definition: HttpCheckDefinition, option: string) {
  const { headers, method, body, tlsSkipVerify } = definition
  if (!/^https?:\/\//i.test(checkString(`${option}.url`, definition.url)) || !URL.canParse(definition.url)) {
    throw invalidOption(`${option}.url`, definition.url, 'a URL that begins with http:// or https://')
  }
  return {
    url: definition.url,
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
    service: optional(service, (value) => checkString(`${option}.service`, value)),
    node: optional(node, (value) => checkString(`${option}.node`, value)),
  }
}

function hostPort(option: string, address: unknown): string {
  const text = checkString(`${option}.address`, address)
  const [, port] = /^(?:\[[^\]]+\]|[^:/\s]+):(\d+)(?:\/\S*)?$/.exec(text) ?? []
  if (port === undefined || Number(port) < 1 || Number(port) > 65_535) {
    throw invalidOption(`${option}.address`, address, "'host:port'")
  }
  return text
}

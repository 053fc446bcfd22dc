import { checkSegment } from '../../api/path.js'
import type { CheckRegistration } from '../../api/agent-check.js'
import type { ServiceRegistration } from '../../api/agent-service.js'
import { deepFreeze } from '../../core/deep-freeze.js'
import { parseDuration } from '../../core/duration.js'
import {
  checkBoolean,
  checkInteger,
  checkObject,
  checkOneOf,
  checkString,
  checkStrings,
  isRecord,
} from '../../core/option-check.js'
import { invalidOption } from '../../errors/invalid-option.js'
import { resolveProbes, type ResolvedProbe } from '../health/probe.js'
import { BOOT_KEY } from '../identity/boot.js'
import { instanceId } from '../identity/instance-id.js'
import { optional, resolveCheck, type CheckDefinition } from './check-definition.js'
import { checkAddress, checkId, checkMeta, checkPort, checkWeight } from './limits.js'
import type { EventLoopOptions, HeartbeatOptions, ServiceDefinition } from './service-definition.js'

/** A definition with every value decided. */
export interface ResolvedDefinition {
  /** As it is sent, but for the initial status of its checks. */
  readonly service: ServiceRegistration & { readonly checks: readonly CheckRegistration[] }
  /** The check that heartbeats keep alive. */
  readonly ttl: { readonly checkId: string; readonly ttlMs: number } | undefined
  readonly probes: readonly ResolvedProbe[]
  readonly eventLoop: { readonly warnAfterMs: number; readonly criticalAfterMs: number } | undefined
  readonly slowStartMs: number
  readonly heartbeat: ResolvedHeartbeat
}

/** {@link HeartbeatOptions} with every value decided. */
export interface ResolvedHeartbeat {
  readonly thread: 'main' | 'worker'
  readonly warnAfterMs: number
  readonly criticalAfterMs: number
  readonly keepAlive: boolean
}

/** What is decided by the machine and not by the definition. */
export interface DefinitionPlace {
  readonly hostname: string
  /** Value of the metadata that tells whose registration it is. */
  readonly boot: string
}

/** Every default, with its reason. */
export const REGISTRATION_DEFAULTS = Object.freeze({
  /** Longer than an election and a restart of the agent. */
  timeoutMs: 30_000,
  /** Longer than the agent's own hold of about 7 s while servers elect a leader. */
  deregisterTimeoutMs: 10_000,
  /** People begin to notice. */
  eventLoopWarnMs: 200,
  /** Longer than a garbage collection, shorter than any patience. */
  blockedWarnMs: 1_000,
  /** As long as a supervisor commonly waits before it restarts what does not answer. */
  blockedCriticalMs: 30_000,
})

const KNOWN: readonly (keyof ServiceDefinition)[] = [
  'name',
  'id',
  'port',
  'ports',
  'address',
  'tags',
  'meta',
  'weights',
  'taggedAddresses',
  'enableTagOverride',
  'check',
  'checks',
  'probes',
  'slowStart',
  'eventLoop',
  'heartbeat',
]

/**
 * Decides and checks every value.
 * @throws ProconsulError `PROCONSUL_INVALID_OPTION`
 */
export function resolveDefinition(definition: ServiceDefinition, place: DefinitionPlace): ResolvedDefinition {
  checkObject('definition', definition, KNOWN)
  const name = checkSegment('name', checkString('name', definition.name))
  const port = optional(definition.port, (value) => checkPort('port', value))
  const ports = optional(definition.ports, resolvePorts)
  if (port !== undefined && ports !== undefined) throw invalidOption('ports', ports, 'either `port` or `ports`')
  const id = checkId('id', definition.id ?? instanceId(name, place.hostname, port ?? ports?.[0]?.port))
  const checks = resolveChecks(definition, id, name)
  const ttl = checks.find((check) => check.type === 'ttl')
  const weights = optional(definition.weights, resolveWeights)
  const service = {
    id,
    name,
    port,
    ports,
    address: optional(definition.address, (value) => checkAddress('address', value)),
    tags: optional(definition.tags, (value) => [...checkStrings('tags', value)]),
    meta: { ...optional(definition.meta, (value) => checkMeta('meta', value, 1)), [BOOT_KEY]: place.boot },
    weights,
    taggedAddresses: optional(definition.taggedAddresses, resolveTaggedAddresses),
    enableTagOverride: optional(definition.enableTagOverride, (value) => checkBoolean('enableTagOverride', value)),
    checks,
  }
  return deepFreeze({
    service,
    ttl: ttl && { checkId: ttl.id, ttlMs: ttl.ttlMs },
    probes: resolveProbes('probes', { ...definition.probes, ...probesOf(definition) }, ttl?.ttlMs),
    eventLoop: resolveEventLoop(definition.eventLoop),
    slowStartMs: resolveSlowStart(definition, weights?.passing ?? 1),
    heartbeat: resolveHeartbeat(definition.heartbeat),
  })
}

function resolveChecks(definition: ServiceDefinition, serviceId: string, serviceName: string): CheckRegistration[] {
  const { check, checks } = definition
  if (check !== undefined && checks !== undefined) throw invalidOption('checks', checks, 'either `check` or `checks`')
  if (checks !== undefined && !Array.isArray(checks)) throw invalidOption('checks', checks, 'an array of checks')
  const given: readonly CheckDefinition[] = checks ?? [check ?? {}]
  const resolved = given.map((entry, position) => {
    const option = checks === undefined ? 'check' : `checks[${position}]`
    return resolveCheck(entry, { option, serviceId, serviceName, position })
  })
  refuseDuplicates('checks', 'id', resolved)
  refuseDuplicates('checks', 'name', resolved)
  if (resolved.filter(({ type }) => type === 'ttl').length > 1) {
    throw invalidOption('checks', checks, 'at most one TTL check; one heartbeat carries all probes')
  }
  return resolved
}

function refuseDuplicates<Field extends 'id' | 'name'>(
  option: string,
  field: Field,
  entries: readonly Readonly<Record<Field, string>>[],
): void {
  const seen = new Set<string>()
  entries.forEach((entry, position) => {
    const value = entry[field]
    if (seen.has(value)) {
      throw invalidOption(`${option}[${position}].${field}`, value, `a ${field} that no other of the ${option} has`)
    }
    seen.add(value)
  })
}

function probesOf({ check, checks = [] }: ServiceDefinition): ServiceDefinition['probes'] {
  const ttl = [check, ...checks].find((entry) => entry !== undefined && (entry.type ?? 'ttl') === 'ttl')
  return ttl !== undefined && 'probes' in ttl ? ttl.probes : undefined
}

function resolvePorts(ports: unknown) {
  if (!Array.isArray(ports) || ports.length === 0) throw invalidOption('ports', ports, 'a list of named ports')
  const resolved = ports.map((entry: unknown, index) => {
    const given = checkObject(`ports[${index}]`, entry, ['name', 'port', 'default'])
    return {
      name: checkString(`ports[${index}].name`, given['name']),
      port: checkPort(`ports[${index}].port`, given['port']),
      isDefault: checkBoolean(`ports[${index}].default`, given['default'] ?? false),
    }
  })
  refuseDuplicates('ports', 'name', resolved)
  const defaults = resolved.filter(({ isDefault }) => isDefault).length
  if (defaults > 1) throw invalidOption('ports', ports, 'at most one port that is the default')
  return defaults === 1 ? resolved : resolved.map((port, index) => ({ ...port, isDefault: index === 0 }))
}

function resolveWeights(weights: unknown) {
  const given = checkObject('weights', weights, ['passing', 'warning'])
  return {
    passing: checkWeight('weights.passing', given['passing'] ?? 1, 1),
    // Consul would take a missing one for 0.
    warning: checkWeight('weights.warning', given['warning'] ?? 1, 0),
  }
}

function resolveTaggedAddresses(addresses: unknown) {
  if (!isRecord(addresses)) throw invalidOption('taggedAddresses', addresses, 'an object of addresses')
  const entries = Object.entries(addresses).map(([tag, entry]): [string, { address: string; port: number }] => {
    const given = checkObject(`taggedAddresses.${tag}`, entry, ['address', 'port'])
    const port = checkInteger(`taggedAddresses.${tag}.port`, given['port'] ?? 0, 0, 65_535)
    return [tag, { address: checkAddress(`taggedAddresses.${tag}.address`, given['address']), port }]
  })
  return Object.fromEntries(entries)
}

function resolveEventLoop(option: EventLoopOptions | boolean | undefined): ResolvedDefinition['eventLoop'] {
  if (option === undefined || option === false) return undefined
  const given = option === true ? {} : checkObject('eventLoop', option, ['warnAfter', 'criticalAfter'])
  const { eventLoopWarnMs } = REGISTRATION_DEFAULTS
  return {
    warnAfterMs: parseDuration('eventLoop.warnAfter', given['warnAfter'] ?? eventLoopWarnMs, { minMs: 10 }),
    criticalAfterMs:
      given['criticalAfter'] === undefined
        ? Infinity
        : parseDuration('eventLoop.criticalAfter', given['criticalAfter'], { minMs: 10 }),
  }
}

function resolveSlowStart({ slowStart }: ServiceDefinition, passing: number): number {
  if (slowStart === undefined) return 0
  if (passing < 2) throw invalidOption('slowStart', slowStart, 'a `weights.passing` of 2 or more to rise to')
  return parseDuration('slowStart', slowStart, { minMs: 1_000 })
}

function resolveHeartbeat(options: HeartbeatOptions = {}): ResolvedHeartbeat {
  const given = checkObject('heartbeat', options, ['thread', 'warnAfter', 'criticalAfter', 'keepAlive'])
  const { blockedWarnMs, blockedCriticalMs } = REGISTRATION_DEFAULTS
  const warnAfterMs = parseDuration('heartbeat.warnAfter', given['warnAfter'] ?? blockedWarnMs, { minMs: 100 })
  const criticalAfter = given['criticalAfter'] ?? Math.max(blockedCriticalMs, warnAfterMs)
  return {
    thread: checkOneOf('heartbeat.thread', given['thread'] ?? 'main', ['main', 'worker']),
    warnAfterMs,
    criticalAfterMs: parseDuration('heartbeat.criticalAfter', criticalAfter, { minMs: warnAfterMs }),
    keepAlive: checkBoolean('heartbeat.keepAlive', given['keepAlive'] ?? true),
  }
}

import { deepFreeze } from '../../core/deep-freeze.js'
import { parseDuration } from '../../core/duration.js'
import {
  checkBoolean,
  checkInteger,
  checkObject,
  checkString,
  checkStrings,
  isRecord,
} from '../../core/option-check.js'
import { invalidOption } from '../../errors/invalid-option.js'
import { checkAddress } from '../identity/address.js'
import { BOOT_KEY } from '../identity/boot.js'
import { instanceId } from '../identity/instance-id.js'
import { checkId, checkMeta, checkPathText, checkPort, checkWeight } from './limits.js'
import type { ResolvedProbe } from './probe-definition.js'
import { optional, type ResolvedCheck } from './resolve-check.js'
import { refuseDuplicates, resolveChecks, type ResolvedChecks } from './resolve-checks.js'
import { resolveHeartbeat, type ResolvedBeats } from './resolve-heartbeat.js'
import type { ServiceDefinition } from './service-definition.js'

/** What a registry is told of a service, but for the initial status of its checks. */
export interface ResolvedService {
  readonly id: string
  readonly name: string
  readonly address?: string | undefined
  readonly port?: number | undefined
  readonly ports?: readonly ResolvedPort[] | undefined
  readonly tags?: readonly string[] | undefined
  readonly meta?: Readonly<Record<string, string>> | undefined
  readonly weights?: { readonly passing: number; readonly warning: number } | undefined
  readonly taggedAddresses?: Readonly<Record<string, { readonly address: string; readonly port: number }>> | undefined
  readonly enableTagOverride?: boolean | undefined
  readonly checks: readonly ResolvedCheck[]
}

/** One of several named ports. */
interface ResolvedPort {
  readonly name: string
  readonly port: number
  readonly isDefault: boolean
}

/** A definition with every value decided. */
export interface ResolvedDefinition extends Pick<ResolvedChecks, 'ttl'>, ResolvedBeats {
  readonly service: ResolvedService
  readonly probes: readonly ResolvedProbe[]
  readonly slowStartMs: number
}

/** What is decided by the machine and not by the definition. */
export interface DefinitionPlace {
  readonly hostname: string
  /** Value of the metadata that tells whose registration it is. */
  readonly boot: string
}

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
  'slowStart',
  'eventLoop',
  'heartbeat',
]

/**
 * Decides and checks every value.
 * @throws ProconsulError `PROCONSUL_INVALID_OPTION`
 */
export function resolveDefinition(definition: ServiceDefinition, place: DefinitionPlace): ResolvedDefinition {
  if (isRecord(definition) && 'probes' in definition) {
    throw invalidOption('probes', definition['probes'], 'them in a check, as in `check: { probes }`')
  }
  checkObject('definition', definition, KNOWN)
  const name = checkPathText('name', definition.name)
  const port = optional(definition.port, (value) => checkPort('port', value))
  const ports = optional(definition.ports, resolvePorts)
  if (port !== undefined && ports !== undefined) throw invalidOption('ports', ports, 'either `port` or `ports`')
  const id = checkId('id', definition.id ?? instanceId(name, place.hostname, port ?? ports?.[0]?.port))
  const { checks, probes, ttl } = resolveChecks(definition, id, name)
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
  const slowStartMs = resolveSlowStart(definition, weights?.passing ?? 1)
  return deepFreeze({ service, ttl, probes, slowStartMs, ...resolveHeartbeat(definition) })
}

function resolvePorts(ports: unknown): readonly ResolvedPort[] {
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

function resolveSlowStart({ slowStart }: ServiceDefinition, passing: number): number {
  if (slowStart === undefined) return 0
  if (passing < 2) throw invalidOption('slowStart', slowStart, 'a `weights.passing` of 2 or more to rise to')
  return parseDuration('slowStart', slowStart, { minMs: 1_000 })
}

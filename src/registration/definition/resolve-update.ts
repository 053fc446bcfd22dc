import { checkObject, isRecord } from '../../core/option-check.js'
import { BOOT_KEY } from '../identity/boot.js'
import type { CheckDefinition, TtlCheckDefinition } from './check-definition.js'
import { resolveDefinition, type ResolvedDefinition } from './resolve-definition.js'
import type { ServiceDefinition, ServiceUpdate } from './service-definition.js'

const UPDATABLE = ['tags', 'meta', 'weights', 'port', 'address', 'taggedAddresses', 'check', 'checks']

/**
 * The definition with a change applied, as it is written and as it is decided. Identity and the way of heartbeats stay.
 * @throws ProconsulError `PROCONSUL_INVALID_OPTION`
 */
export function resolveUpdate(
  current: ServiceDefinition,
  resolved: ResolvedDefinition,
  update: ServiceUpdate,
): { readonly definition: ServiceDefinition; readonly resolved: ResolvedDefinition } {
  checkObject('update', update, UPDATABLE)
  const { check, checks, ...rest } = current
  const oldChecks = { ...(check !== undefined && { check }), ...(checks !== undefined && { checks }) }
  const given = Object.fromEntries(Object.entries(update).filter(([, value]) => value !== undefined))
  const newChecks = checksOf(update, [check, ...(checks ?? [])].find(isTtl))
  // Weights that are set by hand end the ramp, and may be too low for one.
  const slowStart = update.weights === undefined ? current.slowStart : undefined
  const definition = { ...rest, ...given, ...(newChecks ?? oldChecks), name: current.name, slowStart }
  const next = resolveDefinition(definition, { hostname: '', boot: resolved.service.meta?.[BOOT_KEY] ?? '' })
  return { definition, resolved: next }
}

/** The checks of an update; undefined when it has none. A TTL check takes what it leaves out from the one before. */
function checksOf(
  { check, checks }: ServiceUpdate,
  before: TtlCheckDefinition | undefined,
): Pick<ServiceDefinition, 'check' | 'checks'> | undefined {
  if (check === undefined && checks === undefined) return undefined
  const complete = (entry: CheckDefinition): CheckDefinition =>
    isTtl(entry) ? { ...entry, ttl: entry.ttl ?? before?.ttl, probes: entry.probes ?? before?.probes } : entry
  return {
    ...(check !== undefined && { check: complete(check) }),
    ...(checks !== undefined && { checks: Array.isArray(checks) ? checks.map(complete) : checks }),
  }
}

function isTtl(entry: unknown): entry is TtlCheckDefinition {
  return isRecord(entry) && (entry['type'] ?? 'ttl') === 'ttl'
}

import { checkObject, isRecord } from '../../core/option-check.js'
import { invalidOption } from '../../errors/invalid-option.js'
import { BOOT_KEY } from '../identity/boot.js'
import type { CheckDefinition, TtlCheckDefinition } from './check-definition.js'
import { resolveDefinition, type ResolvedDefinition } from './resolve-definition.js'
import type { ServiceDefinition, ServiceUpdate } from './service-definition.js'

const UPDATABLE = ['tags', 'meta', 'weights', 'port', 'address', 'taggedAddresses', 'check', 'checks']

/**
 * The definition with a change applied, as it is written and as it is decided. Identity, the kind of health and the way of heartbeats
 * stay.
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
  const definition = { ...rest, ...given, ...(newChecks ?? oldChecks), name: current.name }
  const next = resolveDefinition(definition, { hostname: '', boot: resolved.service.meta?.[BOOT_KEY] ?? '' })
  refuseOtherKind(resolved.ttl, next.ttl, update)
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

/** An agent goes on counting down a TTL check whose id gets another kind, so heartbeats are decided for the life of a registration. */
function refuseOtherKind(
  before: ResolvedDefinition['ttl'],
  after: ResolvedDefinition['ttl'],
  { check, checks }: ServiceUpdate,
): void {
  const [option, value] = check === undefined ? (['checks', checks] as const) : (['check', check.type] as const)
  const field = check === undefined ? option : 'check.type'
  if (before !== undefined && after === undefined) {
    throw invalidOption(field, value, 'a TTL check, as it was registered with; without heartbeats, register anew')
  }
  if (before === undefined && after !== undefined) {
    throw invalidOption(field, value ?? 'ttl', 'no TTL check, as it was registered; for heartbeats, register anew')
  }
  if (before?.checkId !== after?.checkId) {
    throw invalidOption(`${option}.id`, after?.checkId, `'${before?.checkId}' for the TTL check, as it was registered`)
  }
}

function isTtl(entry: unknown): entry is TtlCheckDefinition {
  return isRecord(entry) && (entry['type'] ?? 'ttl') === 'ttl'
}

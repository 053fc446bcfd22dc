import { invalidOption } from '../../errors/invalid-option.js'
import { isRecord } from '../../core/option-check.js'
import type { CheckDefinition, TtlCheckDefinition } from './check-definition.js'
import { resolveProbes, type Probes, type ResolvedProbe } from './probe-definition.js'
import { resolveCheck, type ResolvedCheck } from './resolve-check.js'
import type { ServiceDefinition } from './service-definition.js'

/** The checks of a service, and its probes, which are theirs together. */
export interface ResolvedChecks {
  readonly checks: readonly ResolvedCheck[]
  readonly probes: readonly ResolvedProbe[]
  /** The check that heartbeats keep alive. */
  readonly ttl: { readonly checkId: string; readonly ttlMs: number } | undefined
}

/**
 * Decides and checks every value of `check` or `checks`.
 * @throws ProconsulError `PROCONSUL_INVALID_OPTION`
 */
export function resolveChecks(
  { check, checks }: Pick<ServiceDefinition, 'check' | 'checks'>,
  serviceId: string,
  serviceName: string,
): ResolvedChecks {
  if (check !== undefined && checks !== undefined) throw invalidOption('checks', checks, 'either `check` or `checks`')
  if (checks !== undefined && !Array.isArray(checks)) throw invalidOption('checks', checks, 'an array of checks')
  const given: readonly CheckDefinition[] = checks ?? [check ?? {}]
  const optionAt = (position: number): string => (checks === undefined ? 'check' : `checks[${position}]`)
  const resolved = given.map((entry, position) =>
    resolveCheck(entry, { option: optionAt(position), serviceId, serviceName, position }),
  )
  refuseDuplicates('checks', 'id', resolved)
  refuseDuplicates('checks', 'name', resolved)
  const ttls = resolved.filter((entry) => entry.type === 'ttl')
  if (ttls.length > 1) throw invalidOption('checks', checks, 'at most one TTL check; one heartbeat carries all probes')
  const [ttl] = ttls
  const probes = given.flatMap(({ probes = {} }, position) =>
    resolveProbes(`${optionAt(position)}.probes`, probes, ttl?.ttlMs),
  )
  refuseDuplicates('probes', 'name', probes)
  return { checks: resolved, probes, ttl: ttl && { checkId: ttl.id, ttlMs: ttl.ttlMs } }
}

/** Throws when two entries of a list have the same value in a field that tells them apart. */
export function refuseDuplicates<Field extends 'id' | 'name'>(
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

/**
 * The checks that take the place of others. A TTL check that says no `ttl` takes that of the one before, and where none of them has
 * `probes`, the probes stay as they were.
 */
export function checksAfterUpdate(
  before: Pick<ServiceDefinition, 'check' | 'checks'>,
  update: Pick<ServiceDefinition, 'check' | 'checks'>,
): Pick<ServiceDefinition, 'check' | 'checks'> {
  const old = listOf(before)
  const ttl = old.find(isTtl)?.ttl
  const probes = listOf(update).some((entry) => entry.probes !== undefined) ? undefined : probesOf(old)
  const complete = (entry: CheckDefinition, position: number): CheckDefinition => {
    if (!isCheck(entry)) return entry
    const kept = position === 0 && probes !== undefined ? { ...entry, probes } : entry
    return isTtl(kept) ? { ...kept, ttl: kept.ttl ?? ttl } : kept
  }
  return {
    ...(update.check !== undefined && { check: complete(update.check, 0) }),
    ...(update.checks !== undefined && {
      checks: Array.isArray(update.checks) ? update.checks.map(complete) : update.checks,
    }),
  }
}

function listOf({ check, checks }: Pick<ServiceDefinition, 'check' | 'checks'>): readonly CheckDefinition[] {
  const others: readonly unknown[] = Array.isArray(checks) ? checks : []
  return [check, ...others].filter(isCheck)
}

function probesOf(checks: readonly CheckDefinition[]): Probes | undefined {
  const all = checks.flatMap(({ probes }) => (probes === undefined ? [] : [probes]))
  return all.length === 0 ? undefined : Object.fromEntries(all.flatMap((probes) => Object.entries(probes)))
}

/** Whatever else it holds is looked at when it is resolved. */
function isCheck(entry: unknown): entry is CheckDefinition {
  return isRecord(entry)
}

function isTtl(entry: CheckDefinition): entry is TtlCheckDefinition {
  return (entry.type ?? 'ttl') === 'ttl'
}

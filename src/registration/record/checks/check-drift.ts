import type { CheckRegistration } from '../../../api/agent-check.js'
import type { CheckEntry } from '../../../api/health-entry.js'
import type { ResolvedDefinition } from '../../definition/resolve-definition.js'

/**
 * What of the service's checks is not as it was registered: `check <id>` for one that the agent does not have, or has for another
 * service, and `check <id> <field>` for one that differs. What an agent does not show is taken to be right.
 */
export function checkDrift({ service }: ResolvedDefinition, checks: readonly CheckEntry[]): readonly string[] {
  const owned = new Map(checks.filter(({ serviceId }) => serviceId === service.id).map((check) => [check.id, check]))
  return service.checks.flatMap((check) => {
    const entry = owned.get(check.id)
    if (entry === undefined) return [`check ${check.id}`]
    return changedFields(check, entry).map((field) => `check ${check.id} ${field}`)
  })
}

/** Ids of the service's checks under which the agent shows another kind of check, whosever it is. */
export function otherKinds({ service }: ResolvedDefinition, checks: readonly CheckEntry[]): readonly string[] {
  const entries = new Map(checks.map((check) => [check.id, check]))
  return service.checks.filter((check) => isOtherKind(check, entries.get(check.id))).map(({ id }) => id)
}

/** Ids of checks that both definitions have, each as another kind. */
export function changedKinds(old: ResolvedDefinition, next: ResolvedDefinition): readonly string[] {
  const types = new Map(old.service.checks.map(({ id, type }) => [id, type]))
  return next.service.checks.filter(({ id, type }) => (types.get(id) ?? type) !== type).map(({ id }) => id)
}

/** Ids of the checks that only the first definition has. */
export function surplusIds({ service }: ResolvedDefinition, other: ResolvedDefinition): readonly string[] {
  const kept = new Set(other.service.checks.map(({ id }) => id))
  return service.checks.map(({ id }) => id).filter((id) => !kept.has(id))
}

/**
 * Ids of checks that the agent has of the service and that it has no more. Only such ids as checks get by themselves: any other may be
 * that of a check which somebody added.
 */
export function leftChecks({ service }: ResolvedDefinition, checks: readonly CheckEntry[]): readonly string[] {
  const kept = new Set(service.checks.map(({ id }) => id))
  const automatic = `service:${service.id}`
  const left = checks.filter(({ id, serviceId }) => serviceId === service.id && !kept.has(id)).map(({ id }) => id)
  return left.filter((id) => id.startsWith(automatic) && /^(?::\d+)?$/.test(id.slice(automatic.length)))
}

/** What Consul takes for a timeout that was not given (https://developer.hashicorp.com/consul/docs/services/usage/checks). */
const CONSUL_TIMEOUT_MS = 10_000

function changedFields(check: CheckRegistration, entry: CheckEntry): readonly string[] {
  const schedule = 'intervalMs' in check ? check : undefined
  const differs: readonly (readonly [string, boolean])[] = [
    ['type', isOtherKind(check, entry)],
    ['name', entry.name !== '' && entry.name !== check.name],
    ['notes', entry.notes !== (check.notes ?? '')],
    ['interval', schedule !== undefined && isOtherTime(schedule.intervalMs, entry.intervalMs)],
    ['timeout', schedule !== undefined && isOtherTime(schedule.timeoutMs ?? CONSUL_TIMEOUT_MS, entry.timeoutMs)],
  ]
  return differs.filter(([, isDifferent]) => isDifferent).map(([name]) => name)
}

function isOtherKind({ type }: CheckRegistration, entry: CheckEntry | undefined): boolean {
  return entry !== undefined && entry.type !== '' && entry.type !== type
}

/** Times are sent in whole milliseconds. */
function isOtherTime(givenMs: number, shownMs: number | undefined): boolean {
  return shownMs !== undefined && Math.round(shownMs) !== Math.round(givenMs)
}

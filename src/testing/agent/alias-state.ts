import type { CheckSpec } from '../checks/check-spec.js'
import type { CheckDefinition, CheckStatus } from '../state/records.js'

/** Whether a check stands for the state of a service of this agent. */
export function isAliasOf(spec: CheckSpec, serviceId: string): boolean {
  return spec.AliasService === serviceId && serviceId !== ''
}

/** The state of an alias check: the worst of the checks that it stands for. */
export function aliasedState(
  serviceId: string,
  isKnown: boolean,
  checks: readonly CheckDefinition[],
): { readonly status: CheckStatus; readonly output: string } {
  if (!isKnown) return { status: 'critical', output: `Service ${serviceId} could not be found on node` }
  if (checks.length === 0) return { status: 'passing', output: 'No checks found.' }
  const worst = checks.find(({ status }) => status === 'critical') ?? checks.find(({ status }) => status === 'warning')
  if (worst === undefined) return { status: 'passing', output: 'All checks passing.' }
  const label = worst.status === 'critical' ? 'failing' : 'warning'
  return { status: worst.status, output: `Aliased check "${worst.name}" ${label}: ${worst.output}` }
}

import type { CheckRegistration, SettableStatus } from '../../../api/agent-check.js'
import type { CheckEntry } from '../../../api/health-entry.js'
import type { ResolvedDefinition } from '../../definition/resolve-definition.js'

/** The status that each check of a service was last seen with. */
export class CheckStatuses {
  #known = new Map<string, SettableStatus>()

  of(id: string): SettableStatus | undefined {
    return this.#known.get(id)
  }

  /** Those of the checks that the agent carries out. One without a result has the status that it was registered with. */
  active({ service }: ResolvedDefinition): readonly SettableStatus[] {
    const active = service.checks.filter(({ type }) => type !== 'ttl')
    return active.map(({ id, status }) => this.#known.get(id) ?? status ?? 'critical')
  }

  /** Takes note of what the agent shows of a service. What another kind of check under the same id found says nothing about ours. */
  see(serviceId: string, checks: readonly CheckEntry[], otherKinds: readonly string[]): void {
    for (const check of checks) {
      if (check.serviceId === serviceId && !otherKinds.includes(check.id)) this.#known.set(check.id, check.status)
    }
  }

  /** The service has these checks from now on, and no others. */
  begin(checks: readonly CheckRegistration[], statusOf: (check: CheckRegistration) => SettableStatus): void {
    this.#known = new Map(checks.map((check) => [check.id, statusOf(check)]))
  }
}

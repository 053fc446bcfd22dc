import type { CheckEntry } from '../../../api/health-entry.js'
import type { Runtime } from '../../../core/runtime.js'
import { isProconsulError } from '../../../errors/proconsul-error.js'
import type { ResolvedDefinition } from '../../definition/resolve-definition.js'
import { leftChecks, otherKinds } from './check-drift.js'
import type { Debris } from './debris.js'

/** What an earlier run may have left under the service's id: its checks, and a maintenance. It is looked at once, before the first write. */
export class Inheritance {
  readonly #runtime: Runtime
  readonly #debris: Debris
  #isLookedAt = false

  constructor(runtime: Runtime, debris: Debris) {
    this.#runtime = runtime
    this.#debris = debris
  }

  /** The agent has no such record, so there is nothing of an earlier run. */
  isEmpty(): void {
    this.#isLookedAt = true
  }

  /** Looks, where nobody has. Where the token may not read the checks, what is there stays unknown. */
  async look(
    definition: ResolvedDefinition,
    read: () => Promise<readonly CheckEntry[]>,
    signal: AbortSignal,
  ): Promise<void> {
    if (this.#isLookedAt) return
    const { id } = definition.service
    try {
      const checks = await read()
      this.#debris.see([...otherKinds(definition, checks), ...leftChecks(definition, checks)])
      this.#tellMaintenance(id, checks)
    } catch (error) {
      if (signal.aborted || !isProconsulError(error) || error.retryable) throw error
      this.#runtime.logger.debug({ id, err: error }, 'the checks of an earlier run could not be read')
    }
    this.#isLookedAt = true
  }

  /** Whoever began a maintenance may want it to last: it keeps the service out of discovery until somebody ends it. */
  #tellMaintenance(id: string, checks: readonly CheckEntry[]): void {
    const entry = checks.find(({ type, serviceId }) => type === 'maintenance' && serviceId === id)
    if (entry === undefined) return
    const message = 'the service is in maintenance from before; `maintenance(false)` ends it'
    this.#runtime.logger.warn({ id, reason: entry.notes }, message)
  }
}

import type { AgentCheckApi } from '../../api/agent-check.js'
import type { AgentServiceApi } from '../../api/agent-service.js'
import type { CheckEntry } from '../../api/health-entry.js'

/** What a maintenance is kept with. */
export interface MaintenanceParts {
  readonly services: AgentServiceApi
  readonly checks: AgentCheckApi
}

/** Nobody waits for it: the check that it is given to is ended at once. */
const TAKE_OVER_TTL_MS = 600_000

/** Whether a service is to be in maintenance, which to Consul is a critical check beside those of the service. */
export class Maintenance {
  readonly #parts: MaintenanceParts
  readonly #serviceId: string
  #wanted: { readonly reason: string | undefined } | undefined

  constructor(serviceId: string, parts: MaintenanceParts) {
    this.#serviceId = serviceId
    this.#parts = parts
  }

  /** Puts the service into maintenance. The reason of one that it is in already stays. */
  async begin(reason: string | undefined, signal: AbortSignal): Promise<void> {
    await this.#parts.services.maintenance(this.#serviceId, true, reason, { signal })
    this.#wanted = { reason }
  }

  /** Puts it into maintenance again where it is to be in it. */
  async renew(signal: AbortSignal): Promise<void> {
    if (this.#wanted !== undefined) await this.begin(this.#wanted.reason, signal)
  }

  /** Takes the service out of maintenance, whoever began it. */
  async end(signal: AbortSignal): Promise<void> {
    await this.#takeOver(signal)
    await this.#parts.services.maintenance(this.#serviceId, false, undefined, { signal })
    this.#wanted = undefined
  }

  /** Whether it is not among these checks of the agent, but is to be. */
  isMissing(checks: readonly CheckEntry[]): boolean {
    return this.#wanted !== undefined && !checks.some(({ id }) => id === this.#checkId)
  }

  /**
   * The agent tells the servers of the end under the token that began the maintenance. Where that is revoked they would go on listing it.
   * Switching it on again changes no token, registering the check does; its status stays critical.
   */
  async #takeOver(signal: AbortSignal): Promise<void> {
    const filter = `CheckID == ${JSON.stringify(this.#checkId)}`
    const [check] = await this.#parts.checks.list({ filter, signal })
    if (check === undefined) return
    const { id, name, notes } = check
    const taken = { id, name, notes, type: 'ttl', ttlMs: TAKE_OVER_TTL_MS } as const
    await this.#parts.checks.register(taken, { serviceId: this.#serviceId, signal })
  }

  get #checkId(): string {
    return `_service_maintenance:${this.#serviceId}`
  }
}

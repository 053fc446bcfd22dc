import type { AgentServiceApi } from '../../api/agent-service.js'
import type { CheckEntry } from '../../api/health-entry.js'
import { takeOver, type TakeOverParts } from './checks/take-over.js'

/** What a maintenance is kept with. */
export interface MaintenanceParts extends TakeOverParts {
  readonly services: AgentServiceApi
}

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
    await takeOver(this.#parts, this.#serviceId, [this.#checkId], signal)
    await this.#parts.services.maintenance(this.#serviceId, false, undefined, { signal })
    this.#wanted = undefined
  }

  /** Whether it is not among these checks of the agent, but is to be. */
  isMissing(checks: readonly CheckEntry[]): boolean {
    return this.#wanted !== undefined && !checks.some(({ id }) => id === this.#checkId)
  }

  get #checkId(): string {
    return `_service_maintenance:${this.#serviceId}`
  }
}

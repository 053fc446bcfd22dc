import { isDeepStrictEqual } from 'node:util'
import type { CheckRegistration, SettableStatus } from '../api/agent-check.js'
import { Sequence } from '../core/sequence.js'
import { resolveUpdate } from './definition/resolve-update.js'
import type { ServiceDefinition, ServiceUpdate } from './definition/service-definition.js'
import type { ServiceHealth } from './health/service-health.js'
import type { RecordKeeper } from './record/record-keeper.js'
import type { SlowStart } from './record/slow-start.js'
import type { Rivalry } from './rivalry.js'
import type { Upkeep } from './upkeep.js'

/** What a service is updated with. */
export interface ServiceUpdatesParts {
  readonly record: RecordKeeper
  readonly health: ServiceHealth
  readonly slowStart: SlowStart
  readonly upkeep: Upkeep
  readonly rivalry: Rivalry
  /** Throws when the service cannot be given these checks. */
  acceptChecks(checks: readonly CheckRegistration[]): void
  /** Aborted when nothing is to be begun any more. */
  readonly leaving: AbortSignal
  /** Aborted when what is under way is to end as well. */
  readonly halted: AbortSignal
  /** The status of the whole. */
  status(): SettableStatus
  /** The service has its new definition. */
  onUpdated(): void
}

/** Changes what a service is registered as, one update after the other. */
export class ServiceUpdates {
  readonly #parts: ServiceUpdatesParts
  readonly #turns = new Sequence()
  #definition: ServiceDefinition

  /** `definition` is what `parts.record` holds, before it was resolved. */
  constructor(definition: ServiceDefinition, parts: ServiceUpdatesParts) {
    this.#definition = definition
    this.#parts = parts
  }

  /** Resolves when the agent has it. Rejects with what the agent answered, and then the service stays as it was. */
  async apply(update: ServiceUpdate): Promise<void> {
    await this.#turns.run(() => this.#apply(update))
  }

  async #apply(update: ServiceUpdate): Promise<void> {
    const { record, health, slowStart, upkeep, rivalry, leaving, halted } = this.#parts
    rivalry.refuseWhenAway()
    const { ttl } = record.definition
    const { definition, resolved } = resolveUpdate(this.#definition, record.definition, update)
    this.#parts.acceptChecks(resolved.service.checks)
    await health.change(resolved, leaving, async (status) => {
      const replacement = {
        status,
        fresh: this.#parts.status() === 'critical' ? 'critical' : 'passing',
        // Weights that are set by hand end the ramp.
        fullWeight: update.weights !== undefined,
        onTaken: async () => {
          // From here on a step would set the weight back.
          if (update.weights !== undefined) slowStart.stop()
          // No heartbeat may find that its check is gone: it would be taken for a loss.
          if (ttl?.checkId !== resolved.ttl?.checkId) await upkeep.pause()
        },
      } as const
      await rivalry.refuseTaken()
      await record.replace(resolved, replacement, halted)
      this.#definition = definition
    })
    this.#parts.onUpdated()
    if (!isDeepStrictEqual(ttl, resolved.ttl)) await upkeep.change(resolved)
  }
}

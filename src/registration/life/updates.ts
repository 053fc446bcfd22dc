import { isDeepStrictEqual } from 'node:util'
import { Sequence } from '../../core/sequence.js'
import { resolveUpdate } from '../definition/resolve-update.js'
import type { ServiceDefinition, ServiceUpdate } from '../definition/service-definition.js'
import type { LifeContext, LifeParts } from './context.js'
import type { Rivalry } from './rivalry.js'
import type { SlowStart } from './slow-start.js'
import type { Upkeep } from './upkeep.js'

/** What updates work with. */
export interface UpdatesParts extends Pick<LifeParts, 'acceptChecks'> {
  readonly slowStart: SlowStart
  readonly upkeep: Upkeep
  readonly rivalry: Rivalry
  /** The service has its new definition. */
  onUpdated(): void
}

/** Changes what a service is registered as, one update after the other. */
export class Updates {
  readonly #life: LifeContext
  readonly #parts: UpdatesParts
  readonly #turns = new Sequence()
  /** What the record holds, before it was resolved. */
  definition: ServiceDefinition

  constructor(life: LifeContext, definition: ServiceDefinition, parts: UpdatesParts) {
    this.#life = life
    this.definition = definition
    this.#parts = parts
  }

  /** Resolves when the registry has it. Rejects with what the registry answered, and then the service stays as it was. */
  async apply(update: ServiceUpdate): Promise<void> {
    await this.#turns.run(() => this.#apply(update))
  }

  async #apply(update: ServiceUpdate): Promise<void> {
    const { record, health, phase } = this.#life
    const { slowStart, upkeep, rivalry } = this.#parts
    rivalry.refuseWhenAway()
    const { ttl } = record.definition
    const { definition, resolved } = resolveUpdate(this.definition, record.definition, update)
    this.#parts.acceptChecks(resolved.service.checks)
    // Weights that are set by hand end a slow start.
    const endsSlowStart = update.weights !== undefined
    await health.change(resolved, phase.leaving, async (status) => {
      const onTaken = async (): Promise<void> => {
        // From here on a step would set the weight back.
        if (endsSlowStart) slowStart.end()
        // No heartbeat may find that its check is gone: it would be taken for a loss.
        if (ttl?.checkId !== resolved.ttl?.checkId) await upkeep.pause()
      }
      const fresh = this.#life.status === 'critical' ? 'critical' : 'passing'
      const weight = endsSlowStart ? undefined : slowStart.weight
      await rivalry.refuseTaken()
      await this.#life.use((signal) => record.replace(resolved, { status, fresh, weight, onTaken }, signal))
      this.definition = definition
    })
    this.#parts.onUpdated()
    if (!isDeepStrictEqual(ttl, resolved.ttl)) await upkeep.change()
  }
}

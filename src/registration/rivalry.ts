import type { Runtime } from '../core/runtime.js'
import { ProconsulError } from '../errors/proconsul-error.js'
import { formatBoot, type Boot } from './identity/boot.js'
import type { RecordKeeper } from './record/record-keeper.js'
import type { ConflictDetails, LostDetails } from './registration-events.js'
import type { Phase } from './registration-state.js'
import type { Upkeep } from './upkeep.js'

/** What a rivalry is about and whom it tells. */
export interface RivalryParts {
  readonly record: RecordKeeper
  readonly phase: Phase
  readonly upkeep: Upkeep
  readonly runtime: Runtime
  /** Aborted when nothing may be sent any more. */
  readonly halted: AbortSignal
  onConflict(details: ConflictDetails): void
  /** The service was registered until now. */
  onLost(details: LostDetails): void
}

/** The error of what comes too late. */
export const CLOSED = (): ProconsulError =>
  new ProconsulError('PROCONSUL_CLOSED', 'the registration has ended, or has begun to')

/** Other live processes that register the id of a service. The newer registration keeps it. */
export class Rivalry {
  readonly #parts: RivalryParts

  constructor(parts: RivalryParts) {
    this.#parts = parts
  }

  /** Throws when the service has begun to leave, or when another process is known to have its id. */
  refuseWhenAway(): void {
    const { phase, record } = this.#parts
    if (phase.isLeaving) throw CLOSED()
    if (!phase.isTaken) return
    const { id } = record.definition.service
    throw new ProconsulError('PROCONSUL_CONFLICT', `${id}: another live process has registered the same id`)
  }

  /** The same, once it was looked who has the id: a newer process may have taken it since the last comparison. */
  async refuseTaken(): Promise<void> {
    this.refuseWhenAway()
    const other = await this.#parts.record.holder(this.#parts.halted)
    if (other !== undefined) this.stepBack(other)
    this.refuseWhenAway()
  }

  /** Leaves the id to another: beats of this process would only vouch for that. */
  stepBack(other: Boot): void {
    const { phase, upkeep, runtime } = this.#parts
    if (phase.isTaken || phase.isLeaving) return
    const isNews = phase.type === 'registered'
    phase.enter({ type: 'lost', reason: 'taken', since: phase.lostSince(runtime.clock.monotonic()) })
    upkeep.hold()
    this.tell(other, false)
    const message = `process ${other.pid} on ${other.hostname} has registered the same id`
    if (isNews) this.#parts.onLost({ reason: 'taken', message })
  }

  /** Tells of a rival. `isOurs`: whether this process keeps the id. */
  tell(other: Boot, isOurs: boolean): void {
    const { id } = this.#parts.record.definition.service
    const fields = { id, other: formatBoot(other) }
    this.#parts.runtime.logger.warn(fields, 'another live process has registered the same service id')
    this.#parts.onConflict({ id, other, isOurs })
  }
}

import { ProconsulError } from '../../errors/proconsul-error.js'
import { formatBoot, type Boot } from '../identity/boot.js'
import type { LifeContext } from './context.js'
import { closedError } from './phase.js'
import type { Upkeep } from './upkeep.js'

/** Other live processes that register the id of a service. The newer registration keeps it. */
export class Rivalry {
  readonly #life: LifeContext
  readonly #upkeep: Upkeep

  constructor(life: LifeContext, upkeep: Upkeep) {
    this.#life = life
    this.#upkeep = upkeep
  }

  /** Throws when the service has begun to leave, or when another process is known to have its id. */
  refuseWhenAway(): void {
    const { phase, id } = this.#life
    if (phase.isLeaving) throw closedError()
    if (!phase.isTaken) return
    throw new ProconsulError('PROCONSUL_CONFLICT', `${id}: another live process has registered the same id`)
  }

  /** The same, once it was looked who has the id: a newer process may have taken it since the last comparison. */
  async refuseTaken(): Promise<void> {
    this.refuseWhenAway()
    const other = await this.#life.record.holder(this.#life.phase.halted)
    if (other !== undefined) this.stepBack(other)
    this.refuseWhenAway()
  }

  /** Leaves the id to another: beats of this process would only vouch for that. */
  stepBack(other: Boot): void {
    const { phase, now } = this.#life
    if (phase.isTaken || phase.isLeaving) return
    const isNews = phase.type === 'registered'
    phase.enter({ type: 'lost', reason: 'taken', since: phase.lostSince(now) })
    this.#upkeep.hold()
    this.tell(other, false)
    if (!isNews) return
    const message = `process ${other.pid} on ${other.hostname} has registered the same id`
    this.#life.tell('lost', { reason: 'taken' }, `the service is lost: ${message}`)
    this.#life.emit('lost', { reason: 'taken', message })
  }

  /** Tells of a rival. `isOurs`: whether this process keeps the id. */
  tell(other: Boot, isOurs: boolean): void {
    const { id } = this.#life
    this.#life.tell(
      'conflict',
      { other: formatBoot(other), isOurs },
      'another live process has registered the same service id',
    )
    this.#life.emit('conflict', { id, other, isOurs })
  }
}

import { isProconsulError } from '../../errors/proconsul-error.js'
import { singleFlight } from '../../core/single-flight.js'
import type { RecordVerdict } from '../record/record.js'
import type { LifeContext } from './context.js'
import type { PersistentPut } from './put.js'
import type { Recovery } from './recovery.js'
import type { RepairPace } from './repair-pace.js'
import type { Rivalry } from './rivalry.js'
import type { SlowStart } from './slow-start.js'
import type { Upkeep } from './upkeep.js'

/** What an audit works with. */
export interface AuditParts {
  readonly put: PersistentPut
  readonly pace: RepairPace
  readonly recovery: Recovery
  readonly rivalry: Rivalry
  readonly slowStart: SlowStart
  readonly upkeep: Upkeep
}

/** Looks at what the registry has, and sees to it that it is what was registered. */
export class Audit {
  readonly #life: LifeContext
  readonly #parts: AuditParts
  readonly #inspectOnce = singleFlight(() => this.#inspect())

  constructor(life: LifeContext, parts: AuditParts) {
    this.#life = life
    this.#parts = parts
  }

  /** Looks, and repairs where that is called for. Never rejects. */
  async run(): Promise<void> {
    const { phase } = this.#life
    if (phase.type === 'registered' || phase.isTaken) await this.#inspectOnce()
  }

  /** Writes the record again, as after a change of the token, and says whether that went well. Where not, the next look finds it undone. */
  async rewrite(): Promise<boolean> {
    const { phase, record, health } = this.#life
    const { put, rivalry, slowStart, upkeep } = this.#parts
    try {
      await rivalry.refuseTaken()
      await this.#life.use((signal) => record.put({ status: health.status, weight: slowStart.weight }, signal))
      put.done()
      await upkeep.beatNow()
      return true
    } catch (error) {
      this.#life.debug('the record could not be written again', error)
      if (phase.type === 'registered' && isProconsulError(error)) put.note(error, false)
      return false
    }
  }

  async #inspect(): Promise<void> {
    const { phase, record } = this.#life
    try {
      const verdict = await this.#life.use((signal) => record.inspect(signal, false))
      if (!phase.isLeaving) await this.#follow(verdict)
    } catch (error) {
      this.#life.debug('the record could not be inspected', error)
    }
  }

  async #follow(verdict: RecordVerdict): Promise<void> {
    const { phase } = this.#life
    const { recovery, rivalry } = this.#parts
    if (verdict.type === 'taken') rivalry.stepBack(verdict.by)
    else if (verdict.type === 'gone') recovery.lose('the registry does not know it')
    else if (phase.isTaken) {
      // What is left of a process that has died is no record of ours yet.
      if (verdict.type === 'right') await recovery.restored()
      else recovery.lose('the process that had its id has ended')
    } else if (verdict.type === 'drifted' && phase.type === 'registered') await this.#repair(verdict.fields)
  }

  async #repair(fields: readonly string[]): Promise<void> {
    await this.#parts.pace.untilAllowed(this.#life.phase.leaving)
    if (!(await this.rewrite()) || fields.length === 0) return
    this.#life.tell('repaired', { fields }, 'others had changed the record of the service; it is as it was')
    this.#life.emit('repaired', { fields })
  }
}

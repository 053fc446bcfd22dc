import { sleep } from '../../core/sleep.js'
import type { LifeContext } from './context.js'
import type { PersistentPut } from './put.js'
import type { RepairPace } from './repair-pace.js'
import type { Rivalry } from './rivalry.js'
import type { SlowStart } from './slow-start.js'
import type { Upkeep } from './upkeep.js'

/** What a recovery works with. */
export interface RecoveryParts {
  readonly put: PersistentPut
  readonly pace: RepairPace
  readonly rivalry: Rivalry
  readonly slowStart: SlowStart
  readonly upkeep: Upkeep
}

/** Several processes may wait for one to leave: each takes its time at random, and the first that is back keeps the id. */
const HANDOVER_SPREAD_MS = 300

/** Brings a lost service back: attempts follow each other, one at a time, for as long as it is lost. */
export class Recovery {
  readonly #life: LifeContext
  readonly #parts: RecoveryParts
  #attempt: Promise<void> | undefined

  constructor(life: LifeContext, parts: RecoveryParts) {
    this.#life = life
    this.#parts = parts
  }

  /** The registry does not know the service any more. */
  lose(message: string): void {
    const { phase, now } = this.#life
    if (phase.type !== 'registered' && phase.type !== 'lost') return
    const { isTaken } = phase
    const isNews = phase.type === 'registered'
    phase.enter({ type: 'lost', reason: 'forgotten', since: phase.lostSince(now) })
    if (isNews) {
      this.#life.tell('lost', { reason: 'forgotten' }, `the service is lost and is registered again: ${message}`)
      this.#life.emit('lost', { reason: 'forgotten', message })
    }
    this.#begin(isTaken ? HANDOVER_SPREAD_MS * this.#life.runtime.random() : 0)
  }

  /** Settles with the attempt that is under way, if there is one. */
  async attempted(): Promise<void> {
    await this.#attempt
  }

  /** The registry has it again. */
  async restored(): Promise<void> {
    const { phase } = this.#life
    const lost = phase.current
    const since = phase.lostSince(this.#life.now)
    this.#parts.upkeep.resume()
    // The registry may have kept an old status: what it has now is the truth.
    await this.#parts.upkeep.beatNow()
    // Lost once more meanwhile, or leaving.
    if (phase.current !== lost) return
    phase.enter({ type: 'registered' })
    this.#parts.upkeep.watch()
    const lostForMs = this.#life.now - since
    this.#life.tell('restored', { lostForMs: Math.round(lostForMs) }, 'the service is registered again')
    this.#life.emit('restored', { lostForMs })
  }

  /** Begins, unless it is under way: then a loss that has come since is seen to as well. */
  #begin(delayMs: number): void {
    if (this.#attempt === undefined) void this.#run(delayMs)
  }

  async #run(delayMs: number): Promise<void> {
    const { phase } = this.#life
    let pauseMs = delayMs
    while (phase.isForgotten && !phase.isLeaving) {
      this.#attempt = this.#try(pauseMs)
      await this.#attempt
      pauseMs = 0
    }
    // Nothing may come between the last question and this: a loss in between would find a recovery that has ended.
    this.#attempt = undefined
  }

  async #try(pauseMs: number): Promise<void> {
    const { phase, runtime } = this.#life
    try {
      if (pauseMs > 0) await sleep(pauseMs, { clock: runtime.clock, signal: phase.leaving })
      await this.#parts.pace.untilAllowed(phase.leaving)
      await this.#registerAgain()
    } catch (error) {
      this.#life.debug('registering again has failed', error)
    }
  }

  async #registerAgain(): Promise<void> {
    const { record } = this.#life
    // A registry that cannot be asked now is told all the same, as soon as it can be.
    const verdict = await this.#life.use((signal) => record.inspect(signal, true)).catch(() => undefined)
    if (verdict?.type === 'taken') {
      this.#parts.rivalry.stepBack(verdict.by)
      return
    }
    await this.#parts.put.untilDone(this.#parts.slowStart.weight, false)
    await this.restored()
  }
}

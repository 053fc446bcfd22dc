import type { HealthStatus } from '../definition/health-status.js'
import type { ProconsulError } from '../../errors/proconsul-error.js'
import type { Beater } from '../heartbeat/heartbeat.js'
import { ttlBeater } from '../heartbeat/ttl-beater.js'
import type { RecordObserver } from '../record/record.js'
import type { LifeContext } from './context.js'

/** Hears of what the upkeep notices. */
export interface UpkeepListener {
  onBeat(status: HealthStatus, durationMs: number): void
  onFailure(error: ProconsulError): void
  /** The record was looked at, or may have changed. */
  readonly onRecord: RecordObserver
}

/** Keeps a registered service: by heartbeats where it has a TTL check, and by having its record looked at. */
export class Upkeep {
  readonly #life: LifeContext
  readonly #listener: UpkeepListener
  #beater: Beater | undefined
  #observed: { readonly stop: () => void; readonly closely: boolean } | undefined

  constructor(life: LifeContext, listener: UpkeepListener) {
    this.#life = life
    this.#listener = listener
  }

  /** Begins, or goes on with a changed definition. The first heartbeat comes within an interval. */
  begin(): void {
    if (!this.#life.phase.isKept || this.#beater !== undefined) return
    this.#beater = ttlBeater(this.#life, this.#life.health, this.#listener)
    if (!this.#life.phase.isTaken) this.#beater?.start()
    this.watch()
  }

  /** Goes on with a changed definition. Resolves when the first heartbeat of the new kind was answered or has failed. */
  async change(): Promise<void> {
    await this.pause()
    this.begin()
    await this.beatNow()
  }

  /** Ends the heartbeats until the next `begin`. Resolves when none is under way. */
  async pause(): Promise<void> {
    const beater = this.#beater
    this.#beater = undefined
    await beater?.stop()
  }

  /** Another has the id. No heartbeats until `resume`, which would vouch for that one; its departure is waited for. */
  hold(): void {
    this.#beater?.hold()
    this.watch()
  }

  resume(): void {
    this.#beater?.start()
  }

  /** Sends a heartbeat now, where there are any. */
  async beatNow(): Promise<void> {
    await this.#beater?.beatNow()
  }

  /**
   * Has the record looked at, as closely as is called for: without heartbeats a loss would be noticed late, and so would the departure of
   * another process that has the id.
   */
  watch(): void {
    const { phase, record } = this.#life
    if (phase.isLeaving) return
    const closely = phase.isTaken || record.definition.ttl === undefined
    if (this.#observed?.closely === closely) return
    this.unwatch()
    this.#observed = { closely, stop: record.observe(this.#listener.onRecord, closely) }
  }

  /** Looks at the record no more; heartbeats go on. */
  unwatch(): void {
    this.#observed?.stop()
    this.#observed = undefined
  }

  /** Ends for good. Resolves when no heartbeat is under way. */
  async stop(): Promise<void> {
    this.unwatch()
    await this.pause()
  }
}

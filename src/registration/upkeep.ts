import type { SettableStatus } from '../api/agent-check.js'
import type { ProconsulError } from '../errors/proconsul-error.js'
import type { ResolvedDefinition } from './definition/resolve-definition.js'
import type { ServiceHealth } from './health/service-health.js'
import type { Beater } from './heartbeat/heartbeat.js'
import { ttlBeater } from './heartbeat/ttl-beater.js'
import type { RegistrationParts } from './registration-parts.js'

/** Hears of what the upkeep notices. */
export interface UpkeepListener {
  onBeat(status: SettableStatus, durationMs: number): void
  onFailure(error: ProconsulError): void
  /** The agent's record has changed, or may have. */
  onRecord(): void
}

/** Keeps a registered service: one with a TTL check by heartbeats, one without by watching its record at the agent. */
export class Upkeep {
  readonly #parts: RegistrationParts
  readonly #health: ServiceHealth
  readonly #listener: UpkeepListener
  #beater: Beater | undefined
  #unwatch: (() => void) | undefined
  #state: 'before' | 'on' | 'over' = 'before'
  #isHeld = false

  constructor(parts: RegistrationParts, health: ServiceHealth, listener: UpkeepListener) {
    this.#parts = parts
    this.#health = health
    this.#listener = listener
  }

  /** Begins. The first heartbeat comes within an interval. */
  start(definition: ResolvedDefinition): void {
    if (this.#state !== 'before') return
    this.#state = 'on'
    this.#begin(definition)
  }

  /** Goes on with a changed definition. Resolves when the first heartbeat of the new kind was answered or has failed. */
  async change(definition: ResolvedDefinition): Promise<void> {
    await this.pause()
    if (this.#state !== 'on') return
    this.#begin(definition)
    await this.beatNow()
  }

  /** Ends the heartbeats or the watch, until the next `change`. Resolves when no heartbeat is under way. */
  async pause(): Promise<void> {
    this.unwatch()
    const beater = this.#beater
    this.#beater = undefined
    await beater?.stop()
  }

  /** No heartbeats until `resume`: they would vouch for another. */
  hold(): void {
    this.#isHeld = true
    this.#beater?.hold()
  }

  resume(): void {
    this.#isHeld = false
    this.#beater?.start()
  }

  /** Sends a heartbeat now, where there are any. */
  async beatNow(): Promise<void> {
    await this.#beater?.beatNow()
  }

  /** Looks at the record no more; heartbeats go on. */
  unwatch(): void {
    this.#unwatch?.()
    this.#unwatch = undefined
  }

  /** Ends for good. Resolves when no heartbeat is under way. */
  async stop(): Promise<void> {
    this.#state = 'over'
    await this.pause()
  }

  #begin(definition: ResolvedDefinition): void {
    this.#beater = ttlBeater(this.#parts, definition, this.#health, this.#listener)
    if (!this.#isHeld) this.#beater?.start()
    if (definition.ttl !== undefined) return
    this.#unwatch = this.#parts.watchRecord(definition.service.id, () => this.#listener.onRecord())
  }
}

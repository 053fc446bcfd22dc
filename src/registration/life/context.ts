import { tell, type TurnOfEvents } from '../../core/channels.js'
import type { LogFields } from '../../core/logger.js'
import type { Runtime } from '../../core/runtime.js'
import { Sequence } from '../../core/sequence.js'
import type { ProconsulError } from '../../errors/proconsul-error.js'
import { worstOf, type HealthStatus } from '../definition/health-status.js'
import type { ResolvedDefinition } from '../definition/resolve-definition.js'
import type { ServiceDefinition } from '../definition/service-definition.js'
import type { BeatThread } from '../heartbeat/thread/beat-thread.js'
import type { ServiceHealth } from '../health/service-health.js'
import type { Boot } from '../identity/boot.js'
import type { RegistryRecord } from '../record/record.js'
import type { Emit } from './events.js'
import { closedError, Phase } from './phase.js'

/** What a life is given. */
export interface LifeParts {
  readonly runtime: Runtime
  readonly record: RegistryRecord
  /** This run of the process. */
  readonly boot: Boot
  /** Sends heartbeats where the event loop may be blocked. */
  readonly thread: BeatThread
  /** The definition with what only the registry's place can tell. Keeps trying until it can; `onFailure` hears of what failed. */
  complete(
    definition: ServiceDefinition,
    signal: AbortSignal,
    onFailure: (error: ProconsulError) => void,
  ): Promise<Completed>
  /** Throws when the service cannot be given these checks. */
  acceptChecks(checks: ResolvedDefinition['service']['checks']): void
  /** The registration has ended for good. */
  onEnd(): void
}

/** A definition as it is written, and as it is decided. */
export interface Completed {
  readonly definition: ServiceDefinition
  readonly resolved: ResolvedDefinition
}

/** What all parts of one registration's life share: its record, its one state, its health, and whom to tell. */
export class LifeContext {
  readonly runtime: Runtime
  readonly record: RegistryRecord
  readonly boot: Boot
  readonly thread: BeatThread
  readonly phase = new Phase()
  readonly health: ServiceHealth
  /** Tells the listeners. */
  emit: Emit = () => undefined
  readonly #turns = new Sequence()

  constructor({ runtime, record, boot, thread }: LifeParts, health: ServiceHealth) {
    this.runtime = runtime
    this.record = record
    this.boot = boot
    this.thread = thread
    this.health = health
  }

  get id(): string {
    return this.record.definition.service.id
  }

  get name(): string {
    return this.record.definition.service.name
  }

  /** The worst of the probes and of what the registry found by checks of its own. */
  get status(): HealthStatus {
    return worstOf([this.health.status, ...this.record.activeStatuses])
  }

  get now(): number {
    return this.runtime.clock.monotonic()
  }

  /** Uses the record when all that was asked for before is over, so that no write overtakes another. Rejects once the service leaves. */
  async use<T>(work: (halted: AbortSignal) => Promise<T>): Promise<T> {
    return await this.#turns.run(() => {
      if (this.phase.isLeaving) throw closedError()
      return work(this.phase.halted)
    })
  }

  /** The same for what takes the service away. */
  async useLast<T>(work: () => Promise<T>): Promise<T> {
    return await this.#turns.run(work)
  }

  /** Tells operators of a turn of events. */
  tell(event: TurnOfEvents, fields: LogFields, message: string): void {
    tell(this.runtime.logger, event, { id: this.id, name: this.name, ...fields }, message)
  }

  debug(message: string, error: unknown): void {
    this.runtime.logger.debug({ id: this.id, err: error }, message)
  }
}

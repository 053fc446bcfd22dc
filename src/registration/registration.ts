import { Emitter } from '../core/emitter.js'
import type { Logger } from '../core/logger.js'
import { checkBoolean } from '../core/option-check.js'
import { invalidOption } from '../errors/invalid-option.js'
import type { ProconsulError } from '../errors/proconsul-error.js'
import type { Closeable } from '../lifecycle/closeable.js'
import { resolveDeregisterOptions } from './definition/resolve-options.js'
import type { DeregisterOptions, ServiceUpdate } from './definition/service-definition.js'
import type { RegistrationHealth } from './health/probe-board.js'
import { REGISTRATION_EVENTS, type RegistrationEvents } from './life/events.js'
import type { Life } from './life/life.js'
import type { RegistrationState } from './life/phase.js'

/** A service of this process, registered and kept so until it is deregistered. */
export class Registration extends Emitter<RegistrationEvents> implements Closeable {
  readonly #life: Life
  #closing: Promise<void> | undefined

  /** Made by `registerService`: the handle of a life. */
  constructor(life: Life, logger: Logger) {
    super(logger, REGISTRATION_EVENTS)
    this.#life = life
    life.tellTo((name, ...args) => this.emit(name, ...args))
  }

  /** The same in Consul. */
  get id(): string {
    return this.#life.id
  }

  get name(): string {
    return this.#life.name
  }

  get state(): RegistrationState {
    return this.#life.state
  }

  /**
   * The worst of the probes and of the checks that the agent carries out, with the probes by name. What the agent found is read a second
   * after the registration and then every five; until then a check has the status that it was registered with, by default critical.
   */
  get health(): RegistrationHealth {
    return this.#life.health
  }

  /** Whether callers should be sent here: it has not begun to leave, and it is not critical. */
  get isReady(): boolean {
    return this.#life.isReady
  }

  /** Why it is not registered yet, where it is not. */
  get lastFailure(): ProconsulError | undefined {
    return this.#life.lastFailure
  }

  /**
   * Changes the record at the agent; the service keeps its health. New probes count after their first run. Updates that are asked for
   * together follow each other.
   * @throws ProconsulError `PROCONSUL_INVALID_OPTION`; `PROCONSUL_CLOSED` once it has begun to leave; `PROCONSUL_CONFLICT` while another
   *   process has the id, or a registration of this client one of the checks; or what the agent answered, and then the service stays as it was
   */
  async update(update: ServiceUpdate): Promise<void> {
    await this.#life.update(update)
  }

  /**
   * Takes the service out of discovery without deregistering it, or back in. It stays out until it is taken back in by a further call,
   * also when the agent loses its state or others end the maintenance there.
   * @throws ProconsulError `PROCONSUL_INVALID_OPTION`; `PROCONSUL_CLOSED` once it has begun to leave; `PROCONSUL_CONFLICT` while another
   *   process has the id; or what the agent answered
   */
  async maintenance(enable: boolean, reason?: string): Promise<void> {
    checkBoolean('enable', enable)
    const given: unknown = reason
    if (given !== undefined && typeof given !== 'string') throw invalidOption('reason', reason, 'a string')
    await this.#life.maintenance(enable, reason)
  }

  /**
   * Leaves discovery, makes sure that the catalog shows it, and waits out the drain. Heartbeats go on until the agent has answered.
   * Idempotent; after a failure it can be called again.
   * @throws ProconsulError `PROCONSUL_INVALID_OPTION`; otherwise when the agent could not be told in time; the service is then left to its check's time
   */
  async deregister(options: DeregisterOptions = {}): Promise<void> {
    await this.#life.deregister(resolveDeregisterOptions(options))
    const { doubt } = this.#life
    if (doubt !== undefined) this.#life.tellLeftBehind(doubt)
  }

  /** Deregisters if need be, and lets go of every timer. Never rejects: what could not be removed is logged. */
  close(): Promise<void> {
    this.#closing ??= this.deregister()
      .catch((error: unknown) => this.#life.tellLeftBehind(error))
      .then(() => this.#life.halt())
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

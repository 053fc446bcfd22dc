import { orAborted } from '../core/abort.js'
import { Emitter } from '../core/emitter.js'
import { checkBoolean } from '../core/option-check.js'
import type { Runtime } from '../core/runtime.js'
import { singleFlight } from '../core/single-flight.js'
import { invalidOption } from '../errors/invalid-option.js'
import { isProconsulError, type ProconsulError } from '../errors/proconsul-error.js'
import type { Closeable } from '../lifecycle/closeable.js'
import type { ResolvedDefinition } from './definition/resolve-definition.js'
import { resolveDeregisterOptions, type ResolvedDeregisterOptions } from './definition/resolve-options.js'
import type { DeregisterOptions, ServiceDefinition, ServiceUpdate } from './definition/service-definition.js'
import { worstOf } from './health/probe.js'
import type { RegistrationHealth } from './health/probe-board.js'
import { ServiceHealth } from './health/service-health.js'
import { mayBeForerunner } from './identity/boot.js'
import { depart } from './record/departure.js'
import { PersistentPut } from './record/persistent-put.js'
import type { RecordKeeper } from './record/record-keeper.js'
import { RepairPace } from './record/repair-pace.js'
import { SlowStart } from './record/slow-start.js'
import { REGISTRATION_EVENTS, type RegistrationEvents } from './registration-events.js'
import type { RegistrationParts } from './registration-parts.js'
import { Recovery } from './recovery.js'
import { Phase, type RegistrationState } from './registration-state.js'
import { CLOSED, Rivalry } from './rivalry.js'
import { ServiceUpdates } from './service-updates.js'
import { Upkeep } from './upkeep.js'

/** A service of this process, registered and kept so until it is deregistered. */
export class Registration extends Emitter<RegistrationEvents> implements Closeable {
  readonly #parts: RegistrationParts
  readonly #record: RecordKeeper
  readonly #put: PersistentPut
  readonly #health: ServiceHealth
  readonly #slowStart: SlowStart
  readonly #pace: RepairPace
  readonly #upkeep: Upkeep
  readonly #rivalry: Rivalry
  readonly #updates: ServiceUpdates
  readonly #phase = new Phase()
  /** Aborted when the service is to leave: nothing registers it any more. */
  readonly #leaving = new AbortController()
  /** Aborted when nothing may be sent any more. */
  readonly #halted = new AbortController()
  readonly #recovery = new Recovery({
    isDue: () => this.#phase.isForgotten && !this.#leaving.signal.aborted,
    attempt: () => this.#registerAgain(),
    onFailure: (error) => this.#debug('registering again has failed', error),
  })
  readonly #audit = singleFlight(() => this.#inspect())
  #toldHealth: RegistrationHealth
  #doubt: ProconsulError | undefined
  #departure: Promise<void> | undefined
  #closing: Promise<void> | undefined

  /** Made by `registerService`. `definition` is what `parts.record` holds, before it was resolved. */
  constructor(definition: ServiceDefinition, parts: RegistrationParts) {
    super(parts.runtime.logger, REGISTRATION_EVENTS)
    this.#parts = parts
    this.#record = parts.record
    this.#health = new ServiceHealth(parts.record.definition, parts.runtime, (health, previous) =>
      this.#onProbes(health, previous),
    )
    this.#toldHealth = this.health
    this.#put = new PersistentPut({
      record: parts.record,
      runtime: parts.runtime,
      leaving: this.#leaving.signal,
      halted: this.#halted.signal,
      status: () => this.#health.status,
      onFailure: (error) => this.emit('registerFailed', error),
    })
    this.#slowStart = new SlowStart(parts.runtime, async (weight) => {
      this.#record.weight = weight
      await this.refresh()
    })
    this.#pace = new RepairPace(parts.runtime.clock)
    this.#upkeep = new Upkeep(parts, this.#health, {
      onBeat: (status, durationMs) => this.emit('heartbeat', { status, durationMs }),
      onFailure: (error) => {
        this.emit('heartbeatFailed', error)
        if (error.code === 'PROCONSUL_NOT_FOUND') this.#lose(error.message)
      },
      onRecord: () => void this.audit(),
    })
    this.#rivalry = new Rivalry({
      record: parts.record,
      phase: this.#phase,
      upkeep: this.#upkeep,
      runtime: parts.runtime,
      halted: this.#halted.signal,
      onConflict: (details) => this.emit('conflict', details),
      onLost: (details) => this.emit('lost', details),
    })
    this.#updates = new ServiceUpdates(definition, {
      record: parts.record,
      health: this.#health,
      slowStart: this.#slowStart,
      upkeep: this.#upkeep,
      acceptChecks: (checks) => parts.acceptChecks(checks),
      leaving: this.#leaving.signal,
      halted: this.#halted.signal,
      status: () => this.health.status,
      rivalry: this.#rivalry,
      onUpdated: () => this.noteChecks(),
    })
  }

  /** The same in Consul. */
  get id(): string {
    return this.#resolved.service.id
  }

  get name(): string {
    return this.#resolved.service.name
  }

  get state(): RegistrationState {
    return this.#phase.type
  }

  /**
   * The worst of the probes and of the checks that the agent carries out, with the probes by name. What the agent found is read a second
   * after the registration and then every five; until then a check has the status that it was registered with, by default critical.
   */
  get health(): RegistrationHealth {
    const { status, probes } = this.#health.current
    return Object.freeze({ status: worstOf([status, ...this.#record.activeStatuses]), probes })
  }

  /** Whether callers should be sent here: it has not begun to leave, and it is not critical. */
  get isReady(): boolean {
    return !this.#phase.isLeaving && this.#health.status !== 'critical'
  }

  /** Why it is not registered yet, where it is not. */
  get lastFailure(): ProconsulError | undefined {
    return this.#put.lastFailure
  }

  /**
   * Names of the probes without which it is not registered: they have no result yet.
   * @internal
   */
  get pendingProbes(): readonly string[] {
    return this.#health.pending
  }

  /**
   * Why the catalog may list it still, though the agent has deregistered it.
   * @internal
   */
  get doubt(): ProconsulError | undefined {
    return this.#doubt
  }

  /**
   * Begins to register. Resolves when the agent has the service and its health; rejects when it has ended before, and with
   * `giveUp` at the first refusal that would only be repeated.
   * @internal
   */
  async start({ giveUp }: { readonly giveUp: boolean }): Promise<void> {
    // Registered with the true status from the first moment, or not yet.
    await orAborted(this.#leaving.signal, this.#health.start())
    const other = await this.#record.holder(this.#halted.signal).catch((error: unknown) => {
      if (isProconsulError(error)) this.#put.lastFailure = error
      return undefined
    })
    if (other !== undefined && !mayBeForerunner(other, this.#parts.boot)) this.#rivalry.tell(other, true)
    if (this.#resolved.slowStartMs > 0) this.#record.weight = 1
    await this.#put.untilDone(giveUp)
    this.#phase.enter({ type: 'registered' })
    this.emit('registered')
    this.#beginToKeep()
    await this.#upkeep.beatNow()
    await this.#record.sweep(this.#halted.signal)
  }

  /**
   * Changes the record at the agent; what the service has of health stays. New probes count after their first run. Updates that are asked
   * for together follow each other.
   * @throws ProconsulError `PROCONSUL_INVALID_OPTION`; `PROCONSUL_CLOSED` once it has begun to leave; `PROCONSUL_CONFLICT` while another
   *   process has the id, or a registration of this client one of the checks; or what the agent answered, and then the service stays as it was
   */
  async update(update: ServiceUpdate): Promise<void> {
    await this.#updates.apply(update)
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
    await this.#rivalry.refuseTaken()
    await this.#record.maintenance(enable, reason, this.#halted.signal)
  }

  /**
   * Leaves discovery, makes sure that the catalog shows it, and waits out the drain. Heartbeats go on until the agent has answered.
   * Idempotent; after a failure it can be called again.
   * @throws ProconsulError `PROCONSUL_INVALID_OPTION`; otherwise when the agent could not be told in time; the service is then left to its check's time
   */
  async deregister(options: DeregisterOptions = {}): Promise<void> {
    const resolved = resolveDeregisterOptions(options)
    this.#departure ??= this.#depart(resolved).catch((error: unknown) => {
      this.#departure = undefined
      throw error
    })
    await this.#departure
  }

  /** Deregisters if need be, and lets go of every timer. Never rejects: what could not be removed is logged. */
  close(): Promise<void> {
    this.#closing ??= this.deregister()
      .catch((error: unknown) => {
        this.#runtime.logger.warn({ id: this.id, err: error }, 'a registration was left behind')
      })
      .then(() => this.halt())
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /**
   * Ends everything at once, without a word to the agent.
   * @internal
   */
  async halt(): Promise<void> {
    this.#leaving.abort(CLOSED())
    this.#halted.abort(CLOSED())
    this.#stopKeeping()
    await this.#upkeep.stop()
    this.#parts.onEnd()
  }

  /**
   * Looks at what the agent has and repairs it where that is called for. Never rejects.
   * @internal
   */
  async audit(): Promise<void> {
    if (this.#phase.type === 'registered' || this.#phase.isTaken) await this.#audit()
  }

  /**
   * Tells of the status where the checks that the agent carries out have changed it.
   * @internal
   */
  noteChecks(): void {
    if (this.health.status !== this.#toldHealth.status) this.#tellHealth()
  }

  /**
   * Writes the record again, as after a change of the token.
   * @internal
   */
  async refresh(): Promise<void> {
    if (this.#phase.type === 'registered') await this.#rewrite()
  }

  /** From here on losses are noticed. */
  #beginToKeep(): void {
    if (this.#leaving.signal.aborted) return
    const { slowStartMs } = this.#resolved
    this.#parts.onKeep()
    this.#upkeep.start(this.#resolved)
    if (slowStartMs > 0) this.#slowStart.start(slowStartMs, () => this.#resolved.service.weights?.passing ?? 1)
  }

  #onProbes(health: RegistrationHealth, previous: RegistrationHealth): void {
    this.#tellHealth()
    if (health.status !== previous.status) void this.#upkeep.beatNow()
  }

  #tellHealth(): void {
    const previous = this.#toldHealth
    this.#toldHealth = this.health
    this.emit('health', this.#toldHealth, previous)
  }

  #lose(message: string): void {
    if (this.#phase.type !== 'registered' && this.#phase.type !== 'lost') return
    const since = this.#phase.lostSince(this.#runtime.clock.monotonic())
    const isNews = this.#phase.type === 'registered'
    this.#phase.enter({ type: 'lost', reason: 'forgotten', since })
    if (isNews) this.emit('lost', { reason: 'forgotten', message })
    this.#recovery.begin()
  }

  async #registerAgain(): Promise<void> {
    await this.#pace.untilAllowed(this.#leaving.signal)
    // An agent that cannot be asked now is told all the same, as soon as it can be.
    const other = await this.#record.holder(this.#halted.signal).catch(() => undefined)
    if (other !== undefined) {
      this.#rivalry.stepBack(other)
      return
    }
    await this.#put.untilDone(false)
    await this.#restored()
  }

  async #restored(): Promise<void> {
    const lost = this.#phase.current
    const since = this.#phase.lostSince(this.#runtime.clock.monotonic())
    this.#upkeep.resume()
    // The agent may have kept an old status: what it has now is the truth.
    await this.#upkeep.beatNow()
    // Lost once more meanwhile, or leaving.
    if (this.#phase.current !== lost) return
    this.#phase.enter({ type: 'registered' })
    this.emit('restored', { lostForMs: this.#runtime.clock.monotonic() - since })
  }

  async #inspect(): Promise<void> {
    try {
      const verdict = await this.#record.inspect(this.#halted.signal)
      if (this.#leaving.signal.aborted) return
      this.noteChecks()
      if (verdict.type === 'taken') this.#rivalry.stepBack(verdict.by)
      else if (verdict.type === 'gone') this.#lose('the agent does not know the service')
      else if (this.#phase.isTaken) await this.#restored()
      else if (verdict.type === 'drifted' && this.#phase.type === 'registered') await this.#repair(verdict.fields)
    } catch (error) {
      this.#debug('the record could not be inspected', error)
    }
  }

  async #repair(fields: readonly string[]): Promise<void> {
    await this.#pace.untilAllowed(this.#leaving.signal)
    if ((await this.#rewrite()) && fields.length > 0) this.emit('repaired', { fields })
  }

  /** Writes the record again, and says whether that went well. Where not, the next comparison finds it still to be done. */
  async #rewrite(): Promise<boolean> {
    try {
      await this.#rivalry.refuseTaken()
      await this.#record.put(this.#health.status, this.#halted.signal)
      await this.#upkeep.beatNow()
      return true
    } catch (error) {
      this.#debug('the record could not be written again', error)
      const isWanted = this.#phase.type === 'registered' && !this.#leaving.signal.aborted
      if (isWanted && isProconsulError(error)) this.emit('registerFailed', error)
      return false
    }
  }

  async #depart(options: ResolvedDeregisterOptions): Promise<void> {
    const record = this.#phase.isTaken ? undefined : this.#record
    this.#phase.enter({ type: 'draining' })
    this.#leaving.abort(CLOSED())
    this.#stopKeeping()
    await depart(record, {
      ...options,
      id: this.id,
      clock: this.#runtime.clock,
      halted: this.#halted.signal,
      onRemoved: () => this.#upkeep.stop(),
      onDoubt: (error) => this.#tellDoubt(error),
    })
    this.#phase.enter({ type: 'deregistered' })
    this.#halted.abort(CLOSED())
    this.#parts.onEnd()
    this.emit('deregistered')
  }

  #tellDoubt(error: unknown): void {
    if (isProconsulError(error)) this.#doubt = error
    this.#runtime.logger.warn({ id: this.id, err: error }, 'the catalog may list a service still that was deregistered')
  }

  #stopKeeping(): void {
    this.#upkeep.unwatch()
    this.#slowStart.stop()
    this.#health.stop()
  }

  #debug(message: string, error: unknown): void {
    this.#runtime.logger.debug({ id: this.id, err: error }, message)
  }

  get #runtime(): Runtime {
    return this.#parts.runtime
  }

  get #resolved(): ResolvedDefinition {
    return this.#record.definition
  }
}

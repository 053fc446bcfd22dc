import { orAborted, throwIfAborted } from '../../core/abort.js'
import { outOfContext } from '../../core/async-context.js'
import { isProconsulError, type ProconsulError } from '../../errors/proconsul-error.js'
import type { ResolvedDefinition } from '../definition/resolve-definition.js'
import type { ResolvedDeregisterOptions } from '../definition/resolve-options.js'
import type { ServiceDefinition, ServiceUpdate } from '../definition/service-definition.js'
import type { RegistrationHealth } from '../health/probe-board.js'
import { ServiceHealth } from '../health/service-health.js'
import { mayBeForerunner } from '../identity/boot.js'
import { Audit } from './audit.js'
import { BeatNews } from './beat-news.js'
import { LifeContext, type LifeParts } from './context.js'
import type { Emit } from './events.js'
import { HealthNews } from './health-news.js'
import { Leaving } from './leaving.js'
import { PersistentPut } from './put.js'
import type { RegistrationState } from './phase.js'
import { Recovery } from './recovery.js'
import { RepairPace } from './repair-pace.js'
import { Rivalry } from './rivalry.js'
import { SlowStart } from './slow-start.js'
import { Updates } from './updates.js'
import { Upkeep } from './upkeep.js'

/** The life of one registration, from the first try to the end. Whatever it starts runs in no async context. */
export class Life {
  readonly #context: LifeContext
  readonly #parts: LifeParts
  readonly #news: HealthNews
  readonly #put: PersistentPut
  readonly #slowStart: SlowStart
  readonly #upkeep: Upkeep
  readonly #rivalry: Rivalry
  readonly #recovery: Recovery
  readonly #audit: Audit
  readonly #updates: Updates
  readonly #leaving: Leaving

  /** `definition` is what `parts.record` holds, before it was resolved. */
  constructor(definition: ServiceDefinition, parts: LifeParts) {
    const { runtime, record } = parts
    const health = new ServiceHealth(record.definition, runtime, (now, before) => {
      this.#news.tell()
      if (now.status !== before.status) void this.#upkeep.beatNow()
    })
    const context = new LifeContext(parts, health)
    this.#context = context
    this.#parts = parts
    this.#news = new HealthNews(context)
    this.#put = new PersistentPut(context)
    this.#slowStart = new SlowStart(runtime, () => this.refresh())
    this.#upkeep = this.#makeUpkeep(context)
    this.#rivalry = new Rivalry(context, this.#upkeep)
    const shared = {
      put: this.#put,
      pace: new RepairPace(runtime.clock),
      rivalry: this.#rivalry,
      slowStart: this.#slowStart,
      upkeep: this.#upkeep,
      acceptChecks: (checks: ResolvedDefinition['service']['checks']) => parts.acceptChecks(checks),
    }
    this.#recovery = new Recovery(context, shared)
    this.#audit = new Audit(context, { ...shared, recovery: this.#recovery })
    this.#updates = new Updates(context, definition, { ...shared, onUpdated: () => this.#news.note() })
    this.#leaving = new Leaving(context, this.#upkeep, () => this.#end())
  }

  get id(): string {
    return this.#context.id
  }

  get name(): string {
    return this.#context.name
  }

  get state(): RegistrationState {
    return this.#context.phase.type
  }

  get health(): RegistrationHealth {
    return this.#news.current
  }

  /** Whether callers should be sent here. */
  get isReady(): boolean {
    return !this.#context.phase.isLeaving && this.#context.health.status !== 'critical'
  }

  /** Why it is not registered yet, where it is not. */
  get lastFailure(): ProconsulError | undefined {
    return this.#put.lastFailure
  }

  /** What the registration waits for, for people. */
  get waitsFor(): string {
    const pending = this.#context.health.pending.join(', ')
    if (this.lastFailure !== undefined) return this.lastFailure.message
    if (this.#context.phase.isForgotten) return 'the registry had it and does not know it any more'
    return pending === '' ? 'no answer' : `no result yet from its probes: ${pending}`
  }

  /** Why the registry may have it still, though it was told to remove it. */
  get doubt(): ProconsulError | undefined {
    return this.#leaving.doubt
  }

  /** Whether the registry may have it. */
  get mayBeThere(): boolean {
    return this.#context.record.mayBeThere
  }

  /** Has the events told to whoever holds the registration. */
  tellTo(emit: Emit): void {
    this.#context.emit = emit
  }

  /**
   * Begins to register. Resolves when the registry has the service and its health; rejects when it has ended before, and with `giveUp` at
   * the first refusal that would only be repeated.
   */
  async start({ giveUp }: { readonly giveUp: boolean }): Promise<void> {
    await outOfContext(() => this.#start(giveUp))
  }

  async update(update: ServiceUpdate): Promise<void> {
    await outOfContext(() => this.#updates.apply(update))
  }

  async maintenance(enable: boolean, reason: string | undefined): Promise<void> {
    await outOfContext(async () => {
      await this.#rivalry.refuseTaken()
      await this.#context.use((signal) => this.#context.record.maintenance(enable, reason, signal))
    })
  }

  /** Leaves. Idempotent; after a failure it can be called again. */
  async deregister(options: ResolvedDeregisterOptions): Promise<void> {
    this.#slowStart.stop()
    await outOfContext(() => this.#leaving.leave(options))
  }

  /** Writes the record again, as after a change of the token. */
  async refresh(): Promise<void> {
    if (this.state === 'registered') await outOfContext(() => this.#audit.rewrite())
  }

  /** Tells operators that the registry may have the service still. */
  tellLeftBehind(error: unknown): void {
    this.#context.tell('left-behind', { err: error }, 'the service has ended, but is or may be registered still')
  }

  /** Ends everything at once, without a word to the registry. */
  async halt(): Promise<void> {
    this.#context.phase.halt()
    this.#context.health.stop()
    this.#end()
    await this.#upkeep.stop()
  }

  async #start(giveUp: boolean): Promise<void> {
    const { phase, health, record, boot } = this.#context
    // Registered with the true status from the first moment, or not yet.
    await orAborted(phase.leaving, Promise.all([this.#complete(), health.start()]))
    const other = await record.holder(phase.halted).catch((error: unknown) => {
      if (isProconsulError(error)) this.#put.remember(error)
      return undefined
    })
    if (other !== undefined && !mayBeForerunner(other, boot)) this.#rivalry.tell(other, true)
    const { slowStartMs } = record.definition
    if (slowStartMs > 0) this.#slowStart.prepare()
    await this.#put.untilDone(this.#slowStart.weight, giveUp)
    throwIfAborted(phase.leaving)
    phase.enter({ type: 'registered' })
    this.#context.emit('registered')
    this.#context.tell('registered', { status: this.#context.status }, 'the service is registered')
    this.#news.begin()
    this.#upkeep.begin()
    if (slowStartMs > 0) this.#slowStart.start(slowStartMs, () => record.definition.service.weights?.passing ?? 1)
    await this.#upkeep.beatNow()
    await this.#untilKept(giveUp)
    await record.sweep(phase.halted)
  }

  /** Adds to the definition what can be told only now. */
  async #complete(): Promise<void> {
    const { phase, record } = this.#context
    const onFailure = (error: ProconsulError): void => this.#put.note(error, false)
    const { definition, resolved } = await this.#parts.complete(this.#updates.definition, phase.leaving, onFailure)
    this.#updates.definition = definition
    record.revise(resolved)
  }

  /** The first heartbeat may have found that the service is unknown: then it is not registered before it is there again. */
  async #untilKept(giveUp: boolean): Promise<void> {
    const { phase, record } = this.#context
    for (;;) {
      if (giveUp && record.split !== undefined) throw record.split
      if (!phase.isForgotten || phase.isLeaving) return
      await orAborted(phase.leaving, this.#recovery.attempted())
    }
  }

  #makeUpkeep(context: LifeContext): Upkeep {
    const beats = new BeatNews(context)
    return new Upkeep(context, {
      onBeat: (status, durationMs) => {
        beats.succeeded()
        context.emit('heartbeat', { status, durationMs })
      },
      onFailure: (error) => {
        context.emit('heartbeatFailed', error)
        if (error.code === 'PROCONSUL_NOT_FOUND') this.#recovery.lose(error.message)
        else beats.failed(error)
      },
      onRecord: (seen) => {
        this.#news.note()
        // What was read may be older than a write that was under way: the audit decides.
        if (seen?.type !== 'right' || this.state === 'lost') void this.#audit.run()
      },
    })
  }

  #end(): void {
    this.#upkeep.unwatch()
    this.#slowStart.stop()
    this.#parts.onEnd()
  }
}

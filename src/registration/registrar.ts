import { AgentApi } from '../api/agent.js'
import { AgentCheckApi } from '../api/agent-check.js'
import { AgentServiceApi } from '../api/agent-service.js'
import { HealthApi } from '../api/health.js'
import { AbortLink, orAborted, throwIfAborted, withDeadline } from '../core/abort.js'
import { formatDuration } from '../core/duration.js'
import { checkString } from '../core/option-check.js'
import type { Runtime } from '../core/runtime.js'
import { ProconsulError, isProconsulError } from '../errors/proconsul-error.js'
import type { PlainTarget } from '../http/plain-target.js'
import type { HttpClient } from '../http/request.js'
import type { Closeable } from '../lifecycle/closeable.js'
import type { LeaveOutcome, LeftBehind } from '../lifecycle/shutdown.js'
import type { WatchEngine } from '../watch/watch-engine.js'
import { CheckIds } from './check-ids.js'
import { isDnsName } from './definition/limits.js'
import { refuseForeignFields, refuseLoopbackChecks } from './definition/agent-fit.js'
import { resolveDefinition, type ResolvedDefinition } from './definition/resolve-definition.js'
import { resolveDeregisterOptions, resolveRegisterOptions } from './definition/resolve-options.js'
import type { DeregisterOptions, RegisterOptions, ServiceDefinition } from './definition/service-definition.js'
import { formatBoot, ownBoot } from './identity/boot.js'
import { liveRuns } from './identity/live-runs.js'
import { isLocalAgent, ownAddress, type AgentEndpoint } from './identity/own-address.js'
import { BeatThread } from './heartbeat/beat-thread.js'
import { Heartbeat } from './heartbeat/heartbeat.js'
import { WorkerHeartbeat } from './heartbeat/worker-heartbeat.js'
import { RecordKeeper, type RecordParts } from './record/record-keeper.js'
import { RecordWatch } from './record/record-watch.js'
import { RegistrationGuard, type Guarded } from './registration-guard.js'
import { Registration } from './registration.js'

/** What the registrations of a client work with. */
export interface RegistrarParts {
  readonly runtime: Runtime
  readonly http: HttpClient
  readonly engine: WatchEngine
  readonly endpoint: AgentEndpoint
  readonly environment: NodeJS.ProcessEnv
  /** Where the agent is and with which token, for the heartbeat thread. */
  target(): Promise<PlainTarget>
  /** Calls the listener after the token has changed; returns what stops that. */
  onTokenChange(listener: () => void): () => void
}

/** When a registration is given up, its remnant is removed within this time. */
const GIVE_UP_MS = 2_000

/** All services that this process has registered through one client. */
export class Registrar implements Closeable {
  readonly #parts: RegistrarParts
  readonly #agent: AgentApi
  readonly #record: RecordParts
  readonly #watch: RecordWatch
  readonly #guard: RegistrationGuard
  readonly #thread: BeatThread
  readonly #registrations = new Map<string, Registration>()
  readonly #checkIds = new CheckIds()
  readonly #stopFollowing: () => void
  #tokenChanges = 0
  #closing: Promise<void> | undefined

  constructor(parts: RegistrarParts) {
    const { runtime, http } = parts
    const services = new AgentServiceApi(http)
    this.#parts = parts
    this.#agent = new AgentApi(http)
    this.#record = {
      runtime,
      services,
      checks: new AgentCheckApi(http),
      health: new HealthApi(http),
      boot: ownBoot(),
      tokenChanges: () => this.#tokenChanges,
    }
    this.#watch = new RecordWatch(parts.engine, services)
    this.#guard = new RegistrationGuard(this.#record)
    this.#thread = new BeatThread(runtime, () => parts.target())
    // The agent goes on syncing a service with the token of its registration (hashicorp/consul#3345).
    this.#stopFollowing = parts.onTokenChange(() => {
      this.#tokenChanges += 1
      this.#thread
        .renewTarget()
        .catch((error: unknown) => runtime.logger.warn({ err: error }, 'no token for the heartbeats'))
      for (const registration of this.#registrations.values()) void registration.refresh()
    })
  }

  /** The registrations that have not ended. */
  get registrations(): readonly Registration[] {
    return [...this.#registrations.values()]
  }

  /**
   * Registers a service and keeps it so. Resolves when the agent has it and its health, or at once with `background`; then the signal
   * goes on being heard until it is registered, and a registration that it ends goes to `deregistered`.
   * @throws ProconsulError `PROCONSUL_INVALID_OPTION`; `PROCONSUL_TIMEOUT` when the agent could not be told in time, naming the last
   *   failure, which is the cause, or the probes that have no result yet; `PROCONSUL_PERMISSION_DENIED` and `PROCONSUL_REJECTED` at once; `PROCONSUL_CONFLICT` when this client has
   *   registered the id already, or has a check with the id of one of these; `PROCONSUL_ABORTED`; `PROCONSUL_CLOSED`
   */
  async registerService(definition: ServiceDefinition, options: RegisterOptions = {}): Promise<Registration> {
    const { timeoutMs, background, signal } = resolveRegisterOptions(options)
    const { boot, runtime } = this.#record
    const place = { hostname: boot.hostname, boot: formatBoot(boot) }
    // What is wrong with the definition is said before anything is looked up.
    resolveDefinition(definition, place)
    const address = definition.address ?? (await ownAddress(this.#parts.endpoint, this.#parts.environment))
    const complete = { ...definition, ...(address !== undefined && { address }) }
    const resolved = resolveDefinition(complete, place)
    refuseLoopbackChecks(resolved.service.checks, isLocalAgent(this.#parts.endpoint))
    if (!isDnsName(resolved.service.name)) {
      runtime.logger.warn({ name: resolved.service.name }, 'a service of this name cannot be found through DNS')
    }
    throwIfAborted(signal)
    const registration = this.#add(complete, resolved)
    if (background) void this.#inBackground(registration, resolved, signal)
    else await this.#inTime(registration, resolved, timeoutMs, signal)
    return registration
  }

  /**
   * Deregisters a service of this agent by its id: one of this client's as its own `deregister` does, any other at once.
   * One that the agent does not know is fine.
   */
  async deregisterService(id: string, options: DeregisterOptions = {}): Promise<void> {
    const registration = this.#registrations.get(checkString('id', id))
    const { timeoutMs, signal } = resolveDeregisterOptions(options)
    if (registration !== undefined) await registration.deregister(options)
    else await this.#record.services.deregister(id, { timeout: timeoutMs, signal })
  }

  /** Takes every registration out of discovery, in parallel. Never rejects: what stayed is in the outcome. */
  async leave(signal: AbortSignal): Promise<LeaveOutcome> {
    const all = this.registrations
    const results = await Promise.all(
      all.map(async (registration): Promise<LeftBehind | undefined> => {
        try {
          // One that leaves already may be waiting out a drain of its own.
          await orAborted(signal, registration.deregister({ signal, timeout: LEAVE_MS }))
          const { id, doubt } = registration
          return doubt && { id, error: doubt }
        } catch (error) {
          return { id: registration.id, error: typed(error) }
        }
      }),
    )
    return { registrations: all.length, leftBehind: results.filter((entry) => entry !== undefined) }
  }

  /** Ends all registrations without a word to the agent. Call `leave` before. */
  close(): Promise<void> {
    this.#closing ??= this.#end()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #end(): Promise<void> {
    this.#stopFollowing()
    this.#guard.close()
    await Promise.all(this.registrations.map((registration) => registration.halt()))
    liveRuns().delete(this.#record.boot.runId)
  }

  #add(definition: ServiceDefinition, resolved: ResolvedDefinition): Registration {
    const { id } = resolved.service
    if (this.#closing !== undefined) throw new ProconsulError('PROCONSUL_CLOSED', 'the client is closed')
    if (this.#registrations.has(id)) {
      throw new ProconsulError('PROCONSUL_CONFLICT', `this client has registered a service with the id ${id} already`)
    }
    const record = new RecordKeeper(resolved, this.#record)
    this.#checkIds.take(record, resolved.service.checks)
    const registration = new Registration(
      { ...definition, id },
      {
        ...this.#record,
        record,
        acceptChecks: (checks) => {
          refuseLoopbackChecks(checks, isLocalAgent(this.#parts.endpoint))
          this.#checkIds.take(record, checks)
        },
        makeBeater: (parts) =>
          parts.heartbeat.thread === 'worker' ? new WorkerHeartbeat(parts, this.#thread) : new Heartbeat(parts),
        watchRecord: (watched, onChange) => this.#watch.watch(watched, onChange, () => this.#guard.hurry()),
        onKeep: () => this.#guard.add(guarded),
        onEnd: () => {
          this.#guard.remove(guarded)
          this.#checkIds.release(record)
          if (this.#registrations.get(id) === registration) this.#registrations.delete(id)
        },
      },
    )
    const guarded: Guarded = { registration, record }
    this.#registrations.set(id, registration)
    liveRuns().add(this.#record.boot.runId)
    return registration
  }

  async #run(registration: Registration, resolved: ResolvedDefinition, giveUp: boolean): Promise<void> {
    await refuseForeignFields(resolved.service, this.#agent)
    await registration.start({ giveUp })
  }

  async #inTime(
    registration: Registration,
    resolved: ResolvedDefinition,
    timeoutMs: number,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { clock } = this.#record.runtime
    const onTimeout = (): ProconsulError => {
      const cause = registration.lastFailure
      const pending = registration.pendingProbes.join(', ')
      const reason = cause?.message ?? (pending === '' ? 'no answer' : `no result yet from its probes: ${pending}`)
      const message = `${registration.id} could not be registered within ${formatDuration(timeoutMs)}; ${reason}`
      return new ProconsulError('PROCONSUL_TIMEOUT', message, { cause })
    }
    try {
      await withDeadline({ clock, timeoutMs, signal, onTimeout }, () => this.#run(registration, resolved, true))
    } catch (error) {
      await this.#undo(registration)
      throw typed(error)
    }
  }

  /** Goes on until it is registered, or until the signal is aborted. Never rejects. */
  async #inBackground(
    registration: Registration,
    resolved: ResolvedDefinition,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const link = new AbortLink(signal)
    try {
      await orAborted(link.signal, this.#run(registration, resolved, false))
    } catch (error) {
      // Then whoever ended it sees to the rest.
      if (isProconsulError(error, 'PROCONSUL_CLOSED')) return
      this.#record.runtime.logger.warn(
        { id: registration.id, err: error },
        'a registration in the background was given up',
      )
      await this.#undo(registration)
    } finally {
      link.unlink()
    }
  }

  async #undo(registration: Registration): Promise<void> {
    // The agent may have it all the same, when only the answer was lost.
    await registration.deregister({ timeout: GIVE_UP_MS }).catch(() => undefined)
    await registration.halt()
  }
}

/** The signal of the shutdown bounds the leave. */
const LEAVE_MS = 2_147_483_647

function typed(error: unknown): ProconsulError {
  return isProconsulError(error)
    ? error
    : new ProconsulError('PROCONSUL_UNAVAILABLE', 'the registration failed', { cause: error })
}

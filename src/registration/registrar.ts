import { AbortLink, orAborted, throwIfAborted, withDeadline } from '../core/abort.js'
import { outOfContext } from '../core/async-context.js'
import { formatDuration } from '../core/duration.js'
import { checkString } from '../core/option-check.js'
import type { Runtime } from '../core/runtime.js'
import { ProconsulError, isProconsulError } from '../errors/proconsul-error.js'
import type { PlainTarget } from '../http/plain-target.js'
import type { Closeable } from '../lifecycle/closeable.js'
import type { LeaveOutcome, LeftBehind } from '../lifecycle/shutdown.js'
import { CheckIds } from './check-ids.js'
import { isDnsName } from './definition/limits.js'
import { resolveDefinition, type ResolvedDefinition } from './definition/resolve-definition.js'
import {
  resolveDeregisterOptions,
  resolveRegisterOptions,
  type ResolvedRegisterOptions,
} from './definition/resolve-options.js'
import type { DeregisterOptions, RegisterOptions, ServiceDefinition } from './definition/service-definition.js'
import { BeatThread } from './heartbeat/thread/beat-thread.js'
import { formatBoot, ownBoot } from './identity/boot.js'
import { liveRuns } from './identity/live-runs.js'
import type { Completed } from './life/context.js'
import { Life } from './life/life.js'
import type { Registry } from './record/registry.js'
import { Registration } from './registration.js'

/** What the registrations of a client work with. */
export interface RegistrarParts {
  readonly runtime: Runtime
  readonly registry: Registry
  /** Where the registry is and under which credentials, for the heartbeat thread. */
  target(): Promise<PlainTarget>
}

/** When a registration is given up, its remnant is removed within this time. */
const GIVE_UP_MS = 2_000

/** The signal of the shutdown bounds the leave. */
const LEAVE_MS = 2_147_483_647

/** All services that this process has registered through one client. */
export class Registrar implements Closeable {
  readonly #runtime: Runtime
  readonly #registry: Registry
  readonly #boot = ownBoot()
  readonly #place = { hostname: this.#boot.hostname, boot: formatBoot(this.#boot) }
  readonly #thread: BeatThread
  readonly #lives = new Map<string, { readonly life: Life; readonly registration: Registration }>()
  /** Registrations that were given up and could not be taken back, by id. */
  readonly #givenUp = new Map<string, Life>()
  readonly #checkIds = new CheckIds()
  readonly #stopFollowing: () => void
  #closing: Promise<void> | undefined

  constructor(parts: RegistrarParts) {
    const { runtime, registry } = parts
    this.#runtime = runtime
    this.#registry = registry
    this.#thread = new BeatThread(runtime, () => parts.target())
    this.#stopFollowing = registry.onCredentials(() => this.#renew())
  }

  /** The registrations that have not ended. */
  get registrations(): readonly Registration[] {
    return [...this.#lives.values()].map(({ registration }) => registration)
  }

  /**
   * Registers a service and keeps it so. Resolves when the agent has it and its health, or at once with `background`; then the signal
   * goes on being heard until it is registered, and a registration that it ends goes to `deregistered`.
   * @throws ProconsulError `PROCONSUL_INVALID_OPTION`; `PROCONSUL_TIMEOUT` when the agent could not be told in time, naming the last
   *   failure, which is the cause, or the probes that have no result yet; `PROCONSUL_PERMISSION_DENIED` and `PROCONSUL_REJECTED` at once;
   *   `PROCONSUL_CONFLICT` when this client has registered the id already, or has a check with the id of one of these, or when several
   *   agents answer at its address; `PROCONSUL_ABORTED`; `PROCONSUL_CLOSED`
   */
  async registerService(definition: ServiceDefinition, options: RegisterOptions = {}): Promise<Registration> {
    const resolvedOptions = resolveRegisterOptions(options)
    const { background, signal, onRegisterFailed } = resolvedOptions
    // What is wrong with the definition is said before anything is looked up.
    const resolved = resolveDefinition(definition, this.#place)
    this.#registry.acceptChecks(resolved.service.checks)
    throwIfAborted(signal)
    if (!isDnsName(resolved.service.name)) {
      this.#runtime.logger.warn({ name: resolved.service.name }, 'a service of this name cannot be found through DNS')
    }
    const { life, registration } = this.#add(definition, resolved)
    if (onRegisterFailed !== undefined) registration.on('registerFailed', onRegisterFailed)
    const stopTelling = (): void => {
      if (onRegisterFailed !== undefined) registration.off('registerFailed', onRegisterFailed)
    }
    if (background) void outOfContext(() => this.#inBackground(life, signal)).finally(stopTelling)
    else await this.#inTime(life, resolvedOptions).finally(stopTelling)
    return registration
  }

  /**
   * Deregisters a service of this agent by its id: one of this client's as its own `deregister` does, any other at once.
   * One that the agent does not know is fine.
   */
  async deregisterService(id: string, options: DeregisterOptions = {}): Promise<void> {
    const known = this.#lives.get(checkString('id', id))
    const { timeoutMs, signal } = resolveDeregisterOptions(options)
    if (known !== undefined) await known.registration.deregister(options)
    else await this.#registry.remove(id, { timeout: timeoutMs, signal })
  }

  /** Takes every registration out of discovery, in parallel. Never rejects: what stayed is in the outcome. */
  async leave(signal: AbortSignal): Promise<LeaveOutcome> {
    const all = [...[...this.#lives.values()].map(({ life }) => life), ...this.#givenUp.values()]
    const results = await Promise.all(all.map((life) => leaveOne(life, signal)))
    const registrations = all.filter(({ mayBeThere }) => mayBeThere).length
    return { registrations, leftBehind: results.filter((entry) => entry !== undefined) }
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
    this.#registry.close()
    await Promise.all([...this.#lives.values()].map(({ life }) => life.halt()))
    liveRuns().delete(this.#boot.runId)
  }

  /** The credentials have changed: the registry goes on under those of a record until it is written again. */
  #renew(): void {
    outOfContext(() => {
      this.#thread
        .renewTarget()
        .catch((error: unknown) => this.#runtime.logger.warn({ err: error }, 'no token for the heartbeats'))
      for (const { life } of this.#lives.values()) void life.refresh()
    })
  }

  #add(definition: ServiceDefinition, resolved: ResolvedDefinition): { life: Life; registration: Registration } {
    const { id, checks } = resolved.service
    if (this.#closing !== undefined) throw new ProconsulError('PROCONSUL_CLOSED', 'the client is closed')
    if (this.#lives.has(id)) {
      throw new ProconsulError('PROCONSUL_CONFLICT', `this client has registered a service with the id ${id} already`)
    }
    const record = this.#registry.open(resolved, this.#boot)
    this.#checkIds.take(record, checks)
    const life = new Life(
      { ...definition, id },
      {
        runtime: this.#runtime,
        boot: this.#boot,
        thread: this.#thread,
        record,
        complete: (given, signal, onFailure) => this.#complete(given, signal, onFailure),
        acceptChecks: (wanted) => {
          this.#registry.acceptChecks(wanted)
          this.#checkIds.take(record, wanted)
        },
        onEnd: () => {
          this.#checkIds.release(record)
          if (this.#lives.get(id) === entry) this.#lives.delete(id)
        },
      },
    )
    const entry = { life, registration: new Registration(life, this.#runtime.logger) }
    this.#lives.set(id, entry)
    this.#givenUp.delete(id)
    liveRuns().add(this.#boot.runId)
    return entry
  }

  async #complete(
    given: ServiceDefinition,
    signal: AbortSignal,
    onFailure: (error: ProconsulError) => void,
  ): Promise<Completed> {
    const definition = await this.#registry.complete(given, signal, onFailure)
    const resolved = resolveDefinition(definition, this.#place)
    await this.#registry.verify(resolved, signal)
    return { definition, resolved }
  }

  async #inTime(life: Life, { timeoutMs, signal }: ResolvedRegisterOptions): Promise<void> {
    const onTimeout = (): ProconsulError => {
      const message = `${life.id} could not be registered within ${formatDuration(timeoutMs)}; ${life.waitsFor}`
      return new ProconsulError('PROCONSUL_TIMEOUT', message, { cause: life.lastFailure })
    }
    try {
      const bounds = { clock: this.#runtime.clock, timeoutMs, signal, onTimeout }
      await withDeadline(bounds, () => life.start({ giveUp: true }))
    } catch (error) {
      await this.#undo(life)
      throw typed(error)
    }
  }

  /** Goes on until it is registered, or until the signal is aborted. Never rejects. */
  async #inBackground(life: Life, signal: AbortSignal | undefined): Promise<void> {
    const link = new AbortLink(signal)
    try {
      await orAborted(link.signal, life.start({ giveUp: false }))
    } catch (error) {
      // Then whoever ended it sees to the rest.
      if (isProconsulError(error, 'PROCONSUL_CLOSED')) return
      this.#runtime.logger.warn({ id: life.id, err: error }, 'a registration in the background was given up')
      await this.#undo(life)
    } finally {
      link.unlink()
    }
  }

  /** The registry may have it all the same, when only the answer was lost. */
  async #undo(life: Life): Promise<void> {
    try {
      await life.deregister({ timeoutMs: GIVE_UP_MS, drainMs: 0, signal: undefined })
      if (life.doubt !== undefined) throw life.doubt
    } catch (error) {
      this.#givenUp.set(life.id, life)
      life.tellLeftBehind(error)
    }
    await life.halt()
  }
}

async function leaveOne(life: Life, signal: AbortSignal): Promise<LeftBehind | undefined> {
  try {
    // One that leaves already may be waiting out a drain of its own.
    await orAborted(signal, life.deregister({ signal, timeoutMs: LEAVE_MS, drainMs: 0 }))
    const { id, doubt } = life
    return doubt && { id, error: doubt }
  } catch (error) {
    return { id: life.id, error: typed(error) }
  }
}

function typed(error: unknown): ProconsulError {
  return isProconsulError(error)
    ? error
    : new ProconsulError('PROCONSUL_UNAVAILABLE', 'the registration failed', { cause: error })
}

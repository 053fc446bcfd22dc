import { withDeadline } from '../../core/abort.js'
import { outOfContext } from '../../core/async-context.js'
import type { Timer } from '../../core/clock.js'
import { formatDuration } from '../../core/duration.js'
import type { Runtime } from '../../core/runtime.js'
import { ProconsulError } from '../../errors/proconsul-error.js'
import { worstOf, type HealthStatus } from '../definition/health-status.js'
import type { ResolvedProbe } from '../definition/probe-definition.js'
import { verdictOf, verdictOfError, type ProbeVerdict } from './verdict.js'

/** The last result of one probe. */
export interface ProbeResult extends ProbeVerdict {
  /** How long the run took, in milliseconds. */
  readonly durationMs: number
  /** When it ended: milliseconds since the epoch. */
  readonly checkedAt: number
}

/** The health of a service as it sees itself. */
export interface RegistrationHealth {
  /** The worst of the probes; for a registration, also of the checks that the agent carries out. */
  readonly status: HealthStatus
  /** By name. A probe that has not yet ended its first run counts as critical and has an output that says so. */
  readonly probes: Readonly<Record<string, ProbeResult>>
}

/** Hears of a change. */
export type ProbeListener = (health: RegistrationHealth, previous: RegistrationHealth) => void

const PENDING = 'has not run yet'

/**
 * A run that has not ended after so many times its timeout is given up as lost, and the next one begins beside it. A socket that hangs
 * for ever must not keep the service critical when the dependency is back; a run that is only slow to notice its signal has time enough.
 */
const LOST_AFTER_TIMEOUTS = 10

/** Runs probes on timers of their own and keeps the last results, so that a heartbeat never waits for a dependency. */
export class ProbeBoard {
  readonly #probes: readonly ResolvedProbe[]
  readonly #runtime: Runtime
  readonly #onChange: ProbeListener
  readonly #pending: Set<string>
  readonly #results = new Map<string, ProbeResult>()
  readonly #timers = new Map<string, Timer>()
  readonly #withLostRuns = new Set<string>()
  #stopped: AbortController | undefined
  #health: RegistrationHealth
  #firstRound: Promise<unknown> = Promise.resolve()

  constructor(probes: readonly ResolvedProbe[], runtime: Runtime, onChange: ProbeListener) {
    this.#probes = probes
    this.#runtime = runtime
    this.#onChange = onChange
    this.#pending = new Set(probes.map(({ name }) => name))
    for (const { name, onFailure } of probes) {
      const pending = { status: onFailure, output: PENDING, durationMs: 0, checkedAt: runtime.clock.now() }
      this.#results.set(name, Object.freeze(pending))
    }
    this.#health = this.#summary()
  }

  get health(): RegistrationHealth {
    return this.#health
  }

  /** Names of the probes that have no result yet. */
  get pending(): readonly string[] {
    return [...this.#pending]
  }

  /** Settles when every probe has run once, which is bounded by their timeouts. */
  get firstRound(): Promise<unknown> {
    return this.#firstRound
  }

  /** Runs every probe at once and from then on at its interval. */
  start(): void {
    if (this.#stopped !== undefined) return
    this.#stopped = new AbortController()
    const { signal } = this.#stopped
    this.#firstRound = outOfContext(() => Promise.all(this.#probes.map((probe) => this.#run(probe, signal))))
  }

  /** Aborts what runs and forgets the timers. */
  stop(): void {
    this.#stopped?.abort(new ProconsulError('PROCONSUL_CLOSED', 'the registration has ended'))
    for (const timer of this.#timers.values()) timer.cancel()
    this.#timers.clear()
  }

  async #run(probe: ResolvedProbe, stopped: AbortSignal): Promise<void> {
    const { clock } = this.#runtime
    const startedAt = clock.monotonic()
    const { verdict, ended } = await this.#ask(probe, stopped)
    if (stopped.aborted) return
    this.#keep(probe.name, { ...verdict, durationMs: clock.monotonic() - startedAt, checkedAt: clock.now() })
    void this.#endOrLoss(probe, ended).then(() =>
      this.#plan(probe, stopped, probe.intervalMs - (clock.monotonic() - startedAt)),
    )
  }

  /** Resolves when a run has really ended, which may be long after its verdict, or is given up as lost. */
  async #endOrLoss({ name, timeoutMs }: ResolvedProbe, ended: Promise<unknown>): Promise<void> {
    const { clock, logger } = this.#runtime
    await new Promise<void>((resolve) => {
      const onLoss = (): void => {
        this.#withLostRuns.add(name)
        logger.warn({ probe: name }, 'a run of a probe does not end and is given up as lost')
        resolve()
      }
      const timer = clock.setTimer(onLoss, timeoutMs * (LOST_AFTER_TIMEOUTS - 1), { keepAlive: false })
      this.#timers.set(name, timer)
      void ended.then(() => {
        timer.cancel()
        resolve()
      })
    })
  }

  #plan(probe: ResolvedProbe, stopped: AbortSignal, delayMs: number): void {
    if (stopped.aborted) return
    const run = (): void => void this.#run(probe, stopped)
    this.#timers.set(probe.name, this.#runtime.clock.setTimer(run, Math.max(0, delayMs), { keepAlive: false }))
  }

  /** The verdict, in time; `ended` settles when the run is really over. */
  async #ask(probe: ResolvedProbe, stopped: AbortSignal): Promise<{ verdict: ProbeVerdict; ended: Promise<unknown> }> {
    let ended: Promise<unknown> = Promise.resolve()
    const onTimeout = (): ProconsulError => {
      const lost = this.#withLostRuns.has(probe.name) ? '; an earlier run never ended' : ''
      return new ProconsulError('PROCONSUL_TIMEOUT', `no answer within ${formatDuration(probe.timeoutMs)}${lost}`)
    }
    try {
      const bounds = { clock: this.#runtime.clock, timeoutMs: probe.timeoutMs, signal: stopped, onTimeout }
      const value = await withDeadline(bounds, (signal) => {
        const run = Promise.resolve(signal).then(() => probe.runInContext({ signal }))
        ended = run.catch(() => undefined)
        return run
      })
      return { verdict: verdictOf(value, probe), ended }
    } catch (error) {
      return { verdict: verdictOfError(error, probe), ended }
    }
  }

  #keep(name: string, result: ProbeResult): void {
    const isFirst = this.#pending.delete(name)
    const before = this.#results.get(name)
    this.#results.set(name, Object.freeze(result))
    const previous = this.#health
    this.#health = this.#summary()
    if (isFirst || before?.status !== result.status || before.output !== result.output) {
      this.#onChange(this.#health, previous)
    }
  }

  #summary(): RegistrationHealth {
    const statuses = [...this.#results.values()].map(({ status }) => status)
    return Object.freeze({ status: worstOf(statuses), probes: Object.freeze(Object.fromEntries(this.#results)) })
  }
}

import type { SettableStatus } from '../../api/agent-check.js'
import { withDeadline } from '../../core/abort.js'
import type { Timer } from '../../core/clock.js'
import { formatDuration } from '../../core/duration.js'
import type { Runtime } from '../../core/runtime.js'
import { ProconsulError } from '../../errors/proconsul-error.js'
import { verdictOf, verdictOfError, worstOf, type ProbeVerdict, type ResolvedProbe } from './probe.js'

/** The last result of one probe. */
export interface ProbeResult extends ProbeVerdict {
  /** How long the run took, in milliseconds. */
  readonly durationMs: number
  /** When it ended: milliseconds since the epoch. */
  readonly checkedAt: number
}

/** The health of a service as it sees itself. */
export interface RegistrationHealth {
  /** The worst of the probes. */
  readonly status: SettableStatus
  /** By name. A probe that has not yet ended its first run counts as critical and has an output that says so. */
  readonly probes: Readonly<Record<string, ProbeResult>>
}

const PENDING = 'has not run yet'

/** Runs probes on timers of their own and keeps the last results, so that a heartbeat never waits for a dependency. */
export class ProbeBoard {
  readonly #probes: readonly ResolvedProbe[]
  readonly #runtime: Runtime
  readonly #onChange: (health: RegistrationHealth, previous: RegistrationHealth) => void
  readonly #results = new Map<string, ProbeResult>()
  readonly #timers = new Map<string, Timer>()
  #stopped: AbortController | undefined
  #health: RegistrationHealth
  #firstRound: Promise<unknown> = Promise.resolve()

  constructor(
    probes: readonly ResolvedProbe[],
    runtime: Runtime,
    onChange: (health: RegistrationHealth, previous: RegistrationHealth) => void,
  ) {
    this.#probes = probes
    this.#runtime = runtime
    this.#onChange = onChange
    for (const { name, onFailure } of probes) {
      this.#results.set(name, { status: onFailure, output: PENDING, durationMs: 0, checkedAt: runtime.clock.now() })
    }
    this.#health = this.#summary()
  }

  get health(): RegistrationHealth {
    return this.#health
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
    this.#firstRound = Promise.all(this.#probes.map((probe) => this.#run(probe, signal)))
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
    // A run that does not heed its signal goes on: the next one waits for it, however long that takes.
    void ended.finally(() => this.#plan(probe, stopped, probe.intervalMs - (clock.monotonic() - startedAt)))
  }

  #plan(probe: ResolvedProbe, stopped: AbortSignal, delayMs: number): void {
    if (stopped.aborted) return
    const run = (): void => void this.#run(probe, stopped)
    this.#timers.set(probe.name, this.#runtime.clock.setTimer(run, Math.max(0, delayMs), { keepAlive: false }))
  }

  /** The verdict, in time; `ended` settles when the run is really over. */
  async #ask(probe: ResolvedProbe, stopped: AbortSignal): Promise<{ verdict: ProbeVerdict; ended: Promise<unknown> }> {
    let ended: Promise<unknown> = Promise.resolve()
    const onTimeout = (): ProconsulError =>
      new ProconsulError('PROCONSUL_TIMEOUT', `no answer within ${formatDuration(probe.timeoutMs)}`)
    try {
      const bounds = { clock: this.#runtime.clock, timeoutMs: probe.timeoutMs, signal: stopped, onTimeout }
      const value = await withDeadline(bounds, (signal) => {
        const run = Promise.resolve(signal).then(() => probe.run({ signal }))
        ended = run.catch(() => undefined)
        return run
      })
      return { verdict: verdictOf(value, probe), ended }
    } catch (error) {
      return { verdict: verdictOfError(error, probe), ended }
    }
  }

  #keep(name: string, result: ProbeResult): void {
    this.#results.set(name, result)
    const previous = this.#health
    this.#health = this.#summary()
    const before = previous.probes[name]
    if (before?.status !== result.status || before.output !== result.output) this.#onChange(this.#health, previous)
  }

  #summary(): RegistrationHealth {
    const statuses = [...this.#results.values()].map(({ status }) => status)
    return Object.freeze({ status: worstOf(statuses), probes: Object.freeze(Object.fromEntries(this.#results)) })
  }
}

import { jitterMs } from '../../core/backoff.js'
import type { Timer } from '../../core/clock.js'
import type { Runtime } from '../../core/runtime.js'
import { ProconsulError, isProconsulError } from '../../errors/proconsul-error.js'
import type { HealthStatus } from '../definition/health-status.js'

/** Sends heartbeats until it is stopped. */
export interface Beater {
  /** Begins to beat, also after `hold`. The first beat after this comes within one interval; `beatNow` sends one at once. */
  start(): void
  /** No beats until `start`. */
  hold(): void
  /** Sends a beat now, or right after the one that is under way. Resolves when it was answered or has failed. */
  beatNow(): Promise<void>
  /** Ends the beats. Resolves when none is under way. */
  stop(): Promise<void>
}

/** What a heartbeat does and whom it tells. */
export interface HeartbeatParts {
  readonly runtime: Runtime
  readonly intervalMs: number
  readonly keepAlive: boolean
  /** Sends one and says what it said. Must settle within an interval. */
  send(signal: AbortSignal): Promise<HealthStatus>
  onBeat(status: HealthStatus, durationMs: number): void
  onFailure(error: ProconsulError): void
}

/** Share by which the interval varies, so that a fleet that started together drifts apart. */
const JITTER = 0.1

/** While the registry cannot be reached, the next beat comes this soon: its TTL runs, and a refused connection costs nothing. */
const RETRY_MS = 1_000

/** Beats from the main thread: one at a time, and the timer never waits for an answer. */
export class Heartbeat implements Beater {
  readonly #parts: HeartbeatParts
  readonly #stopped = new AbortController()
  #timer: Timer | undefined
  #underWay: Promise<void> | undefined
  #queued: Promise<void> | undefined
  #isHeld = true

  constructor(parts: HeartbeatParts) {
    this.#parts = parts
  }

  start(): void {
    if (!this.#isHeld) return
    this.#isHeld = false
    // The first beats of many registrations made together spread over the interval.
    const { intervalMs, runtime } = this.#parts
    this.#plan(intervalMs * (0.2 + 0.8 * runtime.random()))
  }

  hold(): void {
    this.#timer?.cancel()
    this.#isHeld = true
  }

  beatNow(): Promise<void> {
    if (this.#underWay === undefined) return this.#beat()
    this.#queued ??= this.#underWay.then(async () => {
      this.#queued = undefined
      await this.#beat()
    })
    return this.#queued
  }

  async stop(): Promise<void> {
    this.#stopped.abort(new ProconsulError('PROCONSUL_CLOSED', 'the registration has ended'))
    this.#timer?.cancel()
    await this.#underWay
  }

  #plan(delayMs: number): void {
    if (this.#stopped.signal.aborted || this.#isHeld) return
    this.#timer?.cancel()
    const { clock } = this.#parts.runtime
    this.#timer = clock.setTimer(() => this.#tick(), delayMs, { keepAlive: this.#parts.keepAlive })
  }

  #tick(): void {
    const { intervalMs, runtime } = this.#parts
    this.#plan(jitterMs(intervalMs, JITTER, runtime.random))
    if (this.#underWay === undefined) void this.#beat()
  }

  #beat(): Promise<void> {
    if (this.#stopped.signal.aborted || this.#isHeld) return Promise.resolve()
    this.#underWay = this.#send().finally(() => {
      this.#underWay = undefined
    })
    return this.#underWay
  }

  async #send(): Promise<void> {
    const { runtime, intervalMs } = this.#parts
    const startedAt = runtime.clock.monotonic()
    try {
      const status = await this.#parts.send(this.#stopped.signal)
      this.#parts.onBeat(status, runtime.clock.monotonic() - startedAt)
    } catch (error) {
      if (this.#stopped.signal.aborted || !isProconsulError(error)) return
      // A registry that is slow or refuses for its load must not get more to do.
      if (error.code === 'PROCONSUL_UNAVAILABLE')
        this.#plan(jitterMs(Math.min(intervalMs, RETRY_MS), JITTER, runtime.random))
      this.#parts.onFailure(error)
    }
  }
}

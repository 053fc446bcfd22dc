import { httpFailure } from '../../errors/http-failure.js'
import { networkFailure } from '../../errors/network-failure.js'
import { ProconsulError } from '../../errors/proconsul-error.js'
import type { HealthStatus } from '../definition/health-status.js'
import type { ResolvedHeartbeat } from '../definition/resolve-definition.js'
import type { BeatReport, BeatRequest } from '../record/record.js'
import type { BeatThread } from './beat-thread.js'
import type { WorkerResult } from './beat-worker.js'
import type { Beater, HeartbeatParts } from './heartbeat.js'

/** What a thread's heartbeat does and whom it tells. */
export interface WorkerHeartbeatParts extends Omit<HeartbeatParts, 'send'> {
  /** Tells it from others of the same thread. */
  readonly key: string
  readonly request: BeatRequest
  readonly heartbeat: ResolvedHeartbeat
  /** What to send. */
  report(): BeatReport
}

/**
 * Beats from a thread of its own. The thread sends the last report of the probes, and says so by itself when the main thread is blocked.
 * The results of beats during a block are heard after it.
 */
export class WorkerHeartbeat implements Beater {
  readonly #parts: WorkerHeartbeatParts
  readonly #thread: BeatThread
  #lastReport = ''
  #isAdded = false
  #stopped: Promise<void> | undefined

  constructor(parts: WorkerHeartbeatParts, thread: BeatThread) {
    this.#parts = parts
    this.#thread = thread
  }

  start(): void {
    const { key, request, intervalMs, heartbeat, runtime } = this.#parts
    if (this.#stopped !== undefined) return
    if (!this.#isAdded) {
      this.#isAdded = true
      const { warnAfterMs, criticalAfterMs, keepAlive } = heartbeat
      const bounds = { intervalMs, timeoutMs: intervalMs, warnAfterMs, criticalAfterMs }
      const report = this.#parts.report()
      this.#lastReport = JSON.stringify(report)
      this.#thread.add({ key, path: request.path, ...bounds, report }, keepAlive, (result) => this.#hear(result))
    }
    this.#thread.start(key, intervalMs * (0.2 + 0.8 * runtime.random()))
  }

  hold(): void {
    if (this.#isBeating) this.#thread.hold(this.#parts.key)
  }

  async beatNow(): Promise<void> {
    if (!this.#isBeating) return
    this.#tellReport()
    await this.#thread.beat(this.#parts.key)
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#isAdded ? this.#thread.remove(this.#parts.key) : Promise.resolve()
    return this.#stopped
  }

  /** Whether the thread has the check from here. */
  get #isBeating(): boolean {
    return this.#isAdded && this.#stopped === undefined
  }

  #hear(result: WorkerResult): void {
    this.#tellReport()
    if (result['ok'] === true) this.#parts.onBeat(statusOf(result), Number(result['durationMs']))
    else this.#parts.onFailure(failureOf(this.#parts.request.operation, result))
  }

  /** Hands the thread what the probes say now, where it is news. */
  #tellReport(): void {
    const report = this.#parts.report()
    const text = JSON.stringify(report)
    if (text === this.#lastReport) return
    this.#lastReport = text
    this.#thread.report(this.#parts.key, report)
  }
}

function statusOf({ status }: WorkerResult): HealthStatus {
  return status === 'passing' || status === 'warning' ? status : 'critical'
}

function failureOf(operation: string, result: WorkerResult): ProconsulError {
  if (result['timedOut'] === true) return new ProconsulError('PROCONSUL_TIMEOUT', `${operation}: no answer in time`)
  if (typeof result['httpStatus'] === 'number') {
    return httpFailure({ operation, status: result['httpStatus'], body: String(result['body']) })
  }
  const error = Object.assign(new Error(String(result['message'])), { code: String(result['code']) })
  return networkFailure(operation, 'the agent', error)
}

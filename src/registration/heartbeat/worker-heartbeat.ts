import { httpFailure } from '../../errors/http-failure.js'
import { networkFailure } from '../../errors/network-failure.js'
import { ProconsulError } from '../../errors/proconsul-error.js'
import type { ResolvedHeartbeat } from '../definition/resolve-heartbeat.js'
import type { BeatReport, BeatRequest } from '../record/record.js'
import type { Beater, HeartbeatParts } from './heartbeat.js'
import type { BeatThread } from './thread/beat-thread.js'
import type { BeatResult } from './thread/messages.js'

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

  #hear(result: BeatResult): void {
    this.#tellReport()
    if (result.ok) this.#parts.onBeat(result.status, result.durationMs)
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

function failureOf(operation: string, result: BeatResult): ProconsulError {
  const { timedOut, httpStatus, body = '', message, code } = result
  if (timedOut === true) return new ProconsulError('PROCONSUL_TIMEOUT', `${operation}: no answer in time`)
  if (httpStatus !== undefined) return httpFailure({ operation, status: httpStatus, body })
  return networkFailure(operation, 'the agent', Object.assign(new Error(message), { code }))
}

import type { SettableStatus } from '../../api/agent-check.js'
import { path } from '../../api/path.js'
import { httpFailure } from '../../errors/http-failure.js'
import { networkFailure } from '../../errors/network-failure.js'
import { ProconsulError } from '../../errors/proconsul-error.js'
import type { BeaterParts } from '../registration-parts.js'
import type { BeatThread } from './beat-thread.js'
import type { WorkerResult } from './beat-worker.js'
import type { Beater } from './heartbeat.js'

const OPERATION = 'agent.check.update'

/**
 * Beats from a thread of its own. The thread sends the last report of the probes, and says so by itself when the main thread is blocked.
 * The results of beats during a block are heard after it.
 */
export class WorkerHeartbeat implements Beater {
  readonly #parts: BeaterParts
  readonly #thread: BeatThread
  #lastReport = ''
  #isAdded = false
  #stopped: Promise<void> | undefined

  constructor(parts: BeaterParts, thread: BeatThread) {
    this.#parts = parts
    this.#thread = thread
  }

  start(): void {
    const { checkId, intervalMs, heartbeat, runtime } = this.#parts
    if (this.#stopped !== undefined) return
    if (!this.#isAdded) {
      this.#isAdded = true
      const { warnAfterMs, criticalAfterMs, keepAlive } = heartbeat
      const at = `/v1${path`/agent/check/update/${checkId}`}`
      const bounds = { intervalMs, timeoutMs: intervalMs, warnAfterMs, criticalAfterMs }
      const report = this.#parts.report()
      this.#lastReport = JSON.stringify(report)
      this.#thread.add({ key: checkId, path: at, ...bounds, report }, keepAlive, (result) => this.#hear(result))
    }
    this.#thread.start(checkId, intervalMs * (0.2 + 0.8 * runtime.random()))
  }

  hold(): void {
    if (this.#isBeating) this.#thread.hold(this.#parts.checkId)
  }

  async beatNow(): Promise<void> {
    if (!this.#isBeating) return
    this.#tellReport()
    await this.#thread.beat(this.#parts.checkId)
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#isAdded ? this.#thread.remove(this.#parts.checkId) : Promise.resolve()
    return this.#stopped
  }

  /** Whether the thread has the check from here. */
  get #isBeating(): boolean {
    return this.#isAdded && this.#stopped === undefined
  }

  #hear(result: WorkerResult): void {
    this.#tellReport()
    if (result['ok'] === true) this.#parts.onBeat(statusOf(result), Number(result['durationMs']))
    else this.#parts.onFailure(failureOf(result))
  }

  /** Hands the thread what the probes say now, where it is news. */
  #tellReport(): void {
    const report = this.#parts.report()
    const text = JSON.stringify(report)
    if (text === this.#lastReport) return
    this.#lastReport = text
    this.#thread.report(this.#parts.checkId, report)
  }
}

function statusOf({ status }: WorkerResult): SettableStatus {
  return status === 'passing' || status === 'warning' ? status : 'critical'
}

function failureOf(result: WorkerResult): ProconsulError {
  if (result['timedOut'] === true) return new ProconsulError('PROCONSUL_TIMEOUT', `${OPERATION}: no answer in time`)
  if (typeof result['httpStatus'] === 'number') {
    return httpFailure({ operation: OPERATION, status: result['httpStatus'], body: String(result['body']) })
  }
  const error = Object.assign(new Error(String(result['message'])), { code: String(result['code']) })
  return networkFailure(OPERATION, 'the agent', error)
}

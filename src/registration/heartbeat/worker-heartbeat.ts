import type { SettableStatus } from '../../api/agent-check.js'
import { path } from '../../api/path.js'
import { httpFailure } from '../../errors/http-failure.js'
import { networkFailure } from '../../errors/network-failure.js'
import { ProconsulError } from '../../errors/proconsul-error.js'
import type { BeaterParts } from '../registration-parts.js'
import type { BeatThread, ThreadResult } from './beat-thread.js'
import type { Beater } from './heartbeat.js'

const OPERATION = 'agent.check.update'

/**
 * Beats from a thread of its own. The thread sends the last report of the probes, and says so by itself when the main thread is blocked.
 * The results of beats during a block are heard after it.
 */
export class WorkerHeartbeat implements Beater {
  readonly #parts: BeaterParts
  readonly #thread: BeatThread
  readonly #answers = new Map<number, () => void>()
  #sequence = 0
  #lastReport = ''
  #isAdded = false
  #isStopped = false

  constructor(parts: BeaterParts, thread: BeatThread) {
    this.#parts = parts
    this.#thread = thread
  }

  start(): void {
    const { checkId, intervalMs, heartbeat, runtime } = this.#parts
    if (this.#isStopped) return
    if (!this.#isAdded) {
      this.#isAdded = true
      const { warnAfterMs, criticalAfterMs, keepAlive } = heartbeat
      const at = `/v1${path`/agent/check/update/${checkId}`}`
      const bounds = { intervalMs, timeoutMs: intervalMs, warnAfterMs, criticalAfterMs }
      this.#thread.add({ key: checkId, path: at, ...bounds, report: this.#parts.report() }, keepAlive, (result) =>
        this.#hear(result),
      )
    }
    this.#thread.start(checkId, intervalMs * (0.2 + 0.8 * runtime.random()))
  }

  hold(): void {
    this.#thread.hold(this.#parts.checkId)
    this.#settleAll()
  }

  async beatNow(): Promise<void> {
    if (!this.#isAdded || this.#isStopped) return
    this.#tellReport()
    this.#sequence += 1
    const sequence = this.#sequence
    await new Promise<void>((resolve) => {
      this.#answers.set(sequence, resolve)
      this.#thread.post({ type: 'beat', key: this.#parts.checkId, sequence })
    })
  }

  async stop(): Promise<void> {
    if (this.#isStopped) return
    this.#isStopped = true
    this.#settleAll()
    if (this.#isAdded) await this.#thread.remove(this.#parts.checkId)
  }

  #hear(result: ThreadResult): void {
    if (result['ended'] === true) {
      this.#settleAll()
      return
    }
    this.#tellReport()
    if (result['ok'] === true) this.#parts.onBeat(statusOf(result), Number(result['durationMs']))
    else if (result['skipped'] !== true) this.#parts.onFailure(failureOf(result))
    const sequences: unknown = result['sequences']
    for (const sequence of Array.isArray(sequences) ? sequences : []) {
      this.#answers.get(Number(sequence))?.()
      this.#answers.delete(Number(sequence))
    }
  }

  /** Hands the thread what the probes say now, where it is news. */
  #tellReport(): void {
    const report = this.#parts.report()
    const text = JSON.stringify(report)
    if (text === this.#lastReport) return
    this.#lastReport = text
    this.#thread.post({ type: 'report', key: this.#parts.checkId, report })
  }

  #settleAll(): void {
    for (const settle of this.#answers.values()) settle()
    this.#answers.clear()
  }
}

function statusOf({ status }: ThreadResult): SettableStatus {
  return status === 'passing' || status === 'warning' ? status : 'critical'
}

function failureOf(result: ThreadResult): ProconsulError {
  if (result['timedOut'] === true) return new ProconsulError('PROCONSUL_TIMEOUT', `${OPERATION}: no answer in time`)
  if (typeof result['httpStatus'] === 'number') {
    return httpFailure({ operation: OPERATION, status: result['httpStatus'], body: String(result['body']) })
  }
  const error = Object.assign(new Error(String(result['message'])), { code: String(result['code']) })
  return networkFailure(OPERATION, 'the agent', error)
}

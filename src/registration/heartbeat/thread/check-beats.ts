import { jitterMs, type Random } from '../../../core/backoff.js'
import type { Clock, Timer } from '../../../core/clock.js'
import { worstOf, type HealthStatus } from '../../definition/health-status.js'
import { cutBytes, OUTPUT_LIMIT_BYTES } from '../../health/output-limit.js'
import type { Report } from '../../health/service-health.js'
import type { AgentRequest } from './agent-connection.js'
import type { AgentAnswer, FromThread, ThreadEntry } from './messages.js'

/** What the beats of a check need. */
export interface CheckBeatsParts {
  readonly clock: Clock
  readonly random: Random
  /** Must not reject. */
  send(request: AgentRequest): Promise<AgentAnswer>
  answer(message: FromThread): void
  /** For how long the main thread has stood still. */
  blockedMs(): number
}

/** Share by which the interval varies, so that a fleet that started together drifts apart. */
const JITTER = 0.1

/** While the agent cannot be reached, the next beat comes this soon. */
const RETRY_MS = 1_000

/** The beats of one check: one at a time, by timers of the heartbeat thread. */
export class CheckBeats {
  readonly #entry: ThreadEntry
  readonly #parts: CheckBeatsParts
  readonly #removed = new AbortController()
  #report: Report
  #timer: Timer | undefined
  #isHeld = true
  #isUnderWay = false
  /** Questions for which the next beat is sent. */
  #asked: number[] = []
  /** What the last beat said of the main thread. */
  #level: HealthStatus = 'passing'

  constructor(entry: ThreadEntry, parts: CheckBeatsParts) {
    this.#entry = entry
    this.#parts = parts
    this.#report = entry.report
  }

  start(delayMs: number): void {
    if (!this.#isHeld) return
    this.#isHeld = false
    this.#plan(delayMs)
  }

  hold(): void {
    this.#isHeld = true
    this.#timer?.cancel()
  }

  /** What the next beats are to say. */
  set report(report: Report) {
    this.#report = report
  }

  /** Sends a beat now, or right after the one under way, and answers the question then; at once while held. */
  ask(sequence: number): void {
    if (this.#isHeld) {
      this.#parts.answer({ sequences: [sequence] })
      return
    }
    this.#asked.push(sequence)
    this.#beat()
  }

  /** Sends a beat where the main thread has begun to stand still, or to move again. */
  look(): void {
    if (this.#levelAfter(this.#parts.blockedMs()) !== this.#level) this.#beat()
  }

  /** Ends the beats, also the one under way. */
  remove(): void {
    this.hold()
    this.#removed.abort()
  }

  #plan(delayMs: number): void {
    this.#timer?.cancel()
    if (this.#isHeld) return
    const onTime = (): void => {
      this.#plan(jitterMs(this.#entry.intervalMs, JITTER, this.#parts.random))
      this.#beat()
    }
    this.#timer = this.#parts.clock.setTimer(onTime, delayMs)
  }

  #beat(): void {
    if (this.#isHeld || this.#isUnderWay) return
    this.#isUnderWay = true
    void this.#send().finally(() => {
      this.#isUnderWay = false
      if (this.#asked.length > 0) this.#beat()
    })
  }

  async #send(): Promise<void> {
    const { key, path, intervalMs, timeoutMs } = this.#entry
    const { clock } = this.#parts
    const sequences = this.#asked.splice(0)
    const startedAt = clock.monotonic()
    const { status, output } = this.#say()
    const body = JSON.stringify({ Status: status, Output: cutBytes(output, OUTPUT_LIMIT_BYTES) })
    const result = await this.#parts.send({ path, body, timeoutMs, signal: this.#removed.signal })
    // Another check may have the key by now.
    if (this.#removed.signal.aborted) return
    // An agent that is slow or refuses for its load must not get more to do.
    const isRefused = result.httpStatus !== undefined || result.timedOut === true
    if (!result.ok && !isRefused) this.#plan(Math.min(intervalMs, RETRY_MS))
    this.#parts.answer({ key, sequences, status, durationMs: clock.monotonic() - startedAt, ...result })
  }

  /** The last report of the main thread; where that stands still, no better than what that means. */
  #say(): Report {
    const blockedMs = this.#parts.blockedMs()
    this.#level = this.#levelAfter(blockedMs)
    if (this.#level === 'passing') return this.#report
    const seconds = (blockedMs / 1_000).toFixed(1)
    return {
      status: worstOf([this.#level, this.#report.status]),
      output: `event loop blocked for ${seconds} s\n${this.#report.output}`,
    }
  }

  #levelAfter(blockedMs: number): HealthStatus {
    const { warnAfterMs, criticalAfterMs } = this.#entry
    if (blockedMs >= criticalAfterMs) return 'critical'
    return blockedMs >= warnAfterMs ? 'warning' : 'passing'
  }
}

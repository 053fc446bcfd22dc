import type { HealthStatus } from '../../definition/health-status.js'
import type { Report } from '../../health/service-health.js'

/** What the main thread and the heartbeat thread say to each other. */

/** Where the thread sends its requests. It can be copied to a thread; it holds secrets and is never printed. */
export interface ThreadTarget {
  /** `http://host:port/prefix`. */
  readonly baseUrl: string
  readonly socketPath: string | undefined
  /** Options of `node:https`. */
  readonly tls: object
  readonly headers: Readonly<Record<string, string>>
  /** Follows every path; empty or beginning with `?`. */
  readonly query: string
}

/** One check that the thread keeps alive. */
export interface ThreadEntry {
  readonly key: string
  /** Path and id of the check's update. */
  readonly path: string
  readonly intervalMs: number
  readonly timeoutMs: number
  readonly warnAfterMs: number
  readonly criticalAfterMs: number
  readonly report: Report
}

/** What the thread is told. */
export type ToThread =
  /** Where the agent is, with the credentials of now. It comes before everything else, and again when they change. */
  | { readonly type: 'target'; readonly target: ThreadTarget }
  /** A check, held until its start. */
  | { readonly type: 'add'; readonly entry: ThreadEntry }
  | { readonly type: 'start'; readonly key: string; readonly delayMs: number }
  | { readonly type: 'hold'; readonly key: string }
  | { readonly type: 'report'; readonly key: string; readonly report: Report }
  | Question

/** What the thread answers, by the number of the question. */
export interface Question {
  /** `beat`: send one now, or right after the one under way. `remove`: forget the check. */
  readonly type: 'beat' | 'remove'
  readonly key: string
  readonly sequence: number
}

/** What the thread says: the questions that are answered by it, and the beat that it is about, where there was one. */
export interface FromThread extends Partial<BeatResult> {
  readonly sequences: readonly number[]
  readonly key?: string
}

/** How a beat went. */
export interface BeatResult extends AgentAnswer {
  /** What it said. */
  readonly status: HealthStatus
  readonly durationMs: number
}

/** What the agent answered to one request, or why it did not. */
export interface AgentAnswer {
  readonly ok: boolean
  readonly timedOut?: boolean
  /** Of an answer that is no success, with the begin of its text. */
  readonly httpStatus?: number
  readonly body?: string
  /** Of a connection that failed. */
  readonly message?: string
  readonly code?: string | undefined
}

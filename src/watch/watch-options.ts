import { parseDuration, type Duration } from '../core/duration.js'
import { checkInteger, checkObject } from '../core/option-check.js'

/** How watches read. */
export interface WatchOptions {
  /** The longest that the agent is asked to hold one blocking query. Default 30 s. */
  readonly wait?: Duration | undefined
  /** Time between two reads of one query when it changes all the time; the first changes after quiet are not delayed. Default 250 ms. */
  readonly interval?: Duration | undefined
  /** How many reads of one query may follow each other at once after quiet. Default 2. */
  readonly burst?: number | undefined
  /** The same as `interval` for what does not exist, which the agent may wake for unrelated changes. Default 2 s. */
  readonly emptyInterval?: Duration | undefined
  /** How often to read what cannot be waited for. Default 10 s. */
  readonly pollInterval?: Duration | undefined
  /** When there are more queries than connections, the time in which each gets a turn. Default 1.5 s. */
  readonly sweep?: Duration | undefined
  /** How many reads a second the turns may cost; with more queries the sweep takes longer. Default 1,000. */
  readonly maxTurnsPerSecond?: number | undefined
  /** How long a query goes on after its last subscriber has left. Default 10 s. */
  readonly grace?: Duration | undefined
  /** How far a server or a cache may lag before the leader is asked instead. Default 10 s. */
  readonly maxStale?: Duration | undefined
}

/** {@link WatchOptions} in milliseconds. */
export interface ResolvedWatchOptions {
  readonly waitMs: number
  readonly intervalMs: number
  readonly burst: number
  readonly emptyIntervalMs: number
  readonly pollIntervalMs: number
  readonly sweepMs: number
  readonly maxTurnsPerSecond: number
  readonly graceMs: number
  readonly maxStaleMs: number
}

/** The defaults of {@link WatchOptions}. */
export const WATCH_DEFAULTS: ResolvedWatchOptions = Object.freeze({
  // The agent keeps an abandoned query until its wait is over, and a dead connection is noticed only then: so modest. Two idle reads a
  // minute and query cost an agent nothing.
  waitMs: 30_000,
  // Four reads a second and query at most; people do not see the difference, and a storm of flips becomes a steady trickle.
  intervalMs: 250,
  // The burst that the documentation of blocking queries asks for.
  burst: 2,
  emptyIntervalMs: 2_000,
  pollIntervalMs: 10_000,
  // A change is then seen within two seconds, whatever the number of queries, up to 1,500 of them.
  sweepMs: 1_500,
  // A tenth of what one small agent answers.
  maxTurnsPerSecond: 1_000,
  // Longer than the pause between two short uses of the same query.
  graceMs: 10_000,
  // What a server may lag in an election without anyone noticing.
  maxStaleMs: 10_000,
})

const LONGEST_WAIT_MS = 600_000

/**
 * Checks and completes.
 * @throws ProconsulError `PROCONSUL_INVALID_OPTION`
 */
export function resolveWatchOptions(options: WatchOptions = {}): ResolvedWatchOptions {
  const given = checkObject('watch', options, [
    'wait',
    'interval',
    'burst',
    'emptyInterval',
    'pollInterval',
    'sweep',
    'maxTurnsPerSecond',
    'grace',
    'maxStale',
  ])
  const duration = (name: string, fallbackMs: number, minMs: number, maxMs?: number): number =>
    given[name] === undefined
      ? fallbackMs
      : parseDuration(`watch.${name}`, given[name], { minMs, ...(maxMs !== undefined && { maxMs }) })
  const whole = (name: string, fallback: number, max: number): number =>
    given[name] === undefined ? fallback : checkInteger(`watch.${name}`, given[name], 1, max)
  return Object.freeze({
    waitMs: duration('wait', WATCH_DEFAULTS.waitMs, 100, LONGEST_WAIT_MS),
    intervalMs: duration('interval', WATCH_DEFAULTS.intervalMs, 1),
    burst: whole('burst', WATCH_DEFAULTS.burst, 100),
    emptyIntervalMs: duration('emptyInterval', WATCH_DEFAULTS.emptyIntervalMs, 1),
    pollIntervalMs: duration('pollInterval', WATCH_DEFAULTS.pollIntervalMs, 10),
    sweepMs: duration('sweep', WATCH_DEFAULTS.sweepMs, 10),
    maxTurnsPerSecond: whole('maxTurnsPerSecond', WATCH_DEFAULTS.maxTurnsPerSecond, 100_000),
    graceMs: duration('grace', WATCH_DEFAULTS.graceMs, 0),
    maxStaleMs: duration('maxStale', WATCH_DEFAULTS.maxStaleMs, 0),
  })
}

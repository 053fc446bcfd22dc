import { parseDuration, type Duration } from '../core/duration.js'
import { checkObject } from '../core/option-check.js'

/** How watches read. */
export interface WatchOptions {
  /**
   * The longest that the agent is asked to hold one blocking query. Default 30 s; 100 ms to 10 min. Set it below the idle timeout of a
   * proxy between this process and the agent; longer makes idle queries cheaper, and a dead connection is noticed later.
   */
  readonly wait?: Duration | undefined
  /**
   * Time between two reads of one query that changes all the time; the first two changes after quiet are not delayed. What does not exist
   * is read an eighth as often while that brings nothing. Default 250 ms. Set it higher where many clients watch a restless service and
   * a change may be seen a second later; lower in tests.
   */
  readonly interval?: Duration | undefined
  /**
   * How often to read what cannot be waited for, such as prepared queries. Default 10 s. Set it lower where their results must be newer,
   * which costs one read each time.
   */
  readonly pollInterval?: Duration | undefined
  /**
   * How far a server or a cache may lag before the leader is asked instead. Default 10 s. Set it higher to read on for longer, with
   * `stale` or `cached`, while there is no leader; lower to be sure that nobody acts on an older list.
   */
  readonly maxStale?: Duration | undefined
}

/** {@link WatchOptions} in milliseconds. */
export interface ResolvedWatchOptions {
  readonly waitMs: number
  readonly intervalMs: number
  readonly pollIntervalMs: number
  readonly maxStaleMs: number
}

/** The defaults of {@link WatchOptions}. */
export const WATCH_DEFAULTS: ResolvedWatchOptions = Object.freeze({
  // The agent keeps an abandoned query until its wait is over, and a dead connection is noticed only then: so modest. Two idle reads a
  // minute and query cost an agent nothing.
  waitMs: 30_000,
  // Four reads a second and query at most; people do not see the difference, and a storm of flips becomes a steady trickle.
  intervalMs: 250,
  pollIntervalMs: 10_000,
  // What a server may lag in an election without anyone noticing.
  maxStaleMs: 10_000,
})

const LONGEST_WAIT_MS = 600_000

/**
 * Checks and completes.
 * @throws ProconsulError `PROCONSUL_INVALID_OPTION`
 */
export function resolveWatchOptions(options: WatchOptions = {}): ResolvedWatchOptions {
  const given = checkObject('watch', options, ['wait', 'interval', 'pollInterval', 'maxStale'])
  const duration = (name: string, fallbackMs: number, minMs: number, maxMs?: number): number =>
    given[name] === undefined
      ? fallbackMs
      : parseDuration(`watch.${name}`, given[name], { minMs, ...(maxMs !== undefined && { maxMs }) })
  return Object.freeze({
    waitMs: duration('wait', WATCH_DEFAULTS.waitMs, 100, LONGEST_WAIT_MS),
    intervalMs: duration('interval', WATCH_DEFAULTS.intervalMs, 1),
    pollIntervalMs: duration('pollInterval', WATCH_DEFAULTS.pollIntervalMs, 10),
    maxStaleMs: duration('maxStale', WATCH_DEFAULTS.maxStaleMs, 0),
  })
}

import { parseDuration, type Duration } from '../core/duration.js'
import { checkInteger, checkObject } from '../core/option-check.js'
import type { ResolvedLossGuard } from '../live/loss-guard-options.js'

/** When another source serves in place of the first. */
export interface FailoverTimes {
  /** A source counts as able to serve with so many instances. Raise it to what the load needs. Default 1. */
  readonly minInstances?: number | undefined
  /** How long a source must have had too few before the next is used. Raise it where a restart is shorter. Default 0: at once. */
  readonly after?: Duration | undefined
  /**
   * How long a source whose last list has enough may be unreadable, while another can be read, before the next is used. Raise it where
   * calls to the next cost much. Default `'30s'`.
   */
  readonly unreadableAfter?: Duration | undefined
  /** How long a preferred source must have been able again before it is used again. Raise it where it flaps. Default `'30s'`. */
  readonly backAfter?: Duration | undefined
}

/** {@link FailoverTimes} with every value decided. */
export interface ResolvedFailover {
  readonly minInstances: number
  readonly afterMs: number
  readonly unreadableAfterMs: number
  readonly backAfterMs: number
}

/** The names of {@link FailoverTimes}. */
export const FAILOVER_TIMES: readonly (keyof FailoverTimes)[] = Object.freeze([
  'minInstances',
  'after',
  'unreadableAfter',
  'backAfter',
])

/** Every default, with its reason. */
export const GUARD_DEFAULTS = Object.freeze({
  lossGuard: Object.freeze<ResolvedLossGuard>({
    /** A rolling restart stays below it. */
    share: 0.5,
    /** One of two or two of three are lost on an ordinary day. */
    atLeast: 4,
    /** Services that beat come back to a registry that lost its state within a third of their TTL. */
    holdMs: 10_000,
  }),
  failover: Object.freeze<ResolvedFailover>({
    minInstances: 1,
    afterMs: 0,
    /** Longer than an election, which takes 11 to 16 s with Consul's default timing; the instances serve on meanwhile. */
    unreadableAfterMs: 30_000,
    /** Longer than a flapping check takes to flap. */
    backAfterMs: 30_000,
  }),
})

const MOST_INSTANCES = 1_000_000

/**
 * Checks and completes the times of a failover.
 * @param others names of options beside the times
 * @throws ProconsulError `PROCONSUL_INVALID_OPTION`
 */
export function resolveFailoverTimes(options: FailoverTimes, others: readonly string[]): ResolvedFailover {
  checkObject('failover', options, [...others, ...FAILOVER_TIMES])
  const { minInstances, afterMs, unreadableAfterMs, backAfterMs } = GUARD_DEFAULTS.failover
  return Object.freeze({
    minInstances: checkInteger('failover.minInstances', options.minInstances ?? minInstances, 1, MOST_INSTANCES),
    afterMs: parseDuration('failover.after', options.after ?? afterMs),
    unreadableAfterMs: parseDuration('failover.unreadableAfter', options.unreadableAfter ?? unreadableAfterMs),
    backAfterMs: parseDuration('failover.backAfter', options.backAfter ?? backAfterMs),
  })
}

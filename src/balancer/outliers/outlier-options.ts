import { parseDuration, type Duration } from '../../core/duration.js'
import { checkInteger, checkObject } from '../../core/option-check.js'
import { invalidOption } from '../../errors/invalid-option.js'

/**
 * When an instance is ejected because its calls fail, and for how long. The words are those of Envoy
 * (https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/outlier).
 */
export interface OutlierOptions {
  /** So many failures in a row eject an instance. Default 5. */
  readonly consecutiveFailures?: number | undefined
  /** So many in a row for want of a connection, refused or broken, eject one as well: nothing else is as sure. Default 3. */
  readonly connectionFailures?: number | undefined
  /** How often success rates are compared, where there are calls enough. Default `'10s'`. */
  readonly interval?: Duration | undefined
  /** For how long an instance is ejected the first time; the second time for twice as long, and so on. Default `'30s'`. */
  readonly ejectionTime?: Duration | undefined
  /** The longest ejection. Default `'5m'`. */
  readonly maxEjectionTime?: Duration | undefined
  /** The share of instances that may be ejected at once; one may, where there are two. Default 0.5. */
  readonly maxEjectedShare?: number | undefined
}

/** {@link OutlierOptions} with every value decided. */
export interface ResolvedOutliers {
  readonly consecutiveFailures: number
  readonly connectionFailures: number
  readonly intervalMs: number
  readonly ejectionTimeMs: number
  readonly maxEjectionTimeMs: number
  readonly maxEjectedShare: number
}

/** Every default, with its reason. */
export const OUTLIER_DEFAULTS = Object.freeze({
  /** Envoy's. It finds a dead instance whatever the rate of calls; success rates need a hundred calls each. */
  consecutiveFailures: 5,
  /** A dead process refuses; one that is restarted may refuse once or twice. */
  connectionFailures: 3,
  intervalMs: 10_000,
  ejectionTimeMs: 30_000,
  maxEjectionTimeMs: 300_000,
  /** More than Envoy's tenth: with five instances a tenth is none, and Consul takes the dead ones out by itself. */
  maxEjectedShare: 0.5,
})

const MOST_FAILURES = 1_000_000

/** When success rates are compared: Envoy's numbers. */
export const SUCCESS_RATE = Object.freeze({
  /** Fewer instances than this say nothing about what is usual. */
  leastInstances: 5,
  /** Fewer calls than this in an interval say nothing about an instance. */
  leastCalls: 100,
  /** An outlier is so many standard deviations below the mean. */
  deviations: 1.9,
})

/**
 * Checks and completes.
 * @throws ProconsulError `PROCONSUL_INVALID_OPTION`
 */
export function resolveOutliers(options: OutlierOptions): ResolvedOutliers {
  checkObject('outliers', options, [
    'consecutiveFailures',
    'connectionFailures',
    'interval',
    'ejectionTime',
    'maxEjectionTime',
    'maxEjectedShare',
  ])
  const defaults = OUTLIER_DEFAULTS
  const { consecutiveFailures = defaults.consecutiveFailures, connectionFailures = defaults.connectionFailures } =
    options
  const ejectionTimeMs = parseDuration('outliers.ejectionTime', options.ejectionTime ?? defaults.ejectionTimeMs, {
    minMs: 1,
  })
  const longest = options.maxEjectionTime ?? Math.max(ejectionTimeMs, defaults.maxEjectionTimeMs)
  const share: unknown = options.maxEjectedShare ?? defaults.maxEjectedShare
  if (typeof share !== 'number' || !(share >= 0 && share <= 1)) {
    throw invalidOption('outliers.maxEjectedShare', share, 'a number from 0 to 1')
  }
  return Object.freeze({
    consecutiveFailures: checkInteger('outliers.consecutiveFailures', consecutiveFailures, 1, MOST_FAILURES),
    connectionFailures: checkInteger('outliers.connectionFailures', connectionFailures, 1, MOST_FAILURES),
    intervalMs: parseDuration('outliers.interval', options.interval ?? defaults.intervalMs, { minMs: 10 }),
    ejectionTimeMs,
    maxEjectionTimeMs: parseDuration('outliers.maxEjectionTime', longest, { minMs: ejectionTimeMs }),
    maxEjectedShare: share,
  })
}

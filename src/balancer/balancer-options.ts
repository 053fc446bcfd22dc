import { parseDuration, type Duration } from '../core/duration.js'
import { checkFunction, checkSignal, isRecord } from '../core/option-check.js'
import { didYouMean } from '../core/suggestion.js'
import { invalidOption } from '../errors/invalid-option.js'
import type { FailureTest } from './retries/failure.js'
import { resolveRetry, type RetryOptions } from './retries/retry-options.js'
import { resolveOutliers, type OutlierOptions } from './outliers/outlier-options.js'
import { POLICIES, POLICY_NAMES, type PolicyName } from './policies/builtin.js'
import type { BalancerPolicy } from './policies/policy.js'
import type { ResolvedPoolOptions } from './pool/pool-options.js'
import { resolveSubset, type SubsetOptions } from './selection/subset.js'
import { resolveZone, type ZoneOptions } from './selection/zone.js'
import { checkWrap, type CallWrap, type ResolvedCallOptions } from './calls/call-options.js'

/** How instances are chosen and called. All optional. */
export interface BalancerOptions {
  /** A name, or a rule of your own. Default `'p2c'`. */
  readonly policy?: PolicyName | BalancerPolicy | undefined
  /** Prefer instances of the same zone. Default: none. */
  readonly zone?: ZoneOptions | undefined
  /** Call only some of very many instances. Default: all. */
  readonly subset?: SubsetOptions | undefined
  /** For how long an instance that has come gets fewer calls than others, a tenth at first. Default: not at all. */
  readonly slowStart?: Duration | undefined
  /** When an instance is left out because its calls fail; `false` for never. */
  readonly outliers?: OutlierOptions | false | undefined
  /** When fewer than this share of the instances is not ejected, all are called; 0 for never. Default 0.5. */
  readonly panicThreshold?: number | undefined
  /** How `use` repeats a call on another instance; `false` for never. */
  readonly retry?: RetryOptions | false | undefined
  /** How long `use` waits for an instance where there is none. Default `'2s'`. */
  readonly waitForInstance?: Duration | undefined
  /** Time for a `use`, its repetitions and waiting included. Default `'30s'`. */
  readonly timeout?: Duration | undefined
  /** Something that every `use` is put into, such as a circuit breaker. Default: nothing. */
  readonly wrap?: CallWrap | undefined
  /** Whether what a call rejects with is the instance's fault. Default: all but statuses below 500 that are not 408 or 429. */
  readonly isFailure?: FailureTest | undefined
  /** Closes the balancer. */
  readonly signal?: AbortSignal | undefined
}

/** {@link BalancerOptions} with every value decided. */
export interface ResolvedBalancerOptions {
  readonly pool: ResolvedPoolOptions
  readonly call: ResolvedCallOptions
  readonly signal: AbortSignal | undefined
}

/** Every default, with its reason; those of outliers and retries lie with them. */
export const BALANCER_DEFAULTS = Object.freeze({
  /** Of the policies that know nothing of the servers, the one with the shortest tails. */
  policy: 'p2c',
  slowStartMs: 0,
  /** As in Envoy: with half of the instances gone the rest would break down under all calls. */
  panicThreshold: 0.5,
  /** A single instance that is restarted is back within. */
  waitForInstanceMs: 2_000,
  /** Nobody who waits for an answer waits longer; a frozen server holds a call for ever. */
  timeoutMs: 30_000,
})

/** The names of {@link BalancerOptions}. */
export const BALANCER_OPTIONS: readonly (keyof BalancerOptions)[] = [
  'policy',
  'zone',
  'subset',
  'slowStart',
  'outliers',
  'panicThreshold',
  'retry',
  'waitForInstance',
  'timeout',
  'wrap',
  'isFailure',
  'signal',
]

/**
 * Checks and completes. Names that are not known are the caller's to find.
 * @throws ProconsulError `PROCONSUL_INVALID_OPTION`
 */
export function resolveBalancerOptions(options: BalancerOptions): ResolvedBalancerOptions {
  const { policy, slowStartMs, panicThreshold, waitForInstanceMs, timeoutMs } = BALANCER_DEFAULTS
  return Object.freeze({
    pool: Object.freeze({
      policy: resolvePolicy(options.policy ?? policy),
      zone: options.zone === undefined ? undefined : resolveZone(options.zone),
      subset: options.subset === undefined ? undefined : resolveSubset(options.subset),
      slowStartMs: parseDuration('slowStart', options.slowStart ?? slowStartMs),
      outliers: options.outliers === false ? undefined : resolveOutliers(options.outliers ?? {}),
      panicThreshold: checkShare('panicThreshold', options.panicThreshold ?? panicThreshold),
    }),
    call: Object.freeze({
      retry: resolveRetry('retry', options.retry),
      waitForInstanceMs: parseDuration('waitForInstance', options.waitForInstance ?? waitForInstanceMs),
      timeoutMs: parseDuration('timeout', options.timeout ?? timeoutMs, { minMs: 1 }),
      wrap: options.wrap === undefined ? undefined : checkWrap(options.wrap),
      isFailure: options.isFailure === undefined ? undefined : checkFunction('isFailure', options.isFailure),
    }),
    signal: checkSignal('signal', options.signal),
  })
}

/** A number from 0 to 1. */
export function checkShare(option: string, value: unknown): number {
  if (typeof value !== 'number' || !(value >= 0 && value <= 1))
    throw invalidOption(option, value, 'a number from 0 to 1')
  return value
}

function resolvePolicy(policy: unknown): BalancerPolicy {
  if (isPolicy(policy)) return policy
  const expected = `${POLICY_NAMES.map((name) => `'${name}'`).join(' | ')}, or a policy with \`name\` and \`createPicker\``
  const name = POLICY_NAMES.find((known) => known === policy)
  if (name !== undefined) return POLICIES[name]
  throw invalidOption('policy', policy, expected + (typeof policy === 'string' ? didYouMean(policy, POLICY_NAMES) : ''))
}

function isPolicy(value: unknown): value is BalancerPolicy {
  return isRecord(value) && typeof value['name'] === 'string' && typeof value['createPicker'] === 'function'
}

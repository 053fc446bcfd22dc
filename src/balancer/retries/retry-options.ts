import { parseDuration, type Duration } from '../../core/duration.js'
import { checkInteger, checkObject } from '../../core/option-check.js'
import { invalidOption } from '../../errors/invalid-option.js'

/** How many calls may be repeated, compared with those that are made. */
export interface RetryBudgetOptions {
  /** The share of the calls of the last ten seconds. Default 0.2. */
  readonly share?: number | undefined
  /** So many a second beside that, for callers with few calls. Default 10. */
  readonly perSecond?: number | undefined
}

/** How a call is repeated. */
export interface RetryOptions {
  /** Tries in all. Default 3. */
  readonly attempts?: number | undefined
  /**
   * Time for one try. A try that is longer counts as failed, and where the call is `idempotent` another instance is tried. Default: none
   * but the time for the whole call.
   */
  readonly attemptTimeout?: Duration | undefined
  /**
   * Where the call is `idempotent`: after so long without an answer another instance is asked as well, and the first answer counts; the
   * other try is aborted. It is a repetition and taken from the budget. Default: never.
   */
  readonly hedgeAfter?: Duration | undefined
  /** Shared by all that use the pool. */
  readonly budget?: RetryBudgetOptions | undefined
}

/** {@link RetryOptions} with every value decided. */
export interface ResolvedRetry {
  readonly attempts: number
  readonly attemptTimeoutMs: number | undefined
  readonly hedgeAfterMs: number | undefined
  readonly budget: ResolvedRetryBudget
}

/** {@link RetryBudgetOptions} with every value decided. */
export interface ResolvedRetryBudget {
  readonly share: number
  readonly perSecond: number
}

/** Every default, with its reason. */
export const RETRY_DEFAULTS = Object.freeze({
  /** Two instances that die together are passed over. */
  attempts: 3,
  /** Finagle's: when everything fails, the calls that are sent grow by this share at most. */
  share: 0.2,
  perSecond: 10,
})

const MOST_ATTEMPTS = 100
const MOST_PER_SECOND = 1_000_000

/**
 * Checks and completes.
 * @param base what is not given is as there
 * @throws ProconsulError `PROCONSUL_INVALID_OPTION`
 */
export function resolveRetry(
  option: string,
  retry: RetryOptions | false | undefined,
  base?: ResolvedRetry,
): ResolvedRetry {
  const known = base ?? {
    attempts: RETRY_DEFAULTS.attempts,
    attemptTimeoutMs: undefined,
    hedgeAfterMs: undefined,
    budget: { share: RETRY_DEFAULTS.share, perSecond: RETRY_DEFAULTS.perSecond },
  }
  if (retry === undefined) return Object.freeze(known)
  if (retry === false) return Object.freeze({ ...known, attempts: 1 })
  const names: (keyof RetryOptions)[] = ['attempts', 'attemptTimeout', 'hedgeAfter', 'budget']
  checkObject(option, retry, base === undefined ? names : names.filter((name) => name !== 'budget'))
  const time = (name: 'attemptTimeout' | 'hedgeAfter', otherwise: number | undefined): number | undefined =>
    retry[name] === undefined ? otherwise : parseDuration(`${option}.${name}`, retry[name], { minMs: 1 })
  return Object.freeze({
    attempts: checkInteger(`${option}.attempts`, retry.attempts ?? known.attempts, 1, MOST_ATTEMPTS),
    attemptTimeoutMs: time('attemptTimeout', known.attemptTimeoutMs),
    hedgeAfterMs: time('hedgeAfter', known.hedgeAfterMs),
    budget: retry.budget === undefined ? known.budget : resolveBudget(`${option}.budget`, retry.budget),
  })
}

function resolveBudget(option: string, budget: RetryBudgetOptions): ResolvedRetryBudget {
  checkObject(option, budget, ['share', 'perSecond'])
  const share = budget.share ?? RETRY_DEFAULTS.share
  const perSecond = budget.perSecond ?? RETRY_DEFAULTS.perSecond
  const check = (name: string, value: unknown, most: number): number => {
    if (typeof value === 'number' && value >= 0 && value <= most) return value
    throw invalidOption(`${option}.${name}`, value, `a number from 0 to ${most}`)
  }
  return Object.freeze({ share: check('share', share, 10), perSecond: check('perSecond', perSecond, MOST_PER_SECOND) })
}

import { parseDuration, type Duration } from '../../core/duration.js'
import {
  checkBoolean,
  checkFunction,
  checkObject,
  checkSignal,
  checkString,
  isRecord,
} from '../../core/option-check.js'
import { invalidOption } from '../../errors/invalid-option.js'
import type { ServiceInstance } from '../../instances/service-instance.js'
import type { FailureTest } from '../retries/failure.js'
import { resolveRetry, type ResolvedRetry, type RetryOptions } from '../retries/retry-options.js'

/** What a call is told beside its instance. */
export interface CallContext {
  /** 1 for the first try. */
  readonly attempt: number
  /** Aborted when the call is over: its time is up, its caller gave up, or another try was faster. Hand it on to the client. */
  readonly signal: AbortSignal
}

/** A call to an instance. What it rejects with decides whether it is repeated. */
export type Call<T> = (instance: ServiceInstance, context: CallContext) => T | PromiseLike<T>

/** How to make one call. All optional; what is not given is as for the balancer. */
export interface UseOptions {
  /** With `consistent-hash`: equal keys go to the same instance. */
  readonly key?: string | undefined
  /** Gives the call up: it rejects with `PROCONSUL_ABORTED`, and counts for nothing. */
  readonly signal?: AbortSignal | undefined
  /** Time for the call, its repetitions and waiting included. Then `PROCONSUL_TIMEOUT`. */
  readonly timeout?: Duration | undefined
  /**
   * Whether it does no harm to make the call twice. A call that was not sent at all is repeated in any case. Default false.
   */
  readonly idempotent?: boolean | undefined
  /** How it is repeated; `false` for never. */
  readonly retry?: Omit<RetryOptions, 'budget'> | false | undefined
  /** How long to wait for an instance where there is none. */
  readonly waitForInstance?: Duration | undefined
}

/** Something that calls are put into, such as a circuit breaker; policies of `cockatiel` are. */
export interface CallWrap {
  /** Calls the function, or refuses to by rejecting, and settles as it does. */
  execute<T>(call: () => Promise<T>): PromiseLike<T>
}

/** What decides how a call is made. */
export interface ResolvedCallOptions {
  readonly retry: ResolvedRetry
  readonly waitForInstanceMs: number
  readonly timeoutMs: number
  readonly wrap: CallWrap | undefined
  readonly isFailure: FailureTest | undefined
}

/** {@link UseOptions} with every value decided. */
export interface CallPlan {
  readonly key: string | undefined
  readonly signal: AbortSignal | undefined
  readonly timeoutMs: number
  readonly idempotent: boolean
  readonly retry: ResolvedRetry
  readonly waitForInstanceMs: number
}

const OPTIONS: readonly (keyof UseOptions)[] = ['key', 'signal', 'timeout', 'idempotent', 'retry', 'waitForInstance']

/**
 * Checks and completes.
 * @throws ProconsulError `PROCONSUL_INVALID_OPTION`
 */
export function resolveUseOptions(options: UseOptions | undefined, defaults: ResolvedCallOptions): CallPlan {
  if (options === undefined) return { key: undefined, signal: undefined, idempotent: false, ...defaults }
  checkObject('options', options, OPTIONS)
  const { key, signal, timeout, idempotent = false, retry, waitForInstance } = options
  return {
    key: key === undefined ? undefined : checkString('key', key),
    signal: checkSignal('signal', signal),
    timeoutMs: timeout === undefined ? defaults.timeoutMs : parseDuration('timeout', timeout, { minMs: 1 }),
    idempotent: checkBoolean('idempotent', idempotent),
    retry: retry === undefined ? defaults.retry : resolveRetry('retry', retry, defaults.retry),
    waitForInstanceMs:
      waitForInstance === undefined ? defaults.waitForInstanceMs : parseDuration('waitForInstance', waitForInstance),
  }
}

/** @throws ProconsulError `PROCONSUL_INVALID_OPTION` */
export function checkWrap(wrap: CallWrap): CallWrap {
  if (!isRecord(wrap)) throw invalidOption('wrap', wrap, 'an object with a function `execute`')
  checkFunction('wrap.execute', Reflect.get(wrap, 'execute'))
  return wrap
}

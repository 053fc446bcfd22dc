import type { Logger } from '../../core/logger.js'
import { isRecord } from '../../core/option-check.js'
import type { BalancerPolicy, Candidate, IsExcluded, Picker, PolicyContext } from './policy.js'
import { nextAllowed } from './random.js'

/**
 * A policy that users wrote, made safe: where it throws, or names a place that is not there or is excluded, someone is chosen at random.
 * The first failure is logged as an error, later ones for debugging.
 */
export function guardedPolicy(policy: BalancerPolicy, logger: Logger): BalancerPolicy {
  let hasFailed = false
  const report = (error: unknown): void => {
    logger[hasFailed ? 'debug' : 'error']({ policy: policy.name, err: error }, 'a balancer policy failed')
    hasFailed = true
  }
  return {
    name: policy.name,
    usesLatency: policy.usesLatency ?? true,
    createPicker(candidates, context, previous) {
      const before = previous instanceof GuardedPicker ? previous.inner : undefined
      return new GuardedPicker(make(policy, candidates, context, before, report), candidates, context, report)
    },
  }
}

function make(
  policy: BalancerPolicy,
  candidates: readonly Candidate[],
  context: PolicyContext,
  previous: Picker | undefined,
  report: (error: unknown) => void,
): Picker | undefined {
  try {
    const made: unknown = policy.createPicker(candidates, context, previous)
    if (isPicker(made)) return made
    report(new TypeError('createPicker() returned no object with pick()'))
  } catch (error) {
    report(error)
  }
  return undefined
}

function isPicker(value: unknown): value is Picker {
  return isRecord(value) && typeof value['pick'] === 'function'
}

class GuardedPicker implements Picker {
  readonly inner: Picker | undefined
  readonly #size: number
  readonly #context: PolicyContext
  readonly #report: (error: unknown) => void

  constructor(
    inner: Picker | undefined,
    candidates: readonly Candidate[],
    context: PolicyContext,
    report: (error: unknown) => void,
  ) {
    this.inner = inner
    this.#size = candidates.length
    this.#context = context
    this.#report = report
  }

  pick(key: string | undefined, isExcluded: IsExcluded | undefined): number {
    const place = this.#ask(key, isExcluded)
    if (place !== undefined && isExcluded?.(place) !== true) return place
    const any = this.#context.below(this.#size)
    return isExcluded === undefined ? any : nextAllowed(any, this.#size, isExcluded)
  }

  #ask(key: string | undefined, isExcluded: IsExcluded | undefined): number | undefined {
    if (this.inner === undefined) return undefined
    try {
      const place: unknown = this.inner.pick(key, isExcluded)
      if (typeof place === 'number' && Number.isInteger(place) && place >= 0 && place < this.#size) return place
      // -1 says that there is nobody, which may be so where some are excluded.
      if (place !== -1 || isExcluded === undefined) this.#report(new RangeError(`pick() returned no place of the list`))
    } catch (error) {
      this.#report(error)
    }
    return undefined
  }
}

import { withDeadline } from '../../core/abort.js'
import { backoffMs } from '../../core/backoff.js'
import { formatDuration } from '../../core/duration.js'
import type { Runtime } from '../../core/runtime.js'
import { sleep } from '../../core/sleep.js'
import { isProconsulError, ProconsulError } from '../../errors/proconsul-error.js'
import type { ServiceInstance } from '../../instances/service-instance.js'
import type { Pick } from '../members/pick.js'
import type { Pool } from '../pool/pool.js'
import { discard } from './answer.js'
import { Attempt, type Ended } from './attempt.js'
import type { Call, CallPlan } from './call-options.js'
import {
  connectionFailure,
  isInstancesFault,
  mayPassElsewhere,
  pauseAskedBy,
  type FailureTest,
} from '../retries/failure.js'

/** What a call works with. */
export interface BalancedCallParts<T> {
  readonly runtime: Runtime
  readonly pool: Pool
  readonly plan: CallPlan
  readonly call: Call<T>
  readonly isFailure: FailureTest | undefined
}

/** Pauses before a call is made again that was sent: short, for another instance is asked. */
const PAUSES = Object.freeze({ firstMs: 25, maxMs: 1_000 })

/** One call of `use`: picks, tries, decides whether to try again, all within its time. */
export class BalancedCall<T> {
  readonly #parts: BalancedCallParts<T>
  readonly #running = new Set<Attempt<T>>()
  readonly #tried = new Set<ServiceInstance>()
  readonly #endsAt: number
  #attempts = 0
  #isTimeUp = false
  #isWaiting = false

  constructor(parts: BalancedCallParts<T>) {
    this.#parts = parts
    this.#endsAt = parts.runtime.clock.monotonic() + parts.plan.timeoutMs
  }

  /** Makes the call. */
  async run(): Promise<T> {
    const { runtime, pool, plan } = this.#parts
    pool.budget.deposit()
    const onTimeout = (): ProconsulError => {
      this.#isTimeUp = true
      return this.#isWaiting ? pool.noInstance() : this.#timedOut(plan.timeoutMs)
    }
    const deadline = { clock: runtime.clock, timeoutMs: plan.timeoutMs, signal: plan.signal, onTimeout }
    try {
      return await withDeadline(deadline, (signal) => this.#try(signal))
    } finally {
      const over = new ProconsulError('PROCONSUL_ABORTED', 'the call is over')
      for (const attempt of this.#running) attempt.stop(over)
    }
  }

  async #try(signal: AbortSignal): Promise<T> {
    await this.#begin(signal)
    for (let failures = 0; ;) {
      const ended = await this.#next(signal)
      if (ended === undefined) {
        await this.#begin(signal)
        continue
      }
      if (ended.type === 'answered') return ended.value
      failures += 1
      // One that was begun beside it may still answer.
      if (this.#running.size > 0) continue
      const pauseMs = this.#pauseAfter(ended, failures)
      if (pauseMs === undefined) return giveOut(ended)
      if (ended.type === 'bad-answer') discard(ended.value)
      if (pauseMs > 0) await sleep(pauseMs, { clock: this.#parts.runtime.clock, signal })
      await this.#begin(signal)
    }
  }

  /** The next try that ends; undefined when it is time to begin another beside it. */
  async #next(signal: AbortSignal): Promise<Ended<T> | undefined> {
    const ended = [...this.#running].map(async (attempt) => ({ attempt, ended: await attempt.ended }))
    const hedge = this.#hedge(signal)
    try {
      const first = await Promise.race(hedge === undefined ? ended : [...ended, hedge.promise])
      if (first === undefined) return undefined
      this.#running.delete(first.attempt)
      return first.ended
    } finally {
      hedge?.cancel()
    }
  }

  #hedge(signal: AbortSignal): { readonly promise: Promise<undefined>; cancel(): void } | undefined {
    const { runtime, plan, pool } = this.#parts
    const { hedgeAfterMs, attempts } = plan.retry
    if (hedgeAfterMs === undefined || !plan.idempotent || this.#attempts >= attempts) return undefined
    let timer: { cancel(): void } | undefined
    const promise = new Promise<undefined>((resolve) => {
      timer = runtime.clock.setTimer(() => {
        if (!signal.aborted && pool.budget.withdraw()) resolve(undefined)
      }, hedgeAfterMs)
    })
    return { promise, cancel: () => timer?.cancel() }
  }

  async #begin(signal: AbortSignal): Promise<void> {
    const { runtime, call, plan, pool, isFailure } = this.#parts
    const pick = await this.#pick(signal)
    this.#attempts += 1
    this.#tried.add(pick.instance)
    const attempt = new Attempt({
      runtime,
      call,
      pick,
      signal,
      number: this.#attempts,
      isTimeUp: () => this.#isTimeUp,
      timeoutMs: plan.retry.attemptTimeoutMs,
      onTimeout: () => this.#timedOut(plan.retry.attemptTimeoutMs ?? plan.timeoutMs, pick.instance),
      isInstancesFault: (error) => faultOf(error, isFailure, runtime, pool.name),
    })
    this.#running.add(attempt)
  }

  /** An instance that was not tried yet, if there is one. */
  async #pick(signal: AbortSignal): Promise<Pick> {
    const { pool, plan, runtime } = this.#parts
    const waitsUntil = runtime.clock.monotonic() + plan.waitForInstanceMs
    for (;;) {
      const pick = this.#pickNow()
      if (pick !== undefined) return pick
      this.#isWaiting = true
      if (!pool.hasList) await this.#firstList(signal)
      else {
        const leftMs = waitsUntil - runtime.clock.monotonic()
        if (leftMs <= 0) throw pool.noInstance()
        const deadline = { clock: runtime.clock, timeoutMs: leftMs, signal, onTimeout: () => pool.noInstance() }
        await withDeadline(deadline, (waiting) => pool.waitForInstance(waiting))
      }
      this.#isWaiting = false
    }
  }

  #pickNow(): Pick | undefined {
    const { pool, plan } = this.#parts
    const tried = this.#tried
    if (tried.size === 0) return pool.pick(plan.key, undefined)
    const isTried = (instance: ServiceInstance): boolean => tried.has(instance)
    return pool.pick(plan.key, isTried) ?? pool.pick(plan.key, undefined)
  }

  /** Nothing is known yet: waits as long as the call may take. */
  async #firstList(signal: AbortSignal): Promise<void> {
    const { pool } = this.#parts
    try {
      await pool.watcher.ready({ signal })
    } catch (error) {
      if (signal.aborted) throw error
      // Such as a token that may not read the service: waiting is of no use.
      throw isProconsulError(error, 'PROCONSUL_CLOSED') ? error : pool.noInstance()
    }
  }

  /** Milliseconds to wait before the call is made again; undefined when it is not. */
  #pauseAfter(ended: Exclude<Ended<T>, { readonly type: 'answered' }>, failures: number): number | undefined {
    const { plan, pool, runtime } = this.#parts
    if (ended.type === 'stopped' || this.#attempts >= plan.retry.attempts) return undefined
    const failure = ended.type === 'failed' ? ended.error : ended.value
    const isUnsent = ended.type === 'failed' && connectionFailure(failure) === 'unsent'
    const mayRepeat =
      plan.idempotent && (ended.type === 'bad-answer' || ended.isInstancesFault) && mayPassElsewhere(failure)
    if (!isUnsent && !mayRepeat) return undefined
    const askedMs = pauseAskedBy(failure, runtime.clock.now()) ?? 0
    // Nothing was sent, and another instance has nothing to do with it.
    const isElsewhere = isUnsent && pool.members.some(({ instance }) => !this.#tried.has(instance))
    const pauseMs = isElsewhere ? askedMs : Math.max(askedMs, backoffMs(failures - 1, PAUSES, runtime.random))
    if (runtime.clock.monotonic() + pauseMs >= this.#endsAt) return undefined
    return pool.budget.withdraw() ? pauseMs : undefined
  }

  #timedOut(timeoutMs: number, instance?: ServiceInstance): ProconsulError {
    const asked = instance === undefined ? [...this.#running].map((attempt) => attempt.instance) : [instance]
    const who = asked.length === 0 ? '' : ` (asked: ${asked.map(({ id }) => id).join(', ')})`
    const message = `${this.#parts.pool.name} did not answer within ${formatDuration(timeoutMs)}${who}`
    return new ProconsulError('PROCONSUL_TIMEOUT', message)
  }
}

/** What the caller gets of a call that is not repeated. */
function giveOut<T>(ended: Exclude<Ended<T>, { readonly type: 'answered' }>): T {
  if (ended.type === 'bad-answer') return ended.value
  throw ended.error
}

function faultOf(error: unknown, isFailure: FailureTest | undefined, { logger }: Runtime, service: string): boolean {
  if (isFailure === undefined) return isInstancesFault(error)
  try {
    return isFailure(error)
  } catch (thrown) {
    logger.error({ service, err: thrown }, 'the isFailure of a balancer failed')
    return isInstancesFault(error)
  }
}

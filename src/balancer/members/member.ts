import type { ServiceInstance } from '../../instances/service-instance.js'
import type { Candidate } from '../policies/policy.js'
import { connectionFailure } from '../retries/failure.js'
import { PeakLatency } from './latency.js'
import type { Outcome } from './outcome.js'

/** Whether an instance is called. */
export type Standing =
  | { readonly type: 'serving' }
  /** Left out until a moment, in milliseconds since the epoch. */
  | { readonly type: 'ejected'; readonly since: number; readonly until: number }
  /** The next call that comes shows whether it is well again. */
  | { readonly type: 'probing'; readonly since: number }

/** The standing of most. */
export const SERVING: Standing = Object.freeze({ type: 'serving' })

/** A failure counts as a latency of at least this: else an instance that fails fast would draw every call. */
export const LEAST_FAILURE_MS = 1_000

/** Times of picks are kept in 32nds of a millisecond in 32 bits, which need no object: calls of up to 37 hours are measured. */
const TICKS_PER_MS = 32

/** Stands for a call that is not measured. */
export const UNTIMED = 0

/** The calls under way to all members of a pool. */
export interface Tally {
  inFlight: number
}

/** What a member tells its pool. */
export interface MemberHost {
  /** Milliseconds of the monotonic clock. */
  now(): number
  /** A call to one that does not simply serve went well. */
  onGood(member: Member): void
  onFailed(member: Member, error: unknown): void
  /** A call to one that does not simply serve was given up. */
  onCancelled(member: Member): void
}

/** One instance in a pool: what is known of it, and of the calls to it. */
export class Member implements Candidate {
  readonly key: string
  readonly #host: MemberHost
  readonly #tally: Tally
  readonly #latency = new PeakLatency()
  instance: ServiceInstance
  weight: number
  inFlight = 0
  /** Calls that ended well or badly; not those that their callers gave up. */
  calls = 0
  failures = 0
  consecutiveFailures = 0
  /** Of the consecutive failures, those that found no connection, or lost it. */
  connectionFailures = 0
  standing: Standing = SERVING
  /** How often it was ejected of late. */
  ejections = 0
  /** Moment of the monotonic clock at which it came; -Infinity for one that was there from the start. */
  readonly joinedAt: number

  constructor(key: string, instance: ServiceInstance, joinedAt: number, host: MemberHost, tally: Tally) {
    this.key = key
    this.instance = instance
    this.weight = weightOf(instance)
    this.joinedAt = joinedAt
    this.#host = host
    this.#tally = tally
  }

  /** The same process in a newer list. */
  replace(instance: ServiceInstance): void {
    this.instance = instance
    this.weight = weightOf(instance)
  }

  latencyAt(now: number): number {
    return this.#latency.at(now)
  }

  /** The latency as it was when it was last measured. */
  get lastLatencyMs(): number | undefined {
    return this.#latency.last
  }

  /** Forgets the latency, so that what it was when the instance was ill is not held against it. */
  forgetLatency(): void {
    this.#latency.forget()
  }

  /** A call to it begins. */
  begin(): void {
    this.inFlight += 1
    this.#tally.inFlight += 1
  }

  /** A call to it has ended. */
  end(startedAt: number, outcome: Outcome | undefined): void {
    this.inFlight -= 1
    this.#tally.inFlight -= 1
    if (outcome === undefined) {
      this.#succeed(startedAt, undefined)
      return
    }
    const { ok, error, cancelled, latencyMs } = outcome
    if (cancelled === true) {
      if (this.standing !== SERVING) this.#host.onCancelled(this)
      return
    }
    if (ok === false || (ok === undefined && error !== undefined)) this.#fail(startedAt, latencyMs, error)
    else this.#succeed(startedAt, latencyMs)
  }

  #succeed(startedAt: number, latencyMs: number | undefined): void {
    this.calls += 1
    if (this.consecutiveFailures > 0) this.consecutiveFailures = this.connectionFailures = 0
    if (this.standing !== SERVING) this.#host.onGood(this)
    if (latencyMs !== undefined) this.#latency.add(latencyMs, this.#host.now())
    else if (startedAt !== UNTIMED) {
      const now = this.#host.now()
      this.#latency.add(elapsedMs(startedAt, now), now)
    }
  }

  #fail(startedAt: number, latencyMs: number | undefined, error: unknown): void {
    this.calls += 1
    this.failures += 1
    this.consecutiveFailures += 1
    if (connectionFailure(error) !== undefined) this.connectionFailures += 1
    const now = this.#host.now()
    const measuredMs = latencyMs ?? (startedAt === UNTIMED ? 0 : elapsedMs(startedAt, now))
    this.#latency.add(Math.max(LEAST_FAILURE_MS, measuredMs), now)
    this.#host.onFailed(this, error)
  }
}

/** A moment of the monotonic clock as a pick keeps it: never {@link UNTIMED}. */
export function startTicks(now: number): number {
  return (now * TICKS_PER_MS) | 1
}

function elapsedMs(startedAt: number, now: number): number {
  return ((((now * TICKS_PER_MS) | 1) - startedAt) >>> 0) / TICKS_PER_MS
}

/** One that weighs nothing is called only where all do, and then they are equal. */
function weightOf({ weight }: ServiceInstance): number {
  return weight > 0 ? weight : 1
}

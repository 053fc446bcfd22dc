import { jitterMs, type BackoffOptions } from '../core/backoff.js'
import { retryPauseMs } from '../core/persist.js'
import type { Runtime } from '../core/runtime.js'
import { TokenBucket } from '../core/token-bucket.js'
import type { ProconsulError } from '../errors/proconsul-error.js'
import { isOutage, OUTAGE_DELAYS } from './shared-backoff.js'

/** How fast a query may be read. */
export interface PaceOptions {
  /** Time between two reads of a query that changes all the time. */
  readonly intervalMs: number
  /** Time between two reads of a query that has nothing to wait by. */
  readonly pollMs: number
}

/** An answer that was shown, as far as it decides when to read again. */
export interface PacedAnswer {
  /** Whether it brought something new after a first one. */
  readonly changed: boolean
  /** Whether it stands for something that does not exist. */
  readonly isEmpty: boolean
  /** Whether the read was one of a round among more queries than places, which bounds the rate by itself. */
  readonly isVisit: boolean
  /** Whether there is nothing to wait by. */
  readonly polls: boolean
}

/** Reads that may follow each other at once after quiet: the burst that Consul's page on blocking queries asks for. */
const BURST = 2

/** What does not exist is read so many times slower while that brings nothing: the agent wakes it for every change in the catalog. */
const EMPTY_FACTOR = 8

/** Delays of one query that is refused by itself. Whoever mends that (a permission, say) sees it within half a minute. */
const OWN_DELAYS: BackoffOptions = Object.freeze({ firstMs: 250, maxMs: 30_000 })

/** A query counts as hot for so long after a change. */
const HOT_MS = 30_000

/** Share by which a poll interval varies, so that queries started together drift apart. */
const POLL_JITTER = 0.1

/** When one query may be read again. Every method returns milliseconds to rest. */
export class Pace {
  readonly #runtime: Runtime
  readonly #options: PaceOptions
  readonly #bucket: TokenBucket
  readonly #emptyBucket: TokenBucket
  #failures = 0
  #changedAt = -Infinity
  #hurriedAt = -Infinity

  constructor(runtime: Runtime, options: PaceOptions) {
    this.#runtime = runtime
    this.#options = options
    const { intervalMs } = options
    this.#bucket = new TokenBucket(runtime.clock, { burst: BURST, refillMs: intervalMs })
    this.#emptyBucket = new TokenBucket(runtime.clock, { burst: BURST, refillMs: intervalMs * EMPTY_FACTOR })
  }

  /** Whether the query changed lately. */
  get hot(): boolean {
    return this.#now() - this.#changedAt < HOT_MS
  }

  /** After an answer that was shown. */
  afterAnswer({ changed, isEmpty, isVisit, polls }: PacedAnswer): number {
    this.#failures = 0
    if (changed) this.#changedAt = this.#now()
    if (polls) return jitterMs(this.#options.pollMs, POLL_JITTER, this.#runtime.random)
    const restMs = this.#bucket.take()
    return isEmpty && !changed && !isVisit ? Math.max(restMs, this.#emptyBucket.take()) : restMs
  }

  /** After an answer that was not shown. */
  afterDropped(): number {
    return this.#bucket.take()
  }

  /** After a failed read. Longer each time in a row; what the agent asks for is heeded, within bounds. */
  afterFailure(error: ProconsulError): number {
    const delays = isOutage(error) ? OUTAGE_DELAYS : OWN_DELAYS
    const pauseMs = retryPauseMs(error, this.#failures, { runtime: this.#runtime, delays })
    this.#failures += 1
    return pauseMs
  }

  /** Whether a rest may be cut short now: once per interval. */
  mayHurry(): boolean {
    const now = this.#now()
    if (now - this.#hurriedAt < this.#options.intervalMs) return false
    this.#hurriedAt = now
    return true
  }

  #now(): number {
    return this.#runtime.clock.monotonic()
  }
}

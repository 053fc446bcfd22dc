import { AbortLink, throwIfAborted } from '../core/abort.js'
import { backoffMs, jitterMs, type BackoffOptions } from '../core/backoff.js'
import type { Runtime } from '../core/runtime.js'
import { sleep } from '../core/sleep.js'
import { TokenBucket } from '../core/token-bucket.js'
import { ProconsulError, isProconsulError, type ProconsulErrorCode } from '../errors/proconsul-error.js'
import type { QueryMeta } from '../http/query-meta.js'
import type { Pass, SharedBackoff } from './shared-backoff.js'
import type { Turns } from './turns.js'
import { nextPosition, POLL, START, type WaitPosition } from './wait-position.js'
import type { ResolvedWatchOptions } from './watch-options.js'
import type { WatchKind, WatchQuery, WatchRead, WatchReading } from './watch-query.js'

/** A bounded number of places for reads that answer at once. */
export interface ReadGate {
  enter(signal?: AbortSignal): Promise<void>
  leave(): void
}

/** What a loop works with. */
export interface LoopParts {
  readonly runtime: Runtime
  readonly options: ResolvedWatchOptions
  readonly turns: Turns
  readonly plainReads: ReadGate
  readonly backoff: SharedBackoff
}

/** Hears of each read. */
export interface LoopListener<T> {
  /** The index is that of the answer. Returns whether the value says something new. */
  onRead(value: T, index: number | undefined): boolean
  onFailure(error: ProconsulError): void
}

/** Where a loop is. */
export type LoopState =
  | { readonly type: 'stopped' }
  /** Between two reads: held back by the rate, by a poll interval, by the shared back-off, or waiting for a turn. */
  | { readonly type: 'resting' }
  | { readonly type: 'reading' }
  | { readonly type: 'blocking'; readonly waitMs: number }
  | { readonly type: 'backing-off' }

/** Delays of one query that fails, on top of the shared ones. */
const DELAYS: BackoffOptions = Object.freeze({ firstMs: 250, maxMs: 30_000 })

/** A query counts as hot for so long after a change. */
const HOT_MS = 30_000

/** Share by which a poll interval varies, so that queries started together drift apart. */
const POLL_JITTER = 0.1

/** To pack and unpack so few bytes takes longer than to hand them over. */
const SMALL_BODY_BYTES = 16 * 1024

/** Failures in which the agent, or what is behind it, is at fault and not the one query. */
const SHARED_FAILURES: readonly ProconsulErrorCode[] = [
  'PROCONSUL_UNAVAILABLE',
  'PROCONSUL_NO_LEADER',
  'PROCONSUL_RATE_LIMITED',
  'PROCONSUL_TIMEOUT',
  'PROCONSUL_TLS',
]

/** Reads one query again and again, for as long as it is started. The rules are in docs/guides/watching.md. */
export class QueryLoop<T> {
  readonly #query: WatchQuery<T>
  readonly #kind: WatchKind<T>
  readonly #parts: LoopParts
  readonly #listener: LoopListener<T>
  readonly #bucket: TokenBucket
  readonly #emptyBucket: TokenBucket
  #state: LoopState = { type: 'stopped' }
  #link: AbortLink | undefined
  #nap: AbortLink | undefined
  #running: Promise<void> = Promise.resolve()
  #position: WaitPosition = START
  #epoch = 0
  #fresh = false
  #isLarge = true
  #isVisit = false
  #lastIndex = 0
  #attempt = 0
  #startedAt = 0
  #changedAt = -Infinity
  #hurriedAt = -Infinity
  #reads = 0
  #started: () => void = () => undefined

  constructor(query: WatchQuery<T>, kind: WatchKind<T>, parts: LoopParts, listener: LoopListener<T>) {
    this.#query = query
    this.#kind = kind
    this.#parts = parts
    this.#listener = listener
    const { clock } = parts.runtime
    const { burst, intervalMs, emptyIntervalMs } = parts.options
    this.#bucket = new TokenBucket(clock, { burst, refillMs: intervalMs })
    this.#emptyBucket = new TokenBucket(clock, { burst, refillMs: emptyIntervalMs })
  }

  get state(): LoopState {
    return this.#state
  }

  /** Reads sent so far. */
  get reads(): number {
    return this.#reads
  }

  /** Whether the query changed lately. */
  get hot(): boolean {
    return this.#parts.runtime.clock.monotonic() - this.#changedAt < HOT_MS
  }

  /** Begins to read, at once and without waiting for a change. Does nothing while it runs. */
  start(): void {
    if (this.#link !== undefined) return
    const link = new AbortLink()
    this.#link = link
    this.#position = START
    this.#state = { type: 'resting' }
    this.#startedAt = this.#parts.runtime.clock.monotonic()
    this.#started = this.#parts.turns.join()
    const before = this.#running
    this.#running = before.then(() => this.#run(link.signal))
  }

  /** Ends the read under way. Resolves when the loop has left. */
  async stop(): Promise<void> {
    if (this.#link !== undefined) {
      this.#link.abort(new ProconsulError('PROCONSUL_CLOSED', `${this.#kind.name}: the watch is closed`))
      this.#link = undefined
      this.#state = { type: 'stopped' }
      this.#started()
      this.#parts.turns.part()
    }
    await this.#running
  }

  /** Ends a rest, a back-off or a wait for a turn early, at most once per interval, and reads without waiting for a change. */
  hurry(): void {
    const now = this.#parts.runtime.clock.monotonic()
    if (now - this.#hurriedAt < this.#parts.options.intervalMs) return
    this.#hurriedAt = now
    this.#nap?.abort(new ProconsulError('PROCONSUL_ABORTED', 'a fresh read was asked for'))
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const restMs = await this.#step(signal)
      if (restMs > 0) await this.#rest(restMs, signal)
    }
  }

  /** One read; returns how long to rest after it. */
  async #step(signal: AbortSignal): Promise<number> {
    let pass: Pass | undefined
    try {
      pass = await this.#parts.backoff.pass(signal)
      // A loop that slept through an outage must not wait by an index from before it: the agent may have lost its state.
      if (pass.epoch !== this.#epoch) this.#position = START
      const { type } = this.#position
      return type === 'start' || type === 'poll' ? await this.#plain(pass, signal) : await this.#blocking(pass, signal)
    } catch (error) {
      if (!signal.aborted) return this.#failed(typed(this.#kind.name, error), pass)
      if (pass !== undefined) this.#parts.backoff.abandoned(pass)
      return 0
    }
  }

  async #plain(pass: Pass, signal: AbortSignal): Promise<number> {
    const { plainReads, backoff } = this.#parts
    await plainReads.enter(signal)
    try {
      // The agent failed while this one waited for a place.
      if (backoff.epoch !== pass.epoch) return 0
      this.#state = { type: 'reading' }
      this.#isVisit = false
      return await this.#read({ waitMs: 0, fresh: this.#fresh, compress: this.#isLarge, signal }, pass)
    } finally {
      plainReads.leave()
    }
  }

  async #blocking(pass: Pass, signal: AbortSignal): Promise<number> {
    const { turns, backoff, runtime } = this.#parts
    const request = { hot: this.hot, ageMs: runtime.clock.monotonic() - this.#startedAt }
    const turn = await this.#unlessHurried(signal, (nap) => turns.enter(request, nap))
    if (turn === undefined) return 0
    try {
      if (backoff.epoch !== pass.epoch) return 0
      this.#state = { type: 'blocking', waitMs: turn.waitMs }
      this.#isVisit = turn.isVisit
      return await this.#read(
        { ...waitingFor(this.#position), waitMs: turn.waitMs, fresh: false, compress: this.#isLarge, signal },
        pass,
      )
    } finally {
      turn.leave()
    }
  }

  async #read(request: WatchRead, pass: Pass): Promise<number> {
    this.#reads += 1
    const reading = await this.#query.read(request)
    throwIfAborted(request.signal)
    this.#parts.backoff.succeeded()
    this.#epoch = pass.epoch
    this.#state = { type: 'resting' }
    this.#isLarge = (reading.meta.bodyBytes ?? Infinity) > SMALL_BODY_BYTES
    return this.#accept(reading, request)
  }

  /** Reports a reading unless it is older than what is known; returns how long to rest. */
  #accept({ value, meta }: WatchReading<T>, request: WatchRead): number {
    this.#position =
      this.#query.pollMs === undefined ? nextPosition(request.index === undefined ? START : this.#position, meta) : POLL
    const wentBack = this.#position.type === 'start'
    if (wentBack || (!request.fresh && this.#isOld(meta))) {
      this.#position = START
      this.#fresh = !wentBack || this.#query.stale === true
      return this.#bucket.take()
    }
    if (meta.knownLeader === false && request.fresh) throw noLeader(this.#kind.name)
    this.#fresh = false
    this.#lastIndex = meta.index ?? 0
    const changed = this.#listener.onRead(value, meta.index)
    this.#attempt = 0
    this.#started()
    if (changed) this.#changedAt = this.#parts.runtime.clock.monotonic()
    return this.#pauseMs(changed, value)
  }

  #isOld(meta: QueryMeta): boolean {
    const { maxStaleMs } = this.#parts.options
    const contactMs = meta.lastContactMs ?? 0
    if (meta.knownLeader === false && contactMs === 0) return true
    if (contactMs > maxStaleMs || (meta.cacheAgeMs ?? 0) > maxStaleMs) return true
    // Servers that lag differ in their indexes: an older one would show a state that was already over.
    return this.#query.stale === true && meta.index !== undefined && meta.index < this.#lastIndex
  }

  #pauseMs(changed: boolean, value: T): number {
    const { options, runtime } = this.#parts
    if (this.#position.type === 'poll') {
      return jitterMs(this.#query.pollMs ?? options.pollIntervalMs, POLL_JITTER, runtime.random)
    }
    const restMs = this.#bucket.take()
    if (changed || this.#isVisit || this.#kind.isEmpty?.(value) !== true) return restMs
    return Math.max(restMs, this.#emptyBucket.take())
  }

  #failed(error: ProconsulError, pass: Pass | undefined): number {
    const { runtime } = this.#parts
    this.#position = START
    this.#state = { type: 'backing-off' }
    if (pass !== undefined) this.#tellBackoff(error, pass)
    const delayMs = backoffMs(this.#attempt, DELAYS, runtime.random)
    this.#attempt += 1
    this.#started()
    this.#listener.onFailure(error)
    return Math.max(delayMs, error.retryAfterMs ?? 0)
  }

  #tellBackoff(error: ProconsulError, pass: Pass): void {
    const { backoff } = this.#parts
    if (SHARED_FAILURES.includes(error.code)) backoff.failed(pass, error)
    // An answer that makes no sense tells nothing about the agent.
    else if (error.code === 'PROCONSUL_BAD_RESPONSE') backoff.abandoned(pass)
    else backoff.succeeded()
  }

  async #rest(delayMs: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts.runtime
    await this.#unlessHurried(signal, (nap) => sleep(delayMs, { clock, signal: nap })).catch((error: unknown) => {
      if (!signal.aborted) throw error
    })
  }

  /** What `work` yields; undefined, with the position at the start, when {@link hurry} cut it short. */
  async #unlessHurried<R>(signal: AbortSignal, work: (signal: AbortSignal) => Promise<R>): Promise<R | undefined> {
    const nap = new AbortLink(signal)
    this.#nap = nap
    try {
      return await work(nap.signal)
    } catch (error) {
      if (signal.aborted || !nap.signal.aborted) throw error
      this.#position = START
      return undefined
    } finally {
      this.#nap = undefined
      nap.unlink()
    }
  }
}

function waitingFor(position: WaitPosition): Pick<WatchRead, 'index' | 'hash'> {
  if (position.type === 'index') return { index: position.index }
  return position.type === 'hash' ? { hash: position.hash } : {}
}

function noLeader(name: string): ProconsulError {
  return new ProconsulError('PROCONSUL_NO_LEADER', `${name}: the agent answers, but no server knows a leader`)
}

/** What a query's reader throws by mistake, on an answer that nobody expected, is a bad answer. */
function typed(name: string, error: unknown): ProconsulError {
  return isProconsulError(error)
    ? error
    : new ProconsulError('PROCONSUL_BAD_RESPONSE', `${name}: the answer could not be understood`, { cause: error })
}

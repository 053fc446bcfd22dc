import { AbortLink, throwIfAborted } from '../core/abort.js'
import type { Runtime } from '../core/runtime.js'
import { sleep } from '../core/sleep.js'
import { ProconsulError, isProconsulError } from '../errors/proconsul-error.js'
import { judge, restart, START, type WaitPosition } from './index-rules.js'
import { Pace } from './pace.js'
import { isOutage, type Pass, type SharedBackoff } from './shared-backoff.js'
import type { Turn, Turns } from './turns.js'
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
  /** A read failed, or is not even tried because another of the same scope failed. */
  onFailure(error: ProconsulError): void
}

/** From one start to the next stop. */
interface Run {
  readonly link: AbortLink
  readonly startedAt: number
  /** The turns learn that the query has its first answer or failure. */
  readonly started: () => void
}

/** Where a loop is. What a run does once it is not the present one any more changes nothing. */
type State =
  | { readonly type: 'stopped' }
  | {
      /**
       * `resting`: between two reads, held back by the rate, by a poll interval, or waiting for a turn. `backing-off`: the same after a
       * failure, or because of another's.
       */
      readonly type: 'resting' | 'backing-off' | 'reading' | 'blocking'
      readonly run: Run
      /** Cuts short what is waited for. */
      readonly nap?: AbortLink
    }

/** How the next read waits, and in which epoch of the shared back-off that was learnt. */
interface Place {
  readonly position: WaitPosition
  readonly epoch: number
}

/** Where to go on after a read, and how long to rest before. */
interface Step extends Place {
  readonly restMs: number
  readonly rest: 'resting' | 'backing-off'
}

/** To pack and unpack so few bytes takes longer than to hand them over. */
const SMALL_BODY_BYTES = 16 * 1024

/**
 * Reads one query again and again, for as long as it is started. What answers mean is in `index-rules.ts`, how fast it reads in
 * `pace.ts`; docs/guides/watching.md has the whole in one picture.
 */
export class QueryLoop<T> {
  readonly #query: WatchQuery<T>
  readonly #kind: WatchKind<T>
  readonly #parts: LoopParts
  readonly #listener: LoopListener<T>
  readonly #pace: Pace
  #state: State = { type: 'stopped' }
  /** Settles when every run has left. */
  #left: Promise<void> = Promise.resolve()
  #shownIndex: number | undefined
  #isLarge = true
  #reads = 0

  constructor(query: WatchQuery<T>, kind: WatchKind<T>, parts: LoopParts, listener: LoopListener<T>) {
    this.#query = query
    this.#kind = kind
    this.#parts = parts
    this.#listener = listener
    const { intervalMs, pollIntervalMs } = parts.options
    this.#pace = new Pace(parts.runtime, { intervalMs, pollMs: query.pollMs ?? pollIntervalMs })
  }

  get state(): State['type'] {
    return this.#state.type
  }

  /** Reads sent so far. */
  get reads(): number {
    return this.#reads
  }

  /** Whether the query changed lately. */
  get hot(): boolean {
    return this.#pace.hot
  }

  /** Begins to read, at once and without waiting for a change. Does nothing while it runs. */
  start(): void {
    if (this.#state.type !== 'stopped') return
    const { runtime, turns } = this.#parts
    const run = { link: new AbortLink(), startedAt: runtime.clock.monotonic(), started: turns.join() }
    this.#state = { type: 'resting', run }
    const before = this.#left
    this.#left = before.then(() => this.#run(run))
  }

  /** Ends the read under way. Resolves when the loop has left. */
  async stop(): Promise<void> {
    const state = this.#state
    if (state.type !== 'stopped') {
      this.#state = { type: 'stopped' }
      state.run.started()
      this.#parts.turns.part()
      state.run.link.abort(new ProconsulError('PROCONSUL_CLOSED', `${this.#kind.name}: the watch is closed`))
    }
    await this.#left
  }

  /** Ends a rest, a back-off or a wait for a turn early, at most once per interval, and reads without waiting for a change. */
  hurry(): void {
    const nap = this.#state.type === 'stopped' ? undefined : this.#state.nap
    if (nap !== undefined && this.#pace.mayHurry()) {
      nap.abort(new ProconsulError('PROCONSUL_ABORTED', 'a fresh read was asked for'))
    }
  }

  async #run(run: Run): Promise<void> {
    let place: Place = { position: START, epoch: 0 }
    while (!run.link.signal.aborted) {
      const { restMs, rest, ...next } = await this.#step(place, run)
      const hasRested = restMs <= 0 || (await this.#rest(rest, restMs, run))
      place = hasRested ? next : { ...next, position: restart(next.position) }
    }
  }

  /** One read, when the agent may be asked and a place is free. */
  async #step({ position: learnt, epoch }: Place, run: Run): Promise<Step> {
    const { backoff } = this.#parts
    const { signal } = run.link
    let pass: Pass | undefined
    let position = learnt
    try {
      pass = await backoff.pass(signal, (error) => this.#fail(error, run))
      // A loop that slept through an outage must not wait by an index from before it: the agent may have lost its state.
      if (pass.epoch !== epoch) position = restart(position)
      const seat = await this.#seat(position, run)
      if (seat !== undefined) {
        try {
          // Else the agent failed while this one waited for its place.
          if (backoff.epoch === pass.epoch) return await this.#read(position, pass, seat, run)
        } finally {
          seat.leave()
        }
      }
      backoff.abandoned(pass)
      return { position: restart(position), epoch, restMs: 0, rest: 'resting' }
    } catch (error) {
      if (pass !== undefined) this.#answerFor(pass, error, signal)
      if (signal.aborted) return { position, epoch, restMs: 0, rest: 'resting' }
      const failure = this.#typed(error)
      this.#fail(failure, run)
      return { position: restart(position), epoch, restMs: this.#pace.afterFailure(failure), rest: 'backing-off' }
    }
  }

  /** A place for one read; undefined when {@link hurry} ended the wait for it. */
  async #seat(position: WaitPosition, run: Run): Promise<Turn | undefined> {
    const { turns, plainReads, runtime } = this.#parts
    if (position.type === 'index' || position.type === 'hash') {
      const request = { hot: this.hot, ageMs: runtime.clock.monotonic() - run.startedAt }
      return await this.#unlessHurried('resting', run, (signal) => turns.enter(request, signal))
    }
    await plainReads.enter(run.link.signal)
    return { waitMs: 0, isVisit: false, leave: () => plainReads.leave() }
  }

  async #read(position: WaitPosition, pass: Pass, { waitMs, isVisit }: Turn, run: Run): Promise<Step> {
    const { backoff, options } = this.#parts
    this.#enter(run, waitMs > 0 ? 'blocking' : 'reading')
    this.#reads += 1
    const { signal } = run.link
    const { value, meta } = await this.#ask({ ...asked(position), waitMs, compress: this.#isLarge, signal })
    const { stale = false, pollMs } = this.#query
    const judged = { shownIndex: this.#shownIndex, stale, polls: pollMs !== undefined, maxStaleMs: options.maxStaleMs }
    const verdict = judge(position, meta, judged)
    if (verdict.type === 'no-leader') throw noLeader(this.#kind.name)

    backoff.succeeded()
    this.#enter(run, 'resting')
    const place = { position: verdict.next, epoch: pass.epoch, rest: 'resting' } as const
    if (verdict.type === 'read-anew') return { ...place, restMs: this.#pace.afterDropped() }

    this.#shownIndex = meta.index
    const changed = this.#listener.onRead(value, meta.index)
    run.started()
    const isEmpty = this.#kind.isEmpty?.(value) === true
    const polls = verdict.next.type === 'poll'
    return { ...place, restMs: this.#pace.afterAnswer({ changed, isEmpty, isVisit, polls }) }
  }

  async #ask(request: WatchRead): Promise<WatchReading<T>> {
    const reading = await this.#query.read(request)
    throwIfAborted(request.signal)
    this.#isLarge = (reading.meta.bodyBytes ?? Infinity) > SMALL_BODY_BYTES
    return reading
  }

  /** Tells the shared back-off what became of its pass. */
  #answerFor(pass: Pass, error: unknown, signal: AbortSignal): void {
    const { backoff } = this.#parts
    // A read that was ended here, and an answer that makes no sense, tell nothing about the agent.
    if (signal.aborted || !isProconsulError(error) || error.code === 'PROCONSUL_BAD_RESPONSE') backoff.abandoned(pass)
    else if (isOutage(error)) backoff.failed(pass, error)
    else backoff.succeeded()
  }

  #fail(error: ProconsulError, run: Run): void {
    if (!this.#enter(run, 'backing-off')) return
    run.started()
    this.#listener.onFailure(error)
  }

  /** Rests; false when {@link hurry} or a stop cut it short. */
  async #rest(type: 'resting' | 'backing-off', restMs: number, run: Run): Promise<boolean> {
    const { clock } = this.#parts.runtime
    const rested = this.#unlessHurried(type, run, async (signal) => {
      await sleep(restMs, { clock, signal })
      return true
    })
    return (await rested.catch(() => undefined)) === true
  }

  /** What `work` yields; undefined when {@link hurry} cut it short. Rejects when the run is stopped. */
  async #unlessHurried<R>(
    type: 'resting' | 'backing-off',
    run: Run,
    work: (signal: AbortSignal) => Promise<R>,
  ): Promise<R | undefined> {
    const nap = new AbortLink(run.link.signal)
    this.#enter(run, type, nap)
    try {
      return await work(nap.signal)
    } catch (error) {
      if (run.link.signal.aborted || !nap.signal.aborted) throw error
      return undefined
    } finally {
      this.#enter(run, type)
      nap.unlink()
    }
  }

  /** Changes the state, unless the run is not the present one any more; returns whether it is. */
  #enter(run: Run, type: Exclude<State['type'], 'stopped'>, nap?: AbortLink): boolean {
    const isPresent = this.#state.type !== 'stopped' && this.#state.run === run
    if (isPresent) this.#state = { type, run, ...(nap && { nap }) }
    return isPresent
  }

  /** What a query's reader throws by mistake, on an answer that nobody expected, is a bad answer. */
  #typed(error: unknown): ProconsulError {
    const message = `${this.#kind.name}: the answer could not be understood`
    return isProconsulError(error) ? error : new ProconsulError('PROCONSUL_BAD_RESPONSE', message, { cause: error })
  }
}

function asked(position: WaitPosition): Pick<WatchRead, 'index' | 'hash' | 'fresh'> {
  const fresh = position.type === 'start' && position.from === 'leader'
  if (position.type === 'index') return { index: position.index, fresh }
  return position.type === 'hash' ? { hash: position.hash, fresh } : { fresh }
}

function noLeader(name: string): ProconsulError {
  return new ProconsulError('PROCONSUL_NO_LEADER', `${name}: the agent answers, but no server knows a leader`)
}

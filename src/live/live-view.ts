import { AbortLink, throwIfAborted } from '../core/abort.js'
import { outOfContext } from '../core/async-context.js'
import { tell } from '../core/channels.js'
import { formatDuration, parseDuration, type Duration } from '../core/duration.js'
import { Emitter, type EventMap } from '../core/emitter.js'
import { checkObject, checkSignal } from '../core/option-check.js'
import type { Runtime } from '../core/runtime.js'
import { WaitingLine } from '../core/waiting-line.js'
import { ProconsulError } from '../errors/proconsul-error.js'
import type { Closeable } from '../lifecycle/closeable.js'
import { isProcessEnding } from '../lifecycle/shutdown-group.js'
import { LatestValue } from './latest-value.js'
import type { Confirmed, Hold, LiveSource, Observer } from './live-source.js'
import { doubted, factOf, failed, failureOf, type LiveState } from './live-state.js'

/** Why a value may be out of date. Frozen. */
export interface Staleness {
  /** Wall time in milliseconds since which it may be. */
  readonly since: number
  /** When the value was last known to be right, in milliseconds since the epoch. */
  readonly receivedAt: number
  /** What reading fails with, or why what was read is not believed. */
  readonly error: ProconsulError
}

/** How long a value was out of date. Frozen. */
export interface Recovery {
  /** Milliseconds. */
  readonly staleForMs: number
  /** When the value was last known to be right, in milliseconds since the epoch. */
  readonly receivedAt: number
}

/** The events of everything that is followed. Listeners are called synchronously, in the order they were added. */
export interface LiveEvents<Change> {
  /** The value is there for the first time, or has changed. Not fired when it was read again and is the same. */
  readonly change: [change: Change]
  /** The value may be out of date: it cannot be read, or what was read is in doubt. The last good one is kept. Once per outage. */
  readonly stale: [staleness: Staleness]
  /** The value is known to be right again. Before the `change`, if there was one meanwhile. */
  readonly recovered: [recovery: Recovery]
  /** The first failure of an outage, and again when its code changes; or something beside the value, such as a cache file. */
  readonly error: [error: ProconsulError]
  /** It was closed. Nothing follows. */
  readonly closed: []
}

/** How long to wait for a first value. */
export interface ReadyOptions {
  /** Ends the wait with `PROCONSUL_ABORTED`; the view goes on. */
  readonly signal?: AbortSignal | undefined
  /** Default: for ever. */
  readonly timeout?: Duration | undefined
}

/** What a view works with. */
export interface LiveParts<Fact extends Confirmed> {
  readonly runtime: Runtime
  readonly source: LiveSource<Fact>
  /** Closes the view. */
  readonly signal?: AbortSignal | undefined
  /** Called once, when the view is closed. */
  readonly onClose?: () => void
}

const LIVE_EVENTS = ['change', 'stale', 'recovered', 'error', 'closed'] as const

/**
 * Follows a source: the first answer, the latest value, whether it is still right, and since when not. The last good value stays
 * whatever comes. Keeps the process running until it is closed. What the value is to users, and what a change is, subclasses say.
 */
export abstract class LiveView<Fact extends Confirmed, Value, Change, More extends EventMap<More> = object>
  extends Emitter<LiveEvents<Change> & More>
  implements Closeable, AsyncIterable<Value>
{
  readonly #parts: LiveParts<Fact>
  readonly #first = new WaitingLine<Value>()
  readonly #latest = new LatestValue<Value>(() => this.present())
  readonly #link: AbortLink
  readonly #hold: Hold
  readonly #onAbort = (): void => void this.close()
  /** What the source said before the subclass was there to hear it. */
  #early: (() => void)[] | undefined = []
  #state: LiveState<Fact> = { type: 'starting', failure: undefined }
  #toldCode: string | undefined
  #closing: Promise<void> = Promise.resolve()

  protected constructor(parts: LiveParts<Fact>, more: readonly (keyof More & string)[] = []) {
    super(parts.runtime.logger, [...LIVE_EVENTS, ...more])
    this.#parts = parts
    this.#link = new AbortLink(parts.signal)
    this.#hold = this.#observe(parts.source)
    queueMicrotask(() => this.#begin())
  }

  /** Whether the value cannot be read at present, or is in doubt: it is the last good one, or none yet. */
  get stale(): boolean {
    return this.#state.type !== 'fresh'
  }

  /** Since when and why the value may be out of date; undefined while it is current, and before the first. */
  get staleness(): Staleness | undefined {
    return this.#state.type === 'stale' ? stalenessOf(this.#state) : undefined
  }

  /** What reading fails with at present. */
  get failure(): ProconsulError | undefined {
    return failureOf(this.#state)
  }

  /** When the value was last known to be right, in milliseconds since the epoch; undefined before the first. */
  get receivedAt(): number | undefined {
    return factOf(this.#state)?.confirmedAt
  }

  /**
   * Resolves with the first value, at once if there is one. Who waited has it even when a listener of its `change` closes the view.
   * @throws ProconsulError `PROCONSUL_INVALID_OPTION`, `PROCONSUL_TIMEOUT`, `PROCONSUL_ABORTED`, `PROCONSUL_CLOSED`, or the failure itself
   * when repeating the read cannot help, such as `PROCONSUL_PERMISSION_DENIED` or `PROCONSUL_REJECTED`; the view goes on even so.
   */
  async ready(options: ReadyOptions = {}): Promise<Value> {
    checkObject('options', options, ['signal', 'timeout'])
    const timeoutMs = options.timeout === undefined ? undefined : parseDuration('timeout', options.timeout)
    throwIfAborted(checkSignal('signal', options.signal))
    if (this.#state.type === 'closed') throw this.#closedError()
    if (this.#state.type !== 'starting') return this.present()
    if (this.#state.failure?.retryable === false) throw this.#state.failure
    return await this.#wait(options.signal, timeoutMs)
  }

  /**
   * Yields the present value first, as soon as there is one, then the latest after each change and when it has become stale or is right
   * again: what came between is skipped. Ends when the view is closed.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<Value, void, undefined> {
    return this.#latest.iterate()
  }

  /** Stops reading and telling until {@link resume}; the value stays as it is. */
  pause(): void {
    if (this.#state.type !== 'closed') outOfContext(() => this.#hold.pause?.())
  }

  /** Reads anew, and tells what changed meanwhile. */
  resume(): void {
    if (this.#state.type !== 'closed') outOfContext(() => this.#hold.resume?.())
  }

  /** A hint that the value may be out of date, such as a failed call: looks again soon where it would not anyway. Cheap to repeat. */
  refresh(): void {
    if (this.#state.type !== 'closed') outOfContext(() => this.#hold.refresh?.())
  }

  /** Stops at once: no event but `closed` fires any more, and iterations end. Resolves when a cache file is written. Idempotent. */
  close(): Promise<void> {
    if (this.#state.type !== 'closed') {
      const failure = failureOf(this.#state)
      this.#state = { type: 'closed', fact: factOf(this.#state), failure }
      this.#link.unlink()
      // Before anybody is told, for a listener may call this again.
      this.#closing = outOfContext(() => Promise.resolve(this.#hold.close()))
      if (!isProcessEnding()) this.#first.refuseAll(failure?.retryable === false ? failure : this.#closedError())
      this.#latest.close()
      this.#emit('closed')
      this.removeAllListeners()
      this.#parts.onClose?.()
    }
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** What is shown to users now. */
  protected abstract present(): Value

  /**
   * What `next` changes for users after `previous`, which is undefined for the first; undefined when it changes nothing. `before` is
   * where the view was.
   */
  protected abstract changeOf(next: Fact, previous: Fact | undefined, before: LiveState<Fact>): Change | undefined

  /** Where the view is. */
  protected get state(): LiveState<Fact> {
    return this.#state
  }

  #observe(source: LiveSource<Fact>): Hold {
    try {
      return outOfContext(() => source.observe(this.#observer()))
    } catch (error) {
      // There is no view that could let go of the signal later.
      this.#link.unlink()
      throw error
    }
  }

  /** The subclass is there: takes up what the source said meanwhile. */
  #begin(): void {
    const early = this.#early ?? []
    this.#early = undefined
    for (const call of early) call()
    const { signal } = this.#link
    if (signal.aborted) void this.close()
    else signal.addEventListener('abort', this.#onAbort, { once: true })
  }

  #observer(): Observer<Fact> {
    const inTurn =
      <Argument>(call: (argument: Argument) => void) =>
      (argument: Argument): void => {
        if (this.#early === undefined) call(argument)
        else this.#early.push(() => call(argument))
      }
    return {
      onValue: inTurn((fact) => this.#show(fact)),
      onFailure: inTurn((error) => this.#fail(error)),
      onDoubt: inTurn((error) => this.#doubt(error)),
      onSaved: inTurn((fact) => this.#restore(fact)),
      onProblem: inTurn((error) => {
        if (this.#state.type !== 'closed') this.#emit('error', error)
      }),
    }
  }

  #show(fact: Fact): void {
    const before = this.#state
    if (before.type === 'closed') return
    this.#state = { type: 'fresh', fact }
    this.#toldCode = undefined
    const change = this.changeOf(fact, factOf(before), before)
    if (before.type !== 'fresh' || change !== undefined) this.#latest.publish()
    this.#first.giveAll(this.present())
    if (before.type === 'stale') this.#recovered(before, fact)
    // A listener that heard of the recovery may have closed it.
    if (change !== undefined && !this.#isClosed) this.#emit('change', change)
  }

  #restore(fact: Fact): void {
    const before = this.#state
    if (before.type !== 'starting') return
    const { failure } = before
    this.#state = { type: 'stale', fact, since: fact.confirmedAt, reason: failure, failure }
    const fields = { source: this.#label, savedAt: fact.confirmedAt, err: failure }
    tell(this.#logger, 'started-from-cache', fields, `${this.#label}: a saved state is used until it can be read`)
    const change = this.changeOf(fact, undefined, before)
    this.#latest.publish()
    this.#first.giveAll(this.present())
    if (change !== undefined) this.#emit('change', change)
  }

  #fail(error: ProconsulError): void {
    const before = this.#state
    if (before.type === 'closed') return
    this.#state = failed(before, error, this.#now())
    const isNews = this.#toldCode !== error.code
    this.#toldCode = error.code
    if (before.type === 'starting' && isNews) {
      tell(this.#logger, 'unreadable', { source: this.#label, err: error }, `${this.#label} cannot be read yet`)
    }
    if (isNews) this.#emit('error', error)
    this.#staled(before)
    // In a moment, for a saved value may follow at once, which is an answer.
    if (!error.retryable) queueMicrotask(() => this.#giveUp(error))
  }

  #doubt(reason: ProconsulError): void {
    const before = this.#state
    this.#state = doubted(before, reason, this.#now())
    this.#toldCode = undefined
    this.#staled(before)
  }

  #giveUp(error: ProconsulError): void {
    if (this.#state.type === 'starting') this.#first.refuseAll(error)
  }

  #staled(before: LiveState<Fact>): void {
    if (before.type !== 'fresh' || this.#state.type !== 'stale') return
    const staleness = stalenessOf(this.#state)
    tell(this.#logger, 'stale', { source: this.#label, err: staleness.error }, `${this.#label} may be out of date`)
    this.#latest.publish()
    this.#emit('stale', staleness)
  }

  #recovered({ since }: { readonly since: number }, { confirmedAt }: Fact): void {
    const recovery = { staleForMs: Math.max(0, this.#now() - since), receivedAt: confirmedAt }
    tell(this.#logger, 'recovered', { source: this.#label, ...recovery }, `${this.#label} is up to date again`)
    this.#emit('recovered', recovery)
  }

  async #wait(signal: AbortSignal | undefined, timeoutMs: number | undefined): Promise<Value> {
    const link = new AbortLink(signal)
    const timer =
      timeoutMs === undefined
        ? undefined
        : this.#parts.runtime.clock.setTimer(() => link.abort(this.#notReady(timeoutMs)), timeoutMs)
    try {
      return await this.#first.wait(undefined, link.signal)
    } finally {
      timer?.cancel()
      link.unlink()
    }
  }

  /** Typed for the events that every view has. */
  #emit<Name extends keyof LiveEvents<Change>>(name: Name, ...args: LiveEvents<Change>[Name]): void {
    this.announce(name, args)
  }

  #closedError(): ProconsulError {
    return new ProconsulError('PROCONSUL_CLOSED', `the watch of ${this.#label} is closed`)
  }

  #notReady(timeoutMs: number): ProconsulError {
    const { failure } = this
    const why = failure === undefined ? '' : `; the last failure: ${failure.message}`
    const message = `${this.#label} has no first answer within ${formatDuration(timeoutMs)}${why}`
    return new ProconsulError('PROCONSUL_TIMEOUT', message, { cause: failure })
  }

  get #isClosed(): boolean {
    return this.#state.type === 'closed'
  }

  #now(): number {
    return this.#parts.runtime.clock.now()
  }

  get #label(): string {
    return this.#parts.source.label
  }

  get #logger(): Runtime['logger'] {
    return this.#parts.runtime.logger
  }
}

function stalenessOf<Fact extends Confirmed>(state: Extract<LiveState<Fact>, { type: 'stale' }>): Staleness {
  const { since, fact, failure, reason } = state
  const error = failure ?? reason ?? new ProconsulError('PROCONSUL_UNAVAILABLE', 'nothing newer was read yet')
  return Object.freeze({ since, receivedAt: fact.confirmedAt, error })
}

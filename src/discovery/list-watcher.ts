import { AbortLink, throwIfAborted } from '../core/abort.js'
import { parseDuration, formatDuration, type Duration } from '../core/duration.js'
import { Emitter } from '../core/emitter.js'
import { checkSignal } from '../core/option-check.js'
import type { Runtime } from '../core/runtime.js'
import { ProconsulError } from '../errors/proconsul-error.js'
import type { Closeable } from '../lifecycle/closeable.js'
import { FirstAnswer } from '../watch/first-answer.js'
import { LatestValue } from '../live/latest-value.js'
import { diffLists, type EmptyReason, type ItemShape, type ListDiff, type Listing } from './listing.js'
import type { ListHold, ListObserver, ListSnapshot, ListSource } from './sources/list-source.js'

/** What is known of a list at one moment. Frozen. */
export interface SnapshotFacts {
  /** Raft index of the read; undefined before the first answer, and where the endpoint has none. */
  readonly index: number | undefined
  /** When Consul last confirmed the list, in milliseconds since the epoch; undefined before the first answer. */
  readonly receivedAt: number | undefined
  /** Whether Consul cannot be asked at present, or what it says is in doubt: the list is the last good one, or none yet. */
  readonly stale: boolean
  /** Why the list is empty. */
  readonly emptyReason?: EmptyReason
}

/** What changed. Replaying `added`, `removed` and `updated` onto the snapshot before gives this one. */
export interface ListChange<Item, Snapshot> extends ListDiff<Item> {
  readonly snapshot: Snapshot
  readonly previous: Snapshot
}

/** Events of a watcher. Listeners are called synchronously, in the order they were added. */
export interface ListWatcherEvents<Item, Snapshot> {
  /** The list changed. The first snapshot is a change with everything in `added`; it fires for an empty list as well. */
  readonly change: [change: ListChange<Item, Snapshot>]
  /** Consul cannot be asked any more, or a sudden loss is in doubt: the last good list is kept. Once per outage. */
  readonly stale: [snapshot: Snapshot]
  /** The list is known to be right again. Before the `change`, if there was one meanwhile. */
  readonly recovered: [snapshot: Snapshot]
  /** The first failure of an outage, and again when its code changes. The watch goes on by itself. */
  readonly error: [error: ProconsulError]
  /** The watcher was closed. Nothing follows. */
  readonly closed: []
}

/** What tells items apart, and how a snapshot is made of them. */
export interface WatcherShape<Item, Snapshot extends SnapshotFacts> extends ItemShape<Item> {
  /** For messages, such as `the watch of service "users"`. */
  readonly label: string
  snapshot(items: readonly Item[], facts: SnapshotFacts): Snapshot
}

/** What a watcher works with. */
export interface WatcherParts<Item> {
  readonly runtime: Runtime
  readonly source: ListSource<Item>
  /** Closes the watcher. */
  readonly signal?: AbortSignal | undefined
  /** Called once, when the watcher is closed. */
  readonly onClose: () => void
}

/** How long to wait for a first snapshot. */
export interface ReadyOptions {
  readonly signal?: AbortSignal | undefined
  /** Default: for ever. */
  readonly timeout?: Duration | undefined
}

/** Where a watcher is: before its first list, with a list that is right, with one that may not be, or at its end. */
type State = 'starting' | 'fresh' | 'stale' | 'closed'

/** A list that follows Consul. Keeps the process running until it is closed. */
export class ListWatcher<Item, Snapshot extends SnapshotFacts>
  extends Emitter<ListWatcherEvents<Item, Snapshot>>
  implements Closeable, AsyncIterable<Snapshot>
{
  readonly #shape: WatcherShape<Item, Snapshot>
  readonly #parts: WatcherParts<Item>
  readonly #hold: ListHold
  readonly #latest = new LatestValue<Snapshot>(() => this.snapshot)
  readonly #first: FirstAnswer<Snapshot>
  readonly #link: AbortLink
  #state: State = 'starting'
  #items: readonly Item[] = Object.freeze([])
  #index: number | undefined
  #emptyReason: EmptyReason | undefined
  #savedAt: number | undefined
  #failure: ProconsulError | undefined
  #snapshot: Snapshot | undefined
  #closing: Promise<void> = Promise.resolve()

  constructor(shape: WatcherShape<Item, Snapshot>, parts: WatcherParts<Item>) {
    super(parts.runtime.logger, ['change', 'stale', 'recovered', 'error', 'closed'])
    this.#shape = shape
    this.#parts = parts
    this.#first = new FirstAnswer(parts.runtime.clock)
    this.#link = new AbortLink(parts.signal)
    this.#hold = parts.source.subscribe(this.#observer())
    this.#link.signal.addEventListener('abort', () => void this.close(), { once: true })
    if (this.#link.signal.aborted) void this.close()
  }

  /** What is known now. Before the first answer: an empty, stale one. The same object as long as nothing in it changed. */
  get snapshot(): Snapshot {
    const receivedAt = this.#hold.confirmedAt ?? this.#savedAt
    if (this.#snapshot === undefined || this.#snapshot.receivedAt !== receivedAt) {
      this.#snapshot = this.#makeSnapshot(receivedAt)
    }
    return this.#snapshot
  }

  /** What the watch fails with at present. */
  get failure(): ProconsulError | undefined {
    return this.#failure
  }

  /**
   * Resolves with the first snapshot, at once if there is one. Who waited has it even when a listener of its `change` closes the watcher.
   * @throws ProconsulError `PROCONSUL_TIMEOUT`, `PROCONSUL_ABORTED`, `PROCONSUL_CLOSED`, or the failure itself when repeating the
   * question cannot help, such as `PROCONSUL_PERMISSION_DENIED` or `PROCONSUL_REJECTED`. The watch goes on even so, unless closed.
   */
  async ready({ signal, timeout }: ReadyOptions = {}): Promise<Snapshot> {
    const timeoutMs = timeout === undefined ? undefined : parseDuration('timeout', timeout)
    throwIfAborted(checkSignal('signal', signal))
    if (this.#state === 'closed') throw this.#isClosed()
    if (this.#state !== 'starting') return this.snapshot
    if (this.#failure?.retryable === false) throw this.#failure
    return await this.#first.wait({ signal, timeoutMs, onTimeout: (ms) => this.#notReady(ms) })
  }

  /**
   * Yields the current snapshot first, as soon as there is one, then the latest after each change and when the list has become stale or
   * is right again: what came between is skipped.
   */
  [Symbol.asyncIterator](): AsyncIterator<Snapshot, void, undefined> {
    return this.#latest.iterate()
  }

  /** Stops reading and telling until {@link resume}; the list stays as it is. */
  pause(): void {
    if (this.#state !== 'closed') this.#hold.pause()
  }

  /** Reads anew, and tells what changed meanwhile. */
  resume(): void {
    if (this.#state !== 'closed') this.#hold.resume()
  }

  /** A hint that the list may be out of date, such as a failed call: looks again soon where it would not anyway. Cheap to repeat. */
  refresh(): void {
    if (this.#state !== 'closed') this.#hold.refresh()
  }

  /** Stops at once: no event but `closed` fires any more, and iterations end. Resolves when a cache file is written. */
  close(): Promise<void> {
    if (this.#state !== 'closed') {
      this.#state = 'closed'
      this.#link.unlink()
      this.#closing = this.#hold.close()
      this.#first.reject(this.#failure?.retryable === false ? this.#failure : this.#isClosed())
      this.#latest.close()
      this.emit('closed')
      this.removeAllListeners()
      this.#parts.onClose()
    }
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #observer(): ListObserver<Item> {
    return {
      onValue: (snapshot) => this.#replace(snapshot, 'fresh'),
      onRecovery: (snapshot) => this.#recover(snapshot),
      onFailure: (error) => this.#fail(error),
      onDoubt: () => {
        // Consul was heard; what it said is not believed yet.
        this.#failure = undefined
        this.#doubt()
      },
      onSaved: (items, savedAt) => this.#restore(items, savedAt),
      onProblem: (error) => void this.emit('error', error),
    }
  }

  #restore(items: readonly Item[], savedAt: number): void {
    if (this.#state !== 'starting') return
    this.#savedAt = savedAt
    this.#replace({ value: { items }, index: undefined, receivedAt: savedAt }, 'stale')
  }

  #replace({ value, index }: ListSnapshot<Item>, state: 'fresh' | 'stale'): void {
    if (this.#state === 'closed') return
    // Not the property: what is confirmed now is the list that comes, and not this one.
    const previous = this.#snapshot ?? this.#makeSnapshot(undefined)
    const before = this.#items
    const was = this.#state
    const reasonBefore = this.#emptyReason
    this.#items = value.items
    this.#index = index
    this.#emptyReason = value.emptyReason
    if (state === 'fresh') {
      this.#failure = undefined
      this.#savedAt = undefined
    }
    this.#become(state)
    const { snapshot } = this
    this.#first.resolve(snapshot)
    if (state === 'fresh' && was === 'stale') this.emit('recovered', snapshot)
    const diff = diffLists(before, value.items, this.#shape)
    // Consul confirmed what the file said, or everything is back after a doubt.
    const isConfirmed = was === 'stale' && diff.added.length + diff.removed.length + diff.updated.length === 0
    if (isConfirmed && value.emptyReason === reasonBefore && this.#isInOrder(value, before)) return
    this.emit('change', Object.freeze({ ...diff, snapshot, previous }))
  }

  #isInOrder({ items, isOrdered }: Listing<Item>, before: readonly Item[]): boolean {
    const keys = before.map((item) => this.#shape.key(item))
    return isOrdered !== true || items.every((item, place) => this.#shape.key(item) === keys[place])
  }

  #recover({ value }: ListSnapshot<Item>): void {
    // With another list that list follows at once, and is what is right.
    if (this.#state === 'closed' || value.items !== this.#items) return
    this.#failure = undefined
    if (this.#state !== 'stale') return
    this.#become('fresh')
    this.emit('recovered', this.snapshot)
  }

  #fail(error: ProconsulError): void {
    if (this.#state === 'closed') return
    this.#failure = error
    if (this.#state === 'starting') this.#snapshot = undefined
    this.emit('error', error)
    this.#doubt()
    // In a moment, for a saved list may follow at once, which is an answer.
    if (!error.retryable) queueMicrotask(() => this.#giveUp(error))
  }

  #giveUp(error: ProconsulError): void {
    if (this.#state === 'starting') this.#first.reject(error)
  }

  #doubt(): void {
    if (this.#state !== 'fresh') return
    this.#become('stale')
    this.emit('stale', this.snapshot)
  }

  #become(state: 'fresh' | 'stale'): void {
    this.#state = state
    this.#snapshot = undefined
    this.#latest.publish()
  }

  #makeSnapshot(receivedAt: number | undefined): Snapshot {
    const emptyReason =
      this.#emptyReason ??
      (this.#state === 'starting' && this.#failure?.code === 'PROCONSUL_NO_LEADER' ? 'no-leader' : undefined)
    return this.#shape.snapshot(this.#items, {
      index: this.#index,
      receivedAt,
      stale: this.#state !== 'fresh',
      ...(emptyReason !== undefined && { emptyReason }),
    })
  }

  #isClosed(): ProconsulError {
    return new ProconsulError('PROCONSUL_CLOSED', `${this.#shape.label} is closed`)
  }

  #notReady(timeoutMs: number): ProconsulError {
    const why = this.#failure === undefined ? '' : `; the last failure: ${this.#failure.message}`
    return new ProconsulError(
      'PROCONSUL_TIMEOUT',
      `${this.#shape.label} has no first answer within ${formatDuration(timeoutMs)}${why}`,
      { cause: this.#failure },
    )
  }
}

import { AbortLink, orAborted, withDeadline } from '../core/abort.js'
import type { Clock } from '../core/clock.js'
import { formatDuration, parseDuration, type Duration } from '../core/duration.js'
import { Emitter } from '../core/emitter.js'
import type { Runtime } from '../core/runtime.js'
import { ProconsulError } from '../errors/proconsul-error.js'
import type { Closeable } from '../lifecycle/closeable.js'
import { LatestValue } from '../watch/latest-value.js'
import type { WatchFamily } from '../watch/watch-engine.js'
import type { WatchQuery, WatchSnapshot, WatchSubscription } from '../watch/watch-query.js'

/** What changed. */
export interface KvChange<Value> {
  readonly value: Value
  /** Undefined for the first value. */
  readonly previous: Value | undefined
}

/** The events of {@link KvWatcher}. */
export interface KvWatcherEvents<Value> {
  /** The value is there for the first time, or changed. Not fired when the agent answers without a change. */
  change: [KvChange<Value>]
  /** Consul cannot be read; the last value stays. Once per outage. */
  stale: [ProconsulError]
  /** Consul can be read again. Before the `change`, if there was one meanwhile. */
  recovered: []
  /** The first failure of an outage, and again when its code changes. The watch goes on by itself. */
  error: [ProconsulError]
  closed: []
}

/** How long to wait for a first value. */
export interface KvReadyOptions {
  /** Ends the wait with `PROCONSUL_ABORTED`; the watch goes on. */
  readonly signal?: AbortSignal | undefined
  /** Default: for ever. */
  readonly timeout?: Duration | undefined
}

/** What a watcher works with. */
export interface KvWatcherParts {
  readonly runtime: Runtime
  /** Closes the watcher. */
  readonly signal: AbortSignal | undefined
  readonly onClose: () => void
}

/** A key or a tree that follows Consul. Keeps the process running until it is closed. */
export class KvWatcher<Value> extends Emitter<KvWatcherEvents<Value>> implements Closeable, AsyncIterable<Value> {
  readonly #subscription: WatchSubscription<Value>
  readonly #clock: Clock
  readonly #onClose: () => void
  readonly #unlink: () => void
  readonly #latest = new LatestValue<Value>()
  readonly #ended = new AbortController()
  readonly #waiting = new Set<() => void>()
  #snapshot: WatchSnapshot<Value> | undefined
  #isStale = false

  constructor(family: WatchFamily<Value>, query: WatchQuery<Value>, { runtime, signal, onClose }: KvWatcherParts) {
    super(runtime.logger)
    this.#clock = runtime.clock
    this.#onClose = onClose
    this.#unlink = closeWith(this, signal)
    this.#subscription = family.subscribe(query, {
      onValue: (snapshot) => this.#onValue(snapshot),
      onFailure: (error) => this.#onFailure(error),
      onRecovery: () => this.#onRecovery(),
    })
  }

  /** The last value; undefined before the first answer, and for a key that does not exist. */
  get value(): Value | undefined {
    return this.#snapshot?.value
  }

  /** The Raft index of the read that brought the value; undefined before the first answer. */
  get index(): number | undefined {
    return this.#snapshot?.index
  }

  /** Whether Consul cannot be read at present. */
  get stale(): boolean {
    return this.#isStale
  }

  /**
   * Resolves with the first value, at once if there is one.
   * @throws ProconsulError `PROCONSUL_TIMEOUT`, `PROCONSUL_ABORTED`, `PROCONSUL_CLOSED`, or the failure itself when repeating the read
   * cannot help
   */
  async ready({ signal, timeout }: KvReadyOptions = {}): Promise<Value> {
    const link = new AbortLink(signal, this.#ended.signal)
    try {
      if (timeout === undefined) return await this.#first(link.signal)
      const timeoutMs = parseDuration('timeout', timeout)
      const onTimeout = (): ProconsulError =>
        new ProconsulError('PROCONSUL_TIMEOUT', `the key was not read within ${formatDuration(timeoutMs)}`)
      const bounds = { clock: this.#clock, timeoutMs, signal: link.signal, onTimeout }
      return await withDeadline(bounds, (within) => this.#first(within))
    } finally {
      link.unlink()
    }
  }

  /** Yields the current value first, as soon as there is one, then the latest after each change: what came between is skipped. */
  [Symbol.asyncIterator](): AsyncIterator<Value, void, undefined> {
    return this.#latest.iterate()
  }

  /** Stops at once: no event but `closed` fires any more, and iterations end. Idempotent. */
  close(): Promise<void> {
    if (this.#ended.signal.aborted) return Promise.resolve()
    this.#unlink()
    this.#subscription.close()
    this.#ended.abort(new ProconsulError('PROCONSUL_CLOSED', 'the watch of the key is closed'))
    this.#latest.close()
    this.emit('closed')
    this.removeAllListeners()
    this.#onClose()
    return Promise.resolve()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #first(signal: AbortSignal): Promise<Value> {
    for (;;) {
      if (this.#snapshot !== undefined) return this.#snapshot.value
      const { failure } = this.#subscription
      if (failure?.retryable === false) throw failure
      await orAborted(signal, new Promise<void>((resolve) => this.#waiting.add(resolve)))
    }
  }

  #onValue(snapshot: WatchSnapshot<Value>): void {
    const previous = this.#snapshot?.value
    this.#snapshot = snapshot
    this.#tellWaiting()
    this.#latest.publish(snapshot.value)
    this.emit('change', { value: snapshot.value, previous })
  }

  #onFailure(error: ProconsulError): void {
    this.#tellWaiting()
    this.emit('error', error)
    if (this.#isStale) return
    this.#isStale = true
    this.emit('stale', error)
  }

  #onRecovery(): void {
    if (!this.#isStale) return
    this.#isStale = false
    this.emit('recovered')
  }

  #tellWaiting(): void {
    for (const tell of this.#waiting) tell()
    this.#waiting.clear()
  }
}

/** Closes a watcher when the signal is aborted, a moment later when it is aborted already. Returns what ends that. */
function closeWith(watcher: Closeable, signal: AbortSignal | undefined): () => void {
  const close = (): void => void watcher.close()
  if (signal?.aborted === true) queueMicrotask(close)
  else signal?.addEventListener('abort', close, { once: true })
  return () => signal?.removeEventListener('abort', close)
}

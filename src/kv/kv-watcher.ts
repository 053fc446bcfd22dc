import { AbortLink, orAborted } from '../core/abort.js'
import { Emitter } from '../core/emitter.js'
import type { Logger } from '../core/logger.js'
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

/** A key or a tree that follows Consul. Keeps the process running until it is closed. */
export class KvWatcher<Value> extends Emitter<KvWatcherEvents<Value>> implements Closeable, AsyncIterable<Value> {
  readonly #subscription: WatchSubscription<Value>
  readonly #onClose: () => void
  readonly #latest = new LatestValue<Value>()
  readonly #ended = new AbortController()
  readonly #waiting = new Set<() => void>()
  #snapshot: WatchSnapshot<Value> | undefined
  #isStale = false

  constructor(family: WatchFamily<Value>, query: WatchQuery<Value>, logger: Logger, onClose: () => void) {
    super(logger)
    this.#onClose = onClose
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
   * @throws ProconsulError `PROCONSUL_ABORTED`, `PROCONSUL_CLOSED`, or the failure itself when repeating the read cannot help.
   */
  async ready({ signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<Value> {
    const link = new AbortLink(signal, this.#ended.signal)
    try {
      for (;;) {
        if (this.#snapshot !== undefined) return this.#snapshot.value
        const { failure } = this.#subscription
        if (failure?.retryable === false) throw failure
        await orAborted(link.signal, new Promise<void>((resolve) => this.#waiting.add(resolve)))
      }
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

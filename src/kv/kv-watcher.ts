import { throwIfAborted } from '../core/abort.js'
import { formatDuration, parseDuration, type Duration } from '../core/duration.js'
import { Emitter } from '../core/emitter.js'
import { checkSignal } from '../core/option-check.js'
import type { Runtime } from '../core/runtime.js'
import { ProconsulError } from '../errors/proconsul-error.js'
import type { Closeable } from '../lifecycle/closeable.js'
import { FirstAnswer } from '../watch/first-answer.js'
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
  readonly #onClose: () => void
  readonly #unlink: () => void
  readonly #latest = new LatestValue<Value>()
  readonly #first: FirstAnswer<Value>
  #snapshot: WatchSnapshot<Value> | undefined
  #failure: ProconsulError | undefined
  #isClosed = false

  constructor(family: WatchFamily<Value>, query: WatchQuery<Value>, { runtime, signal, onClose }: KvWatcherParts) {
    super(runtime.logger)
    this.#first = new FirstAnswer(runtime.clock)
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

  /** When Consul last confirmed the value, in milliseconds since the epoch; undefined before the first answer. */
  get receivedAt(): number | undefined {
    return this.#subscription.snapshot?.receivedAt
  }

  /** Whether Consul cannot be read at present. */
  get stale(): boolean {
    return this.#failure !== undefined
  }

  /** What the watch fails with at present. */
  get failure(): ProconsulError | undefined {
    return this.#failure
  }

  /**
   * Resolves with the first value, at once if there is one. Who waited has it even when a listener of its `change` closes the watch.
   * @throws ProconsulError `PROCONSUL_TIMEOUT`, `PROCONSUL_ABORTED`, `PROCONSUL_CLOSED`, or the failure itself when repeating the read
   * cannot help
   */
  async ready({ signal, timeout }: KvReadyOptions = {}): Promise<Value> {
    const timeoutMs = timeout === undefined ? undefined : parseDuration('timeout', timeout)
    throwIfAborted(checkSignal('signal', signal))
    if (this.#isClosed) throw closed()
    if (this.#snapshot !== undefined) return this.#snapshot.value
    const { failure } = this.#subscription
    if (failure?.retryable === false) throw failure
    return await this.#first.wait({ signal, timeoutMs, onTimeout: notReady })
  }

  /** Yields the current value first, as soon as there is one, then the latest after each change: what came between is skipped. */
  [Symbol.asyncIterator](): AsyncIterator<Value, void, undefined> {
    return this.#latest.iterate()
  }

  /** Stops reading and telling until {@link resume}; the value stays as it is. */
  pause(): void {
    this.#subscription.pause()
  }

  /** Reads anew, and tells what changed meanwhile. */
  resume(): void {
    this.#subscription.resume()
  }

  /** A hint that the value may be out of date: looks again soon where it would not anyway. Cheap to repeat. */
  refresh(): void {
    this.#subscription.refresh()
  }

  /** Stops at once: no event but `closed` fires any more, and iterations end. Idempotent. */
  close(): Promise<void> {
    if (this.#isClosed) return Promise.resolve()
    this.#isClosed = true
    this.#unlink()
    this.#subscription.close()
    this.#first.reject(closed())
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
    this.#first.resolve(snapshot.value)
    this.#latest.publish(snapshot.value)
    this.emit('change', { value: snapshot.value, previous })
  }

  #onFailure(error: ProconsulError): void {
    const isNew = this.#failure === undefined
    this.#failure = error
    if (!error.retryable) this.#first.reject(error)
    this.emit('error', error)
    if (isNew) this.emit('stale', error)
  }

  #onRecovery(): void {
    if (this.#failure === undefined) return
    this.#failure = undefined
    this.emit('recovered')
  }
}

/** Closes a watcher when the signal is aborted, a moment later when it is aborted already. Returns what ends that. */
function closeWith(watcher: Closeable, signal: AbortSignal | undefined): () => void {
  const close = (): void => void watcher.close()
  if (signal?.aborted === true) queueMicrotask(close)
  else signal?.addEventListener('abort', close, { once: true })
  return () => signal?.removeEventListener('abort', close)
}

function closed(): ProconsulError {
  return new ProconsulError('PROCONSUL_CLOSED', 'the watch of the key is closed')
}

function notReady(timeoutMs: number): ProconsulError {
  return new ProconsulError('PROCONSUL_TIMEOUT', `the key was not read within ${formatDuration(timeoutMs)}`)
}

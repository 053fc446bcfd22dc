import { orAborted, withDeadline } from '../core/abort.js'
import { outOfContext } from '../core/async-context.js'
import { tell } from '../core/channels.js'
import { formatDuration } from '../core/duration.js'
import type { Runtime } from '../core/runtime.js'
import { ProconsulError, isProconsulError } from '../errors/proconsul-error.js'

/** It is looked at again at most this often. */
const LOOK_AGAIN_MS = 1_000

/** A look takes no longer: a function that hangs once must not hang for ever. Shorter than the time of a request. */
const LOOK_WITHIN_MS = 5_000

/** A call waits no longer for a look while something is known that it can go on with. */
const WAIT_WHILE_KNOWN_MS = 250

/** Where a credential comes from. */
export interface CredentialOrigin<T> {
  /** For messages, such as `token` or `CONSUL_HTTP_TOKEN_FILE`. */
  readonly label: string
  /**
   * Looks at it. Undefined when it is as it was. Rejects with a `ProconsulError` when there is none, or none of use. The signal is aborted
   * when the look has taken too long, and when the client is closed.
   */
  look(signal: AbortSignal): Promise<T | undefined>
}

interface Look {
  /** How it ended. */
  readonly ended: Promise<void>
  /** When it has ended, or has taken so long that a call which can go on without it does. */
  readonly awaited: Promise<void>
}

/**
 * A token or certificates that come from outside and may change: looked at again when they are asked for, at most once a second. What
 * was known goes on while nothing better can be had, and a look that hangs holds nobody up who can go on with it.
 */
export class Credential<T> {
  readonly #origin: CredentialOrigin<T>
  readonly #runtime: Pick<Runtime, 'clock' | 'logger'>
  readonly #closed: AbortSignal
  readonly #listeners = new Set<() => void>()
  #known: { readonly value: T } | undefined
  #lookedAt = -Infinity
  #look: Look | undefined
  #isUnusable = false

  constructor(origin: CredentialOrigin<T>, runtime: Pick<Runtime, 'clock' | 'logger'>, closed: AbortSignal) {
    this.#origin = origin
    this.#runtime = runtime
    this.#closed = closed
  }

  /** What was last seen, without looking again. */
  get current(): T | undefined {
    return this.#known?.value
  }

  /**
   * What to use now.
   * @throws ProconsulError when nothing is known yet and the look fails, and as soon as the signal is aborted
   */
  async get(signal: AbortSignal): Promise<T> {
    const isDue = this.#runtime.clock.monotonic() - this.#lookedAt >= LOOK_AGAIN_MS
    if (isDue) this.#look ??= outOfContext(() => this.#begin())
    if (this.#look !== undefined) {
      await orAborted(signal, this.#known === undefined ? this.#look.ended : this.#look.awaited)
    }
    if (this.#known === undefined) throw new ProconsulError('PROCONSUL_UNAVAILABLE', `${this.#origin.label}: none yet`)
    return this.#known.value
  }

  /** Calls `listener` after another one was seen. Returns a function that stops that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #begin(): Look {
    const { clock } = this.#runtime
    const ended = this.#lookOnce().finally(() => {
      this.#look = undefined
    })
    const awaited = new Promise<void>((resolve) => {
      const timer = clock.setTimer(resolve, WAIT_WHILE_KNOWN_MS, { keepAlive: false })
      const end = (): void => {
        timer.cancel()
        resolve()
      }
      ended.then(end, end)
    })
    return { ended, awaited }
  }

  async #lookOnce(): Promise<void> {
    const { clock } = this.#runtime
    const bounds = { clock, timeoutMs: LOOK_WITHIN_MS, signal: this.#closed, onTimeout: () => this.#tooLate() }
    try {
      const seen = await withDeadline(bounds, (signal) => this.#origin.look(signal))
      this.#isUnusable = false
      if (seen !== undefined) this.#take(seen)
    } catch (error) {
      if (this.#known === undefined) throw error
      this.#keep(error)
    }
    this.#lookedAt = clock.monotonic()
  }

  #take(value: T): void {
    const isFirst = this.#known === undefined
    this.#known = { value }
    if (isFirst) return
    const { label } = this.#origin
    tell(
      this.#runtime.logger,
      'credentials-changed',
      { credential: label },
      `${label} has changed; the new one is used`,
    )
    for (const listener of this.#listeners) listener()
  }

  /** What is known goes on. Said once until a look succeeds. */
  #keep(error: unknown): void {
    if (this.#isUnusable || this.#closed.aborted) return
    this.#isUnusable = true
    const { label } = this.#origin
    const err = isProconsulError(error) ? error : undefined
    tell(
      this.#runtime.logger,
      'credentials-unusable',
      { credential: label, err },
      `${label}: the last known one goes on`,
    )
  }

  #tooLate(): ProconsulError {
    const message = `${this.#origin.label}: nothing came within ${formatDuration(LOOK_WITHIN_MS)}`
    return new ProconsulError('PROCONSUL_UNAVAILABLE', message, { reason: 'without-effect' })
  }
}

import { setMaxListeners } from 'node:events'
import { ProconsulError, isProconsulError } from '../errors/proconsul-error.js'
import type { Clock } from './clock.js'

/**
 * Cancellation. A child controller that follows its parents and can be unlinked from them, because `AbortSignal.any` keeps a long-lived
 * parent's children in memory on some releases of Node.js.
 */

/** The typed error for an aborted signal: its reason when that is one of ours, else `PROCONSUL_ABORTED` with the reason as cause. */
export function abortError(signal: AbortSignal | undefined): ProconsulError {
  const reason: unknown = signal?.reason
  return isProconsulError(reason)
    ? reason
    : new ProconsulError('PROCONSUL_ABORTED', 'the operation was aborted by its signal', { cause: reason })
}

/** Throws {@link abortError} when the signal is aborted. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw abortError(signal)
}

/** An abort controller that is aborted with its parents, until it is unlinked. */
export class AbortLink {
  readonly #controller = new AbortController()
  readonly #unlinks: (() => void)[] = []

  constructor(...parents: readonly (AbortSignal | undefined)[]) {
    for (const parent of parents) this.#follow(parent)
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Aborts the child alone. The reason should be a `ProconsulError`. */
  abort(reason: ProconsulError): void {
    this.#controller.abort(reason)
  }

  /** Stops following the parents. Call it when the work is done. */
  unlink(): void {
    for (const unlink of this.#unlinks.splice(0)) unlink()
  }

  #follow(parent: AbortSignal | undefined): void {
    if (parent === undefined) return
    if (parent.aborted) {
      this.#controller.abort(abortError(parent))
      return
    }
    // One signal for many calls is good use, not the leak of which Node.js warns at the eleventh listener.
    if (parent instanceof EventTarget) setMaxListeners(Infinity, parent)
    const onAbort = (): void => this.#controller.abort(abortError(parent))
    parent.addEventListener('abort', onAbort, { once: true })
    this.#unlinks.push(() => parent.removeEventListener('abort', onAbort))
  }
}

/** What bounds a piece of work. */
export interface DeadlineOptions {
  readonly clock: Clock
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
  /** The error with which the work is aborted when time is up. */
  readonly onTimeout: () => ProconsulError
}

/**
 * Runs `work` with a signal that is aborted when time is up or when the caller's signal is. Rejects at that moment even if the work
 * ignores its signal; timer and listeners are gone afterwards.
 */
export async function withDeadline<T>(options: DeadlineOptions, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  throwIfAborted(options.signal)
  const link = new AbortLink(options.signal)
  const timer = options.clock.setTimer(() => link.abort(options.onTimeout()), options.timeoutMs)
  try {
    return await orAborted(link.signal, work(link.signal))
  } finally {
    timer.cancel()
    link.unlink()
  }
}

/** Settles as the promise does, or rejects as soon as the signal is aborted. */
export async function orAborted<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  let stop: () => void = () => undefined
  const aborted = new Promise<never>((_resolve, reject) => {
    stop = () => reject(abortError(signal))
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
  })
  try {
    return await Promise.race([promise, aborted])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

import { EventEmitter } from 'eventemitter3'
import { inThisContext } from './async-context.js'
import type { Logger } from './logger.js'
import { checkFunction, checkOneOf, isRecord } from './option-check.js'
import { isThenable } from './thrown.js'

/** The events of an emitter: name to argument list. */
export type EventMap<Events> = { readonly [Name in keyof Events]: readonly unknown[] }

type Listener<Arguments extends readonly unknown[]> = (...args: Arguments) => unknown

/**
 * A typed emitter whose listeners cannot harm anyone: one that throws, or returns a promise that rejects, is logged as an error, later
 * failures of the same listener for debugging only, and the other listeners and the emitting loop go on. Listeners are called in the
 * order they were added, synchronously, each in the async context in which it was added. What they are told is frozen, so that none can
 * change what the next one hears.
 */
export class Emitter<Events extends EventMap<Events>> {
  readonly #emitter = new EventEmitter()
  readonly #logger: Logger
  readonly #names: readonly string[]
  /** How to remove each listener, per event: what is really registered is a guarded one. */
  readonly #removals = new Map<string, Map<unknown, () => void>>()

  readonly #reported = new WeakSet()

  /** @param names every event there is */
  constructor(logger: Logger, names: readonly (keyof Events & string)[]) {
    this.#logger = logger
    this.#names = names
  }

  /** Adds a listener. The same listener is added to one event only once. @throws ProconsulError `PROCONSUL_INVALID_OPTION` */
  on<Name extends keyof Events & string>(name: Name, listener: Listener<Events[Name]>): this {
    return this.#add(name, listener, false)
  }

  /** Adds a listener that is removed before its first call. */
  once<Name extends keyof Events & string>(name: Name, listener: Listener<Events[Name]>): this {
    return this.#add(name, listener, true)
  }

  /** Removes a listener. */
  off<Name extends keyof Events & string>(name: Name, listener: Listener<Events[Name]>): this {
    this.#removals.get(name)?.get(listener)?.()
    return this
  }

  /** The same as `off`, under the name by which `once` and `on` of `node:events` look for it. */
  removeListener<Name extends keyof Events & string>(name: Name, listener: Listener<Events[Name]>): this {
    return this.off(name, listener)
  }

  /** How many listeners an event has. */
  listenerCount(name: keyof Events & string): number {
    return this.#emitter.listenerCount(name)
  }

  /** Calls the listeners; false when there are none. */
  protected emit<Name extends keyof Events & string>(name: Name, ...args: Events[Name]): boolean {
    return this.announce(name, args)
  }

  /** The same, for a class that knows some events of its subclasses only: it types its calls itself. */
  protected announce(name: string, args: readonly unknown[]): boolean {
    for (const arg of args) if (isPlain(arg)) Object.freeze(arg)
    return this.#emitter.emit(name, args)
  }

  /** Forgets all listeners. */
  protected removeAllListeners(): void {
    for (const removals of this.#removals.values()) removals.clear()
    this.#removals.clear()
    this.#emitter.removeAllListeners()
  }

  #add<Name extends keyof Events & string>(name: Name, listener: Listener<Events[Name]>, once: boolean): this {
    // `once` and `on` of `node:events` listen for errors beside what they are asked for, whether there are any or not.
    if (name !== 'error') checkOneOf('event', name, this.#names)
    checkFunction('listener', listener)
    const call = inThisContext((args: Events[Name]) => this.#call(name, listener, args))
    const removals = this.#removals.get(name) ?? new Map<unknown, () => void>()
    this.#removals.set(name, removals)
    if (removals.has(listener)) return this
    const remove = (): void => {
      removals.delete(listener)
      this.#emitter.off(name, guard)
    }
    const guard = (args: Events[Name]): void => {
      // A listener before it may have removed it.
      if (!removals.has(listener)) return
      if (once) remove()
      call(args)
    }
    removals.set(listener, remove)
    this.#emitter.on(name, guard)
    return this
  }

  #call<Name extends keyof Events & string>(name: Name, listener: Listener<Events[Name]>, args: Events[Name]): void {
    try {
      const returned = listener(...args)
      if (isThenable(returned)) returned.then(undefined, (error: unknown) => this.#report(name, listener, error))
    } catch (error) {
      this.#report(name, listener, error)
    }
  }

  #report(name: string, listener: object, error: unknown): void {
    const level = this.#reported.has(listener) ? 'debug' : 'error'
    this.#reported.add(listener)
    this.#logger[level]({ event: name, err: error }, `a listener of "${name}" failed`)
  }
}

/** An object of ours, not an error or an instance of something else. */
function isPlain(value: unknown): boolean {
  return isRecord(value) && Object.getPrototypeOf(value) === Object.prototype
}

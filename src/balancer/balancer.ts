import { setMaxListeners } from 'node:events'
import { Emitter } from '../core/emitter.js'
import { checkFunction, checkObject, isRecord } from '../core/option-check.js'
import type { Runtime } from '../core/runtime.js'
import { invalidOption } from '../errors/invalid-option.js'
import { ProconsulError } from '../errors/proconsul-error.js'
import type { ServiceInstance } from '../instances/service-instance.js'
import type { Closeable } from '../lifecycle/closeable.js'
import type { ReadyOptions } from '../live/live-view.js'
import { BALANCER_EVENTS, type BalancerEvents } from './pool/balancer-events.js'
import { statsOf, type InstanceStats } from './balancer-stats.js'
import { BalancedCall } from './calls/balanced-call.js'
import {
  resolveUseOptions,
  type Call,
  type CallPlan,
  type ResolvedCallOptions,
  type UseOptions,
} from './calls/call-options.js'
import type { CallBudget } from './retries/retry-budget.js'
import type { Pick } from './members/pick.js'
import type { Exclusion, Pool, PoolListener } from './pool/pool.js'

/** How to pick. */
export interface PickOptions {
  /** With `consistent-hash`: equal keys go to the same instance. */
  readonly key?: string | undefined
  /** Instances that are out of the question, such as those that were tried: a list, or a function that says so. */
  readonly exclude?: Iterable<ServiceInstance> | Exclusion | undefined
}

/** What a balancer works with. */
export interface BalancerParts {
  readonly runtime: Runtime
  readonly pool: Pool
  readonly options: ResolvedCallOptions
  /** Called once, when it is closed: lets go of the pool. */
  readonly onClose: () => Promise<void>
}

/**
 * Chooses an instance of a service for each call, and learns from how the calls went. From `consul.balancer` and `createBalancer`. Keeps
 * the process running until it is closed.
 */
export class Balancer extends Emitter<BalancerEvents> implements Closeable {
  readonly #parts: BalancerParts
  readonly #pool: Pool
  #unlink = (): void => undefined
  readonly #listener: PoolListener = { tell: (name, ...args) => void this.emit(name, ...args) }
  #closing: Promise<void> | undefined

  /** @internal */
  constructor(parts: BalancerParts) {
    super(parts.runtime.logger, BALANCER_EVENTS)
    this.#parts = parts
    this.#pool = parts.pool
    this.#pool.listen(this.#listener)
  }

  /** @internal */
  closeWith(signal: AbortSignal | undefined): void {
    if (signal === undefined) return
    const close = (): void => void this.close()
    if (signal instanceof EventTarget) setMaxListeners(Infinity, signal)
    signal.addEventListener('abort', close, { once: true })
    this.#unlink = () => signal.removeEventListener('abort', close)
    if (signal.aborted) close()
  }

  /** Name of the service, or the label of the source. */
  get name(): string {
    return this.#pool.name
  }

  /** Every instance that is known, called or not. */
  get instances(): readonly ServiceInstance[] {
    return this.#pool.watcher.instances
  }

  /** Calls under way, to all instances together, of all who share the pool. */
  get inFlight(): number {
    return this.#pool.inFlight
  }

  /** Whether so many instances are ejected that all are called. */
  get isPanicking(): boolean {
    return this.#pool.isPanicking
  }

  /** How many calls may be repeated at present: for those who repeat calls themselves. `use` does by itself. */
  get retryBudget(): CallBudget {
    return this.#pool.budget
  }

  /**
   * Resolves when the instances are known, with the list, even if it is empty.
   * @throws ProconsulError as `ready` of a watcher
   */
  async ready(options?: ReadyOptions): Promise<readonly ServiceInstance[]> {
    this.#refuseClosed()
    const { instances } = await this.#pool.watcher.ready(options)
    return instances
  }

  /**
   * Chooses an instance for a call that the application makes itself. Say how it went with `done`: until then it counts as in flight.
   * @throws ProconsulError `PROCONSUL_NO_INSTANCE` with the reason, `PROCONSUL_CLOSED`
   */
  pick(options?: PickOptions): Pick {
    if (this.#closing !== undefined) throw this.#closedError()
    const pick =
      options === undefined
        ? this.#pool.pick(undefined, undefined)
        : this.#pool.pick(options.key, exclusionOf(options.exclude))
    return pick ?? this.#nobody(options)
  }

  /**
   * Makes a call: hands it an instance, and resolves with what it resolves with. A call that was not sent is repeated at once on another
   * instance; one that failed later only where it is `idempotent`. What the last try rejects with is passed on as it is.
   * @throws ProconsulError `PROCONSUL_NO_INSTANCE`, `PROCONSUL_TIMEOUT`, `PROCONSUL_ABORTED`, `PROCONSUL_CLOSED`,
   * `PROCONSUL_INVALID_OPTION`; and whatever the call rejects with
   */
  async use<T>(call: Call<T>, options?: UseOptions): Promise<T> {
    this.#refuseClosed()
    checkFunction('call', call)
    const plan = resolveUseOptions(options, this.#parts.options)
    const { wrap } = this.#parts.options
    return wrap === undefined ? await this.#call(call, plan) : await wrap.execute(() => this.#call(call, plan))
  }

  /** What is known of each instance, and of the calls to it. Frozen. */
  stats(): readonly InstanceStats[] {
    return statsOf(this.#pool)
  }

  /** A hint that the list of instances may be out of date. A call that finds no connection gives it by itself. */
  refresh(): void {
    if (this.#closing === undefined) this.#pool.refresh()
  }

  /** Ends it at once; calls under way go on. The pool ends with the last balancer that shares it. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #call<T>(call: Call<T>, plan: CallPlan): Promise<T> {
    const { runtime, options } = this.#parts
    return await new BalancedCall({ runtime, pool: this.#pool, plan, call, isFailure: options.isFailure }).run()
  }

  async #close(): Promise<void> {
    this.#unlink()
    this.#pool.unlisten(this.#listener)
    this.emit('closed')
    this.removeAllListeners()
    await this.#parts.onClose()
  }

  #nobody(options: PickOptions | undefined): never {
    if (options !== undefined) checkObject('options', options, ['key', 'exclude'])
    throw this.#pool.noInstance()
  }

  #refuseClosed(): void {
    if (this.#closing !== undefined) throw this.#closedError()
  }

  #closedError(): ProconsulError {
    return new ProconsulError('PROCONSUL_CLOSED', `the balancer of ${this.name} is closed`)
  }
}

function exclusionOf(exclude: PickOptions['exclude']): Exclusion | undefined {
  if (exclude === undefined || typeof exclude === 'function') return exclude
  if (!isRecord(exclude) && !Array.isArray(exclude)) {
    throw invalidOption('exclude', exclude, 'instances, or a function that says of an instance whether it is excluded')
  }
  const excluded = new Set(exclude)
  return excluded.size === 0 ? undefined : (instance) => excluded.has(instance)
}

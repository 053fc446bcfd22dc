import { outOfContext } from '../../core/async-context.js'
import { tell } from '../../core/channels.js'
import type { Clock, Timer } from '../../core/clock.js'
import type { Runtime } from '../../core/runtime.js'
import { WaitingLine } from '../../core/waiting-line.js'
import { ProconsulError } from '../../errors/proconsul-error.js'
import { instanceKey, type ServiceInstance } from '../../instances/service-instance.js'
import type { ServiceWatcher, ServiceWatcherEvents } from '../../instances/service-watcher.js'
import type { Closeable } from '../../lifecycle/closeable.js'
import type { BalancerEvents } from './balancer-events.js'
import type { ResolvedPoolOptions } from './pool-options.js'
import { connectionFailure } from '../retries/failure.js'
import { RetryBudget } from '../retries/retry-budget.js'
import type { ResolvedRetryBudget } from '../retries/retry-options.js'
import { Outliers, type EjectionReason } from '../outliers/outliers.js'
import { Arrangement, type ArrangementOptions } from '../selection/arrangement.js'
import { Chance } from '../selection/chance.js'
import { PickContext } from './pick-context.js'
import { subsetOf } from '../selection/subset.js'
import { Member, SERVING, startTicks, UNTIMED } from '../members/member.js'
import { Pick } from '../members/pick.js'

/** Hears of what happens in a pool. */
export interface PoolListener {
  tell<Name extends keyof BalancerEvents>(name: Name, ...args: BalancerEvents[Name]): void
}

/** Which instances are out of the question for a call. */
export type Exclusion = (instance: ServiceInstance) => boolean

/** Where the instances of a pool come from. */
export interface Followed {
  readonly watcher: ServiceWatcher
  /** Whether the watcher is closed with the pool. */
  readonly isOwned: boolean
  /** Instances that are known before the watcher tells. */
  readonly instances?: readonly ServiceInstance[]
}

/** What a pool works with. */
export interface PoolParts {
  readonly runtime: Runtime
  readonly followed: Followed
  readonly options: ResolvedPoolOptions
  readonly budget: ResolvedRetryBudget
}

/** Where the policy needs no latency, one call of 64 to an instance is measured, for the statistics: the clock costs more than a pick. */
const MEASURE_MASK = 63

/** The instances of a service with what is known of each, and who is next. Shared by all that call the service in the same way. */
export class Pool implements Closeable {
  /** How many calls may be repeated. */
  readonly budget: RetryBudget
  readonly #parts: PoolParts
  readonly #context: PickContext
  readonly #listeners = new Set<PoolListener>()
  readonly #arrangementOptions: ArrangementOptions
  readonly #salt: number
  readonly #clock: Clock
  /** Whether the policy needs latencies. */
  readonly #isTimed: boolean
  readonly #outliers: Outliers | undefined
  readonly #waiting = new WaitingLine<void>()
  readonly #onChange = (change: ServiceWatcherEvents['change'][0]): void => this.#changed(change)
  #members = new Map<string, Member>()
  /** Those of them that this process calls. */
  #active: readonly Member[] = []
  #arrangement: Arrangement | undefined
  /** Those whose ejection is over, and for whom no call is under way that shows whether they are well. */
  readonly #due = new Set<Member>()
  #hasDue = false
  #isPanicking = false
  #warming: Timer | undefined
  #hasList = false
  #closing: Promise<void> | undefined

  constructor(parts: PoolParts) {
    const { runtime, options, followed } = parts
    const { watcher } = followed
    this.#parts = parts
    this.#context = new PickContext(new Chance(runtime.random))
    this.#arrangementOptions = options
    this.#salt = this.#context.below(2 ** 31 - 1)
    this.#clock = runtime.clock
    this.#isTimed = options.policy.usesLatency ?? true
    this.#outliers = options.outliers && this.#makeOutliers(options.outliers)
    this.budget = new RetryBudget(runtime.clock, parts.budget)
    outOfContext(() => watcher.on('change', this.#onChange))
    const known = watcher.snapshot.receivedAt === undefined ? followed.instances : watcher.instances
    if (known !== undefined) this.#replace(known)
  }

  /** Name of the service, for messages. */
  get name(): string {
    return this.watcher.name
  }

  /** What is followed. */
  get watcher(): ServiceWatcher {
    return this.#parts.followed.watcher
  }

  /** Whether a list of instances has come yet. */
  get hasList(): boolean {
    return this.#hasList
  }

  /** Calls under way. */
  get inFlight(): number {
    return this.#context.inFlight
  }

  /** Whether ejected instances are called for want of others. */
  get isPanicking(): boolean {
    return this.#isPanicking
  }

  /** Every instance, called or not. */
  get members(): readonly Member[] {
    return [...this.#members.values()]
  }

  /** Those that this process calls. */
  get active(): readonly Member[] {
    return this.#active
  }

  listen(listener: PoolListener): void {
    this.#listeners.add(listener)
  }

  unlisten(listener: PoolListener): void {
    this.#listeners.delete(listener)
  }

  /** Who is next; undefined when there is nobody, or nobody who is not excluded. */
  pick(key: string | undefined, excludes: Exclusion | undefined): Pick | undefined {
    const arrangement = this.#arrangement
    if (excludes !== undefined || arrangement === undefined || this.#hasDue) return this.#pickWithCare(key, excludes)
    let startedAt = this.#isTimed ? this.#lookAtClock() : UNTIMED
    const member = arrangement.candidates[arrangement.picker.pick(key, undefined)]
    if (member === undefined) return undefined
    if (startedAt === UNTIMED && (member.calls & MEASURE_MASK) === 0) startedAt = this.#lookAtClock()
    member.begin()
    return new Pick(member, startedAt)
  }

  #pickWithCare(key: string | undefined, excludes: Exclusion | undefined): Pick | undefined {
    const startedAt = this.#lookAtClock()
    const member = this.#takeDue(excludes) ?? this.#choose(key, excludes)
    if (member === undefined) return undefined
    member.begin()
    return new Pick(member, startedAt)
  }

  #choose(key: string | undefined, excludes: Exclusion | undefined): Member | undefined {
    if (this.#arrangement === undefined) return undefined
    const { candidates, picker } = this.#arrangement
    return candidates[picker.pick(key, excludes && ((place) => isExcluded(candidates[place], excludes)))]
  }

  /** The moment of a pick, as it keeps it. */
  #lookAtClock(): number {
    const now = this.#clock.monotonic()
    this.#context.now = now
    return startTicks(now)
  }

  /** Resolves when there is an instance to call. @throws ProconsulError as the signal says, or `PROCONSUL_CLOSED` */
  async waitForInstance(signal: AbortSignal): Promise<void> {
    if (this.#arrangement === undefined && this.#due.size === 0) await this.#waiting.wait(undefined, signal)
  }

  /** The instances may be out of date. */
  refresh(): void {
    this.watcher.refresh()
  }

  /** Why there is nobody to call. */
  noInstance(): ProconsulError {
    const { failure, snapshot } = this.watcher
    const reason = this.#reason()
    const message = `no instance of ${this.name} can be called: ${reason}`
    const { emptyReason } = snapshot
    return new ProconsulError('PROCONSUL_NO_INSTANCE', message, {
      ...(failure !== undefined && { cause: failure }),
      ...(emptyReason !== undefined && { emptyReason }),
    })
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    const { watcher, isOwned } = this.#parts.followed
    watcher.off('change', this.#onChange)
    this.#outliers?.close()
    this.#warming?.cancel()
    this.#due.clear()
    this.#arrangement = undefined
    this.#waiting.refuseAll(new ProconsulError('PROCONSUL_CLOSED', `the balancer of ${this.name} is closed`))
    this.#listeners.clear()
    if (isOwned) await watcher.close()
  }

  /** One whose ejection is over: one call at a time shows whether it is well. */
  #takeDue(excludes: Exclusion | undefined): Member | undefined {
    for (const member of this.#due) {
      if (isExcluded(member, excludes)) continue
      this.#setDue(member, false)
      this.#outliers?.probed(member)
      return member
    }
    return undefined
  }

  #setDue(member: Member, isDue: boolean): void {
    if (isDue) this.#due.add(member)
    else this.#due.delete(member)
    this.#hasDue = this.#due.size > 0
  }

  #changed({ snapshot, added, removed, updated }: ServiceWatcherEvents['change'][0]): void {
    this.#replace(snapshot.instances)
    this.#tell('change', Object.freeze({ instances: snapshot.instances, added, removed, updated }))
  }

  #replace(instances: readonly ServiceInstance[]): void {
    // Those of the first list have served before; they only are new here.
    const joinedAt = this.#hasList ? this.#clock.monotonic() : -Infinity
    this.#hasList = true
    const before = this.#members
    this.#members = new Map()
    for (const instance of instances) {
      const key = instanceKey(instance)
      const known = before.get(key)
      if (known !== undefined && isSamePlace(known.instance, instance)) {
        known.replace(instance)
        this.#members.set(key, known)
        before.delete(key)
      } else {
        this.#members.set(key, new Member(key, instance, joinedAt, this.#host, this.#context))
      }
    }
    for (const gone of before.values()) {
      this.#setDue(gone, false)
      this.#outliers?.forget(gone)
    }
    this.#select()
    this.#outliers?.trim()
  }

  /** Who of the members is called by this process. */
  #select(): void {
    const all = [...this.#members.values()]
    const weighing = all.filter(({ instance }) => instance.weight > 0)
    const { subset } = this.#parts.options
    const usable = weighing.length > 0 ? weighing : all
    this.#active = subset === undefined ? usable : subsetOf(usable, subset, this.#salt)
    this.#arrange()
  }

  /** Who of these may be called now. */
  #arrange(): void {
    const active = this.#active
    const serving = active.filter(({ standing }) => standing === SERVING)
    this.#setPanic(serving.length < this.#parts.options.panicThreshold * active.length, serving.length)
    const available = this.#isPanicking ? active : serving
    this.#warming?.cancel()
    this.#warming = undefined
    if (available.length === 0) {
      this.#arrangement = undefined
      return
    }
    const { clock } = this.#parts.runtime
    const now = (): number => clock.monotonic()
    this.#context.now = now()
    const selection = { active, available }
    const arranged = new Arrangement(selection, this.#arrangementOptions, this.#context, now, this.#arrangement)
    this.#arrangement = arranged
    if (arranged.warmInMs > 0) {
      const rearrange = (): void => this.#arrange()
      this.#warming = outOfContext(() => clock.setTimer(rearrange, arranged.warmInMs, { keepAlive: false }))
    }
    this.#waiting.giveAll(undefined)
  }

  #setPanic(isPanicking: boolean, available: number): void {
    if (isPanicking === this.#isPanicking) return
    this.#isPanicking = isPanicking
    const counts = { available, total: this.#active.length }
    const message = isPanicking
      ? `${this.name}: only ${available} of ${counts.total} instances are not ejected, so all are called`
      : `${this.name}: ${available} of ${counts.total} instances are not ejected, so only these are called`
    tell(this.#logger, isPanicking ? 'panic' : 'panic-over', { service: this.name, ...counts }, message)
    this.#tell('panic', { active: isPanicking, ...counts })
  }

  #reason(): string {
    const { snapshot, failure } = this.watcher
    if (this.#closing !== undefined) return 'the balancer is closed'
    if (this.#arrangement !== undefined) return 'all are excluded from this call'
    if (this.#active.length > 0) return 'all are ejected'
    if (snapshot.emptyReason !== undefined) return snapshot.emptyReason
    if (failure !== undefined) return failure.message
    return this.#hasList ? 'the list is empty' : 'the first list has not come yet'
  }

  readonly #host = {
    now: (): number => this.#clock.monotonic(),
    onGood: (member: Member): void => this.#outliers?.succeeded(member),
    onFailed: (member: Member, error: unknown): void => {
      if (connectionFailure(error) !== undefined) this.refresh()
      if (this.#isPresent(member)) this.#outliers?.failed(member)
    },
    onCancelled: (member: Member): void => {
      if (member.standing.type === 'probing' && this.#isPresent(member)) this.#onDue(member)
    },
  }

  #makeOutliers(options: NonNullable<ResolvedPoolOptions['outliers']>): Outliers {
    return new Outliers(this.#parts.runtime, options, {
      members: () => this.#active,
      isPanic: () => this.#isPanicking,
      onEjected: (member, reason, forMs) => this.#onEjected(member, reason, forMs),
      onDue: (member) => this.#onDue(member),
      onReturned: (member, ejectedForMs) => this.#onReturned(member, ejectedForMs),
    })
  }

  #onEjected(member: Member, reason: EjectionReason, forMs: number): void {
    const { instance, consecutiveFailures } = member
    this.#setDue(member, false)
    this.#arrange()
    const until = this.#clock.now() + forMs
    const fields = {
      service: this.name,
      instance: instance.id,
      node: instance.node,
      reason,
      forMs,
      consecutiveFailures,
    }
    tell(this.#logger, 'ejected', fields, `${this.name}: the instance "${instance.id}" is not called for a while`)
    this.#tell('ejected', { instance, reason, forMs, until })
  }

  #onReturned({ instance }: Member, ejectedForMs: number): void {
    this.#arrange()
    const fields = { service: this.name, instance: instance.id, node: instance.node, ejectedForMs }
    tell(this.#logger, 'returned', fields, `${this.name}: the instance "${instance.id}" is called again`)
    this.#tell('returned', { instance, ejectedForMs })
  }

  #onDue(member: Member): void {
    this.#setDue(member, true)
    this.#waiting.giveAll(undefined)
  }

  #isPresent(member: Member): boolean {
    return this.#closing === undefined && this.#members.get(member.key) === member
  }

  #tell<Name extends keyof BalancerEvents>(name: Name, ...args: BalancerEvents[Name]): void {
    for (const listener of [...this.#listeners]) listener.tell(name, ...args)
  }

  get #logger(): Runtime['logger'] {
    return this.#parts.runtime.logger
  }
}

function isExcluded(member: Member | undefined, excludes: Exclusion | undefined): boolean {
  return member === undefined || excludes?.(member.instance) === true
}

/** Whether it is still the same process, as far as can be seen; one that listens elsewhere has been started anew. */
function isSamePlace(a: ServiceInstance, b: ServiceInstance): boolean {
  return a.address === b.address && a.port === b.port
}

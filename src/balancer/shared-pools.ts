import type { Runtime } from '../core/runtime.js'
import { ProconsulError } from '../errors/proconsul-error.js'
import type { Closeable } from '../lifecycle/closeable.js'
import { Balancer } from './balancer.js'
import type { ResolvedBalancerOptions } from './balancer-options.js'
import { POLICIES } from './policies/builtin.js'
import { guardedPolicy } from './policies/guarded-policy.js'
import { Pool, type Followed } from './pool/pool.js'

interface Shared {
  readonly pool: Pool
  readonly balancers: Set<Balancer>
}

/** The pools of one client: balancers with equal options share one, which ends with the last of them. */
export class SharedPools implements Closeable {
  readonly #runtime: Runtime
  readonly #byKey = new Map<string, Shared>()
  readonly #open = new Set<Balancer>()
  /** Functions and policies of users have no equal but themselves. */
  readonly #numbers = new WeakMap<object, number>()
  #lastNumber = 0
  #isClosed = false

  constructor(runtime: Runtime) {
    this.#runtime = runtime
  }

  /** Every balancer that is open. */
  get balancers(): readonly Balancer[] {
    return [...this.#open]
  }

  /**
   * A balancer over a pool.
   * @param instances what tells apart where instances come from; undefined to share with nobody
   * @param follow begins to follow them, where there is no pool yet
   */
  open(instances: string | undefined, options: ResolvedBalancerOptions, follow: () => Followed): Balancer {
    if (this.#isClosed) throw new ProconsulError('PROCONSUL_CLOSED', 'the client is closed')
    const key = instances === undefined ? undefined : `${instances} ${this.#keyOf(options)}`
    const known = key === undefined ? undefined : this.#byKey.get(key)
    const shared = known ?? { pool: this.#makePool(options, follow()), balancers: new Set() }
    if (key !== undefined) this.#byKey.set(key, shared)
    const balancer: Balancer = new Balancer({
      runtime: this.#runtime,
      pool: shared.pool,
      options: options.call,
      onClose: () => this.#release(balancer, shared, key),
    })
    shared.balancers.add(balancer)
    this.#open.add(balancer)
    balancer.closeWith(options.signal)
    return balancer
  }

  /** Closes every balancer. */
  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.all(this.balancers.map((balancer) => balancer.close()))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #makePool({ pool, call }: ResolvedBalancerOptions, followed: Followed): Pool {
    const isOurs = Object.values(POLICIES).includes(pool.policy)
    const policy = isOurs ? pool.policy : guardedPolicy(pool.policy, this.#runtime.logger)
    const options = { ...pool, policy }
    return new Pool({ runtime: this.#runtime, followed, options, budget: call.retry.budget })
  }

  async #release(balancer: Balancer, { pool, balancers }: Shared, key: string | undefined): Promise<void> {
    this.#open.delete(balancer)
    balancers.delete(balancer)
    if (balancers.size > 0) return
    if (key !== undefined) this.#byKey.delete(key)
    await pool.close()
  }

  /** Equal for options that make equal pools. */
  #keyOf({ pool, call }: ResolvedBalancerOptions): string {
    const { policy, subset, ...rest } = pool
    const peer = typeof subset?.peer === 'function' ? this.#numberOf(subset.peer) : subset?.peer
    return JSON.stringify([this.#numberOf(policy), subset?.size, peer, rest, call.retry.budget])
  }

  #numberOf(thing: object): number {
    const number = this.#numbers.get(thing) ?? (this.#lastNumber += 1)
    this.#numbers.set(thing, number)
    return number
  }
}

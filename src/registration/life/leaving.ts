import { AbortLink, withDeadline } from '../../core/abort.js'
import type { BackoffOptions } from '../../core/backoff.js'
import { formatDuration } from '../../core/duration.js'
import { persist } from '../../core/persist.js'
import { sleep } from '../../core/sleep.js'
import { ProconsulError, isProconsulError } from '../../errors/proconsul-error.js'
import type { ResolvedDeregisterOptions } from '../definition/resolve-options.js'
import type { LifeContext } from './context.js'
import type { Upkeep } from './upkeep.js'

/** Delays between tries to deregister: callers wait for it. */
const REMOVE_DELAYS: BackoffOptions = Object.freeze({ firstMs: 100, maxMs: 1_000 })
const CONFIRM_DELAYS: BackoffOptions = Object.freeze({ firstMs: 20, maxMs: 500 })

/** Whoever leaves has no time: a longer wait that the registry asks for would leave a service that passes and is not there. */
const LONGEST_RETRY_AFTER_MS = 1_000

/** How long the registry is asked whether the instance is gone. */
const CONFIRM_MS = 5_000

/** How a service leaves: out of discovery, confirmed, and the drain waited out. */
export class Leaving {
  readonly #life: LifeContext
  readonly #upkeep: Upkeep
  readonly #onEnd: () => void
  #departure: Promise<void> | undefined
  #doubt: ProconsulError | undefined

  constructor(life: LifeContext, upkeep: Upkeep, onEnd: () => void) {
    this.#life = life
    this.#upkeep = upkeep
    this.#onEnd = onEnd
  }

  /** Why callers may find the service still, though the registry was told to remove it. */
  get doubt(): ProconsulError | undefined {
    return this.#doubt
  }

  /**
   * Leaves. Idempotent; after a failure it can be called again.
   * @throws ProconsulError `PROCONSUL_TIMEOUT`, or the signal's reason, when the registry could not be told in time
   */
  async leave(options: ResolvedDeregisterOptions): Promise<void> {
    this.#departure ??= this.#depart(options).catch((error: unknown) => {
      this.#departure = undefined
      throw error
    })
    await this.#departure
  }

  async #depart(options: ResolvedDeregisterOptions): Promise<void> {
    const { phase, record } = this.#life
    // What another has taken is not ours to remove.
    const isOurs = !phase.isTaken
    phase.enter({ type: 'draining', isAnswered: false })
    this.#upkeep.unwatch()
    this.#life.health.stop()
    try {
      if (isOurs) await this.#remove(options)
    } finally {
      phase.enter({ type: 'draining', isAnswered: true })
      await this.#upkeep.stop()
    }
    // An attempt that was under way may have turned out not to have reached the registry.
    if (isOurs && record.mayBeThere) await this.#confirm(options.signal)
    await this.#waitOut(options)
    phase.enter({ type: 'deregistered' })
    this.#onEnd()
    this.#life.tell('deregistered', {}, 'the service has left')
    this.#life.emit('deregistered')
  }

  async #remove({ timeoutMs, signal }: ResolvedDeregisterOptions): Promise<void> {
    const { record, runtime, id } = this.#life
    if (!record.mayBeThere) return
    const message = `${id} could not be deregistered within ${formatDuration(timeoutMs)}; its check will lapse by itself`
    let lastFailure: ProconsulError | undefined
    const onFailure = (error: ProconsulError): void => void (lastFailure = error)
    const onTimeout = (): ProconsulError => new ProconsulError('PROCONSUL_TIMEOUT', message, { cause: lastFailure })
    await withDeadline({ clock: runtime.clock, timeoutMs, signal, onTimeout }, async (deadline) => {
      const bounds = { delays: REMOVE_DELAYS, longestRetryAfterMs: LONGEST_RETRY_AFTER_MS, signal: deadline }
      await persist({ runtime, ...bounds, onFailure }, () => this.#life.useLast(() => record.remove(deadline)))
    })
  }

  /** Waits until nobody finds the instance any more. Past a bound it goes on all the same: the registry will see to it later. */
  async #confirm(signal: AbortSignal | undefined): Promise<void> {
    const { record, runtime } = this.#life
    const late = (): ProconsulError =>
      record.split ?? new ProconsulError('PROCONSUL_TIMEOUT', 'the registry still lists the instance')
    const bounds = { clock: runtime.clock, timeoutMs: CONFIRM_MS, signal, onTimeout: late }
    try {
      await withDeadline(bounds, (deadline) =>
        persist(
          {
            runtime,
            delays: CONFIRM_DELAYS,
            signal: deadline,
            longestRetryAfterMs: CONFIRM_DELAYS.maxMs,
            mayRetry: () => true,
          },
          async () => {
            if (!(await record.confirmGone(deadline))) throw late()
          },
        ),
      )
    } catch (error) {
      if (isProconsulError(error)) this.#doubt = error
    }
  }

  /** Waits out the drain, or until it is not to be waited for any longer: what has left discovery has left. */
  async #waitOut({ drainMs, signal }: ResolvedDeregisterOptions): Promise<void> {
    if (drainMs === 0) return
    const link = new AbortLink(signal, this.#life.phase.halted)
    try {
      await sleep(drainMs, { clock: this.#life.runtime.clock, signal: link.signal })
    } catch (error) {
      if (!link.signal.aborted) throw error
    } finally {
      link.unlink()
    }
  }
}

import type { BackoffOptions } from '../../core/backoff.js'
import { persist } from '../../core/persist.js'
import { isUnknownToken } from '../../errors/http-failure.js'
import { isProconsulError, type ProconsulError } from '../../errors/proconsul-error.js'
import type { LifeContext } from './context.js'

/** Delays between tries to register. The ceiling bounds how late a registry that came back is noticed. */
const REGISTER_DELAYS: BackoffOptions = Object.freeze({ firstMs: 100, maxMs: 2_000 })

/** A registration that has been failing for so long is told: people wait for it. */
const TELL_AFTER_MS = 5_000

/** Puts a record until the registry has it. */
export class PersistentPut {
  readonly #life: LifeContext
  #lastFailure: ProconsulError | undefined
  /** Since when the registry is to have the record and has it not. */
  #since: number | undefined
  /** What operators were told since the registry had the record last. */
  readonly #told = new Set<'register-failing' | 'refused'>()

  constructor(life: LifeContext) {
    this.#life = life
  }

  /** Why the last try failed; undefined after one that did not. */
  get lastFailure(): ProconsulError | undefined {
    return this.#lastFailure
  }

  /** Keeps a failure as the reason why the service is not registered yet. */
  remember(error: ProconsulError): void {
    this.#lastFailure = error
  }

  /** Something that a registration needs has failed. `isFinal`: it will not be tried again, and whoever asked hears of it. */
  note(error: ProconsulError, isFinal: boolean): void {
    const { phase, now } = this.#life
    if (phase.isLeaving) return
    this.#since ??= now
    this.remember(error)
    this.#life.emit('registerFailed', error)
    if (isFinal) return
    if (isRefusal(error)) this.#tell('refused', error, 'the registry refuses the service; it is tried again')
    else if (now - this.#since >= TELL_AFTER_MS) {
      this.#tell('register-failing', error, 'the service could not be registered for a while; it is tried again')
    }
  }

  /** The registry has the record. */
  done(): void {
    this.#lastFailure = undefined
    this.#since = undefined
    this.#told.clear()
  }

  /**
   * Resolves when the registry has it. Rejects when it is too late, and with `giveUp` at a refusal. A token that is not known is none: a
   * new one reaches every server only after a moment.
   */
  async untilDone(weight: number | undefined, giveUp: boolean): Promise<void> {
    const { runtime, record, phase, health } = this.#life
    this.#since ??= this.#life.now
    const mayRetry = (error: ProconsulError): boolean => !giveUp || !isRefusal(error)
    const { keepAlive } = record.definition.heartbeat
    await persist({ runtime, delays: REGISTER_DELAYS, signal: phase.leaving, keepAlive, mayRetry }, async () => {
      try {
        await this.#life.use((signal) => record.put({ status: health.status, weight }, signal))
      } catch (error) {
        if (isProconsulError(error)) this.note(error, !mayRetry(error))
        throw error
      }
    })
    this.done()
  }

  #tell(event: 'register-failing' | 'refused', error: ProconsulError, message: string): void {
    if (this.#told.has(event)) return
    this.#told.add(event)
    this.#life.tell(event, { err: error }, message)
  }
}

/** Whether the same call can only be refused again. */
function isRefusal(error: ProconsulError): boolean {
  return !error.retryable && !isUnknownToken(error)
}

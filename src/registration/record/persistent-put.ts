import type { SettableStatus } from '../../api/agent-check.js'
import { throwIfAborted } from '../../core/abort.js'
import { backoffMs, type BackoffOptions } from '../../core/backoff.js'
import type { Runtime } from '../../core/runtime.js'
import { sleep } from '../../core/sleep.js'
import { isProconsulError, type ProconsulError } from '../../errors/proconsul-error.js'
import type { RecordKeeper } from './record-keeper.js'

/** Delays between tries to register. The ceiling bounds how late an agent that came back is noticed. */
const REGISTER_DELAYS: BackoffOptions = Object.freeze({ firstMs: 100, maxMs: 2_000 })

/** What a record is put with. */
export interface PersistentPutParts {
  readonly record: RecordKeeper
  readonly runtime: Runtime
  /** Aborted when nothing is to be tried any more. */
  readonly leaving: AbortSignal
  /** Aborted when what is under way is to end as well. */
  readonly halted: AbortSignal
  /** The status to register with. */
  status(): SettableStatus
  onFailure(error: ProconsulError): void
}

/** Puts a record until the agent has it. */
export class PersistentPut {
  readonly #parts: PersistentPutParts
  /** Why the last try failed; undefined after one that did not. */
  lastFailure: ProconsulError | undefined

  constructor(parts: PersistentPutParts) {
    this.#parts = parts
  }

  /** Resolves when the agent has it. Rejects when it is too late, and with `giveUp` at a failure that would only be repeated. */
  async untilDone(giveUp: boolean): Promise<void> {
    const { record, runtime, leaving, halted } = this.#parts
    const { keepAlive } = record.definition.heartbeat
    for (let attempt = 0; ; attempt++) {
      throwIfAborted(leaving)
      try {
        await record.put(this.#parts.status(), halted)
        this.lastFailure = undefined
        return
      } catch (error) {
        if (leaving.aborted || !isProconsulError(error)) throw error
        this.lastFailure = error
        this.#parts.onFailure(error)
        if (giveUp && !error.retryable) throw error
        const pauseMs = Math.max(backoffMs(attempt, REGISTER_DELAYS, runtime.random), error.retryAfterMs ?? 0)
        await sleep(pauseMs, { clock: runtime.clock, signal: leaving, keepAlive })
      }
    }
  }
}

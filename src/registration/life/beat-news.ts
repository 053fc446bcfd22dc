import type { ProconsulError } from '../../errors/proconsul-error.js'
import type { LifeContext } from './context.js'

/** Heartbeats that have been failing for so long are told. One that fails is none: the next follows before the time is up. */
const TELL_AFTER_MS = 5_000

/** Tells operators when heartbeats go on failing, and when they get through again. */
export class BeatNews {
  readonly #life: LifeContext
  #failing: { readonly since: number; isTold: boolean } | undefined

  constructor(life: LifeContext) {
    this.#life = life
  }

  /** The registry has accepted one. */
  succeeded(): void {
    const failing = this.#failing
    this.#failing = undefined
    if (failing?.isTold !== true) return
    const failedForMs = Math.round(this.#life.now - failing.since)
    this.#life.tell('heartbeat-recovered', { failedForMs }, 'the heartbeats get through again')
  }

  /** One was refused or not answered. */
  failed(error: ProconsulError): void {
    this.#failing ??= { since: this.#life.now, isTold: false }
    if (this.#failing.isTold || this.#life.now - this.#failing.since < TELL_AFTER_MS) return
    this.#failing.isTold = true
    this.#life.tell('heartbeat-failing', { err: error }, 'the heartbeats have been failing for a while')
  }
}

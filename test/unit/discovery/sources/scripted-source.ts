import { ProconsulError } from '../../../../src/errors/proconsul-error.js'
import type { Listing } from '../../../../src/discovery/listing.js'
import type { ListHold, ListObserver, ListSnapshot, ListSource } from '../../../../src/discovery/sources/list-source.js'
import type { Runtime } from '../../../../src/core/runtime.js'
import type { FakeClock } from '../../../support/fake-clock.js'

/** A source whose news a test gives by hand. */
export class ScriptedSource implements ListSource<string> {
  isClosed = false
  isPaused = false
  confirmedAt: number | undefined
  #observer: ListObserver<string> | undefined
  #index = 100

  subscribe(observer: ListObserver<string>): ListHold {
    this.#observer = observer
    const confirmedAt = (): number | undefined => this.confirmedAt
    return {
      get confirmedAt() {
        return confirmedAt()
      },
      pause: () => (this.isPaused = true),
      resume: () => (this.isPaused = false),
      refresh: () => undefined,
      close: () => {
        this.isClosed = true
        return Promise.resolve()
      },
    }
  }

  value(items: readonly string[], facts: Partial<Listing<string>> & { readonly index?: number } = {}): void {
    const { index = (this.#index += 1), ...rest } = facts
    this.#observer?.onValue({ value: { items, ...rest }, index, receivedAt: index })
  }

  failure(
    code: 'PROCONSUL_UNAVAILABLE' | 'PROCONSUL_PERMISSION_DENIED' | 'PROCONSUL_NO_LEADER' = 'PROCONSUL_UNAVAILABLE',
  ): void {
    this.#observer?.onFailure(new ProconsulError(code, 'a scripted failure'))
  }

  recovery(items: readonly string[]): void {
    this.#observer?.onRecovery({ value: { items }, index: this.#index, receivedAt: 0 })
  }

  saved(items: readonly string[], savedAt: number): void {
    this.#observer?.onSaved(items, savedAt)
  }
}

/** Records what an observer hears, in words. */
export class ToldList implements ListObserver<string> {
  readonly told: string[] = []
  onValue({ value }: ListSnapshot<string>): void {
    this.told.push(`value ${value.items.join()}`)
  }
  onFailure(error: ProconsulError): void {
    this.told.push(`failure ${error.code}`)
  }
  onRecovery(): void {
    this.told.push('recovery')
  }
  onDoubt(): void {
    this.told.push('doubt')
  }
  onSaved(items: readonly string[], savedAt: number): void {
    this.told.push(`saved ${items.join()} at ${savedAt}`)
  }
  onProblem(error: ProconsulError): void {
    this.told.push(`problem ${error.code}`)
  }
}

/** A runtime on a fake clock that keeps what is logged. */
export function runtimeOn(clock: FakeClock, logged: string[] = []): Runtime {
  const log = (_fields: object, message: string): void => void logged.push(message)
  return { clock, random: () => 0.5, logger: { debug: log, info: log, warn: log, error: log } }
}

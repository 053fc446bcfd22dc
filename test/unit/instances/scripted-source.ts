import { ProconsulError } from '../../../../src/errors/proconsul-error.js'
import type { Listing } from '../../../../src/discovery/listing.js'
import type {
  ListHold,
  ListObserver,
  ListSnapshot,
  ListSource,
  ShownList,
} from '../../../../src/discovery/sources/list-source.js'
import type { Runtime } from '../../../../src/core/runtime.js'
import type { FakeClock } from '../../../support/fake-clock.js'

/** A source whose news a test gives by hand. */
export class ScriptedSource implements ListSource<string> {
  isClosed = false
  isPaused = false
  confirmedAt: number | undefined
  /** What the one above shows until the first answer. */
  shown: ShownList<string> | undefined
  #observer: ListObserver<string> | undefined
  #index = 100
  #last: ListSnapshot<string> | undefined

  subscribe(observer: ListObserver<string>, shown?: ShownList<string>): ListHold {
    this.#observer = observer
    this.shown = shown
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
    const before = this.#last
    this.#last = { value: { items, ...rest }, index, receivedAt: index }
    this.#observer?.onValue(this.#last, before)
  }

  failure(
    code: 'PROCONSUL_UNAVAILABLE' | 'PROCONSUL_PERMISSION_DENIED' | 'PROCONSUL_NO_LEADER' = 'PROCONSUL_UNAVAILABLE',
  ): void {
    this.#observer?.onFailure(new ProconsulError(code, 'a scripted failure'))
  }

  /** With the items that were told last nothing has changed meanwhile; with others their value follows. */
  recovery(items: readonly string[]): void {
    const isSame = items.join() === this.#last?.value.items.join()
    const value = isSame && this.#last ? this.#last.value : { items }
    this.#observer?.onRecovery({ value, index: this.#index, receivedAt: this.#index })
  }

  doubt(): void {
    this.#observer?.onDoubt()
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

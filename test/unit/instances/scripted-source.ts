import type { Runtime } from '../../../src/core/runtime.js'
import { ProconsulError, type ProconsulErrorCode } from '../../../src/errors/proconsul-error.js'
import type { InstanceList, InstanceSource } from '../../../src/instances/instance-source.js'
import { defineInstance, type ServiceInstance } from '../../../src/instances/service-instance.js'
import type { Hold, Observer } from '../../../src/live/live-source.js'
import type { FakeClock } from '../../support/fake-clock.js'

/** Instances with these ids; the same id gives an equal instance. */
export function instances(ids: readonly string[]): readonly ServiceInstance[] {
  return ids.map((id) => defineInstance({ id, name: 'web', address: '10.0.0.1', port: 80 }))
}

export const idsOf = (list: { readonly instances: readonly ServiceInstance[] }): string =>
  list.instances.map(({ id }) => id).join()

/** A list as a source yields it. */
export function listOf(ids: readonly string[], facts: Partial<InstanceList> = {}): InstanceList {
  return { instances: instances(ids), confirmedAt: 1, isContinuous: true, ...facts }
}

/** A source whose news a test gives by hand. */
export class ScriptedSource implements InstanceSource {
  readonly label: string
  readonly confirm?: NonNullable<InstanceSource['confirm']>
  isClosed = false
  isPaused = false
  refreshes = 0
  #observer: Observer<InstanceList> | undefined
  #last: InstanceList = listOf([])
  #at = 100

  constructor(label = 'web', confirm?: () => Promise<readonly string[]>) {
    this.label = label
    if (confirm !== undefined) this.confirm = async () => instances(await confirm())
  }

  observe(observer: Observer<InstanceList>): Hold {
    this.#observer = observer
    return {
      pause: () => (this.isPaused = true),
      resume: () => (this.isPaused = false),
      refresh: () => (this.refreshes += 1),
      close: () => {
        this.isClosed = true
      },
    }
  }

  get isObserved(): boolean {
    return this.#observer !== undefined
  }

  value(ids: readonly string[], facts: Partial<InstanceList> = {}): void {
    this.#last = listOf(ids, { confirmedAt: (this.#at += 1), ...facts })
    this.#observer?.onValue(this.#last)
  }

  /** The same list, read again. */
  again(facts: Partial<InstanceList> = {}): void {
    this.#last = { ...this.#last, confirmedAt: (this.#at += 1), ...facts }
    this.#observer?.onValue(this.#last)
  }

  failure(code: ProconsulErrorCode = 'PROCONSUL_UNAVAILABLE'): void {
    this.#observer?.onFailure(new ProconsulError(code, 'a scripted failure'))
  }

  doubt(): void {
    this.#observer?.onDoubt(new ProconsulError('PROCONSUL_UNAVAILABLE', 'a scripted doubt'))
  }

  saved(ids: readonly string[], confirmedAt: number): void {
    this.#observer?.onSaved(listOf(ids, { confirmedAt, isContinuous: false }))
  }

  problem(): void {
    this.#observer?.onProblem(new ProconsulError('PROCONSUL_CACHE_FAILED', 'a scripted problem'))
  }
}

/** Records what an observer hears, in words. */
export class ToldList implements Observer<InstanceList> {
  readonly told: string[] = []
  readonly lists: InstanceList[] = []
  onValue(list: InstanceList): void {
    this.lists.push(list)
    this.told.push(`value ${idsOf(list)}`)
  }
  onFailure(error: ProconsulError): void {
    this.told.push(`failure ${error.code}`)
  }
  onDoubt(): void {
    this.told.push('doubt')
  }
  onSaved(list: InstanceList): void {
    this.lists.push(list)
    this.told.push(`saved ${idsOf(list)} at ${list.confirmedAt}`)
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

import { orAborted, withDeadline } from '../core/abort.js'
import { reconcileList } from '../core/keyed-list.js'
import { checkFunction, checkString, isRecord } from '../core/option-check.js'
import type { Runtime } from '../core/runtime.js'
import { thrownText } from '../core/thrown.js'
import { invalidOption } from '../errors/invalid-option.js'
import { isProconsulError, ProconsulError, type ProconsulErrorCode } from '../errors/proconsul-error.js'
import type { Hold, Observer } from '../live/live-source.js'
import { checkInstanceList, checkInstances } from './given-list.js'
import type { InstanceList, InstanceSource } from './instance-source.js'
import { INSTANCE, type ServiceInstance } from './service-instance.js'

/** So long a source may take to close. */
const CLOSE_PATIENCE_MS = 5_000

/**
 * A source that users wrote, made safe. It may call while it is asked to observe, inside another call, after it was closed, or again
 * with the same list; throw anywhere; yield anything at all. What is no list is told as a failure that names the field, and the last
 * good list stays. Instances that did not change keep their identity. What it tells while it is paused comes when it is resumed.
 * @throws ProconsulError `PROCONSUL_INVALID_OPTION` for what is no source
 */
export function givenSource(option: string, given: InstanceSource, runtime: Runtime): InstanceSource {
  if (!isRecord(given)) throw invalidOption(option, given, 'a source: an object with label and observe()')
  const label = checkString(`${option}.label`, given.label)
  checkFunction(`${option}.observe`, Reflect.get(given, 'observe'))
  const confirm: unknown = Reflect.get(given, 'confirm')
  if (confirm !== undefined) checkFunction(`${option}.confirm`, confirm)
  return {
    label,
    observe(observer) {
      const source = new GivenSource(given, observer, runtime)
      source.begin()
      return source
    },
    ...(confirm !== undefined && { confirm: (signal: AbortSignal) => confirmed(given, signal) }),
  }
}

async function confirmed(given: InstanceSource, signal: AbortSignal): Promise<readonly ServiceInstance[]> {
  return checkInstances(await orAborted(signal, Promise.resolve(given.confirm?.(signal))))
}

class GivenSource implements Hold {
  readonly #given: InstanceSource
  readonly #observer: Observer<InstanceList>
  readonly #runtime: Runtime
  #hold: Hold | undefined
  #state: 'active' | 'paused' | 'closed' = 'active'
  #known: readonly ServiceInstance[] = []
  /** Calls that came inside another call. */
  #waiting: (() => void)[] | undefined
  /** The last value, and what came after it, while it is paused. */
  #missed: { value?: () => void; trouble?: () => void } = {}

  constructor(given: InstanceSource, observer: Observer<InstanceList>, runtime: Runtime) {
    this.#given = given
    this.#observer = observer
    this.#runtime = runtime
  }

  begin(): void {
    try {
      this.#hold = checkHold(this.#given.observe(this.#guarded()))
    } catch (error) {
      const failure = this.#failure(error, 'PROCONSUL_INVALID_OPTION')
      this.#call(() => this.#observer.onFailure(failure))
      // It cannot be stopped, so it is not listened to.
      this.#state = 'closed'
    }
  }

  pause(): void {
    if (this.#state !== 'active') return
    this.#state = 'paused'
    this.#attempt('pause', () => this.#hold?.pause?.())
  }

  resume(): void {
    if (this.#state !== 'paused') return
    this.#state = 'active'
    const { value, trouble } = this.#missed
    this.#missed = {}
    if (value !== undefined) this.#call(value)
    if (trouble !== undefined) this.#call(trouble)
    this.#attempt('resume', () => this.#hold?.resume?.())
  }

  refresh(): void {
    if (this.#state === 'active') this.#attempt('refresh', () => this.#hold?.refresh?.())
  }

  async close(): Promise<void> {
    this.#state = 'closed'
    const { clock } = this.#runtime
    const onTimeout = (): ProconsulError => this.#failure('it takes too long to close', 'PROCONSUL_TIMEOUT')
    try {
      const closing = Promise.resolve(this.#hold?.close())
      await withDeadline({ clock, timeoutMs: CLOSE_PATIENCE_MS, onTimeout }, () => closing)
    } catch (error) {
      this.#report('close', error)
    }
  }

  /** What the source calls. Never throws. */
  #guarded(): Observer<InstanceList> {
    const told = this.#observer
    return {
      onValue: (list) => this.#onValue(list),
      onFailure: (error) => this.#onTrouble('onFailure', this.#failure(error)),
      onDoubt: (error) => this.#onTrouble('onDoubt', this.#failure(error)),
      onSaved: (list) => this.#onList(list, (saved) => told.onSaved(saved)),
      onProblem: (error) => {
        const problem = this.#failure(error)
        if (this.#state === 'active') this.#call(() => told.onProblem(problem))
      },
    }
  }

  #onValue(list: InstanceList): void {
    this.#onList(list, (checked) => this.#observer.onValue(checked))
  }

  #onList(given: InstanceList, tell: (list: InstanceList) => void): void {
    if (this.#state === 'closed') return
    let list: InstanceList
    try {
      const checked = checkInstanceList(given)
      this.#known = reconcileList(this.#known, checked.instances, INSTANCE, checked.isOrdered)
      list = { ...checked, instances: this.#known }
    } catch (error) {
      this.#onTrouble('onFailure', this.#failure(error, 'PROCONSUL_BAD_RESPONSE'))
      return
    }
    const call = (): void => tell(list)
    if (this.#state === 'paused') this.#missed = { value: call }
    else this.#call(call)
  }

  #onTrouble(name: 'onFailure' | 'onDoubt', error: ProconsulError): void {
    const call = (): void => this.#observer[name](error)
    if (this.#state === 'paused') this.#missed = { ...this.#missed, trouble: call }
    else this.#call(call)
  }

  /** Calls the observer; a call that comes meanwhile, from inside it, comes after it. */
  #call(call: () => void): void {
    if (this.#state === 'closed') return
    if (this.#waiting !== undefined) {
      this.#waiting.push(call)
      return
    }
    this.#waiting = [call]
    for (const next of this.#waiting) if (this.#isOpen) next()
    this.#waiting = undefined
  }

  get #isOpen(): boolean {
    return this.#state !== 'closed'
  }

  #attempt(name: string, call: () => unknown): void {
    try {
      call()
    } catch (error) {
      this.#report(name, error)
    }
  }

  #report(name: string, error: unknown): void {
    const { label } = this.#given
    this.#runtime.logger.error({ source: label, err: error }, `${name}() of a source of instances failed`)
  }

  /** The typed error for what a source said or threw; `code` for what is none of ours, and for what a check found. */
  #failure(thrown: unknown, code?: ProconsulErrorCode): ProconsulError {
    if (isProconsulError(thrown) && code === undefined) return thrown
    const message = `${this.#given.label}: ${thrownText(thrown)}`
    return new ProconsulError(code ?? 'PROCONSUL_UNAVAILABLE', message, { cause: thrown })
  }
}

function checkHold(hold: unknown): Hold {
  if (!isHold(hold)) throw invalidOption('what observe() returns', hold, 'an object with close()')
  return hold
}

function isHold(hold: unknown): hold is Hold {
  const isOptional = (method: unknown): boolean => method === undefined || typeof method === 'function'
  return (
    isRecord(hold) &&
    typeof hold['close'] === 'function' &&
    ['pause', 'resume', 'refresh'].every((name) => isOptional(hold[name]))
  )
}

import { ProconsulError } from '../../errors/proconsul-error.js'

/** Where a registration is, with what belongs to it. */
export type State =
  | { readonly type: 'registering' }
  | { readonly type: 'registered' }
  | { readonly type: 'lost'; readonly reason: 'forgotten' | 'taken'; readonly since: number }
  /** `isAnswered`: the registry was told, or could not be: there is nothing left to keep. */
  | { readonly type: 'draining'; readonly isAnswered: boolean }
  | { readonly type: 'deregistered' }

/** Where a registration is. */
export type RegistrationState = State['type']

/** The error of what comes too late. */
export function closedError(): ProconsulError {
  return new ProconsulError('PROCONSUL_CLOSED', 'the registration has ended, or has begun to')
}

/** The one state of a registration, and the two signals that follow from it. */
export class Phase {
  #state: State = { type: 'registering' }
  readonly #leaving = new AbortController()
  readonly #halted = new AbortController()

  /** The state itself: another object after each `enter`. */
  get current(): State {
    return this.#state
  }

  get type(): RegistrationState {
    return this.#state.type
  }

  /** Aborted when the service is to leave: nothing registers it any more. */
  get leaving(): AbortSignal {
    return this.#leaving.signal
  }

  /** Aborted when nothing may be sent any more. */
  get halted(): AbortSignal {
    return this.#halted.signal
  }

  /** Whether it has begun to leave, or has left. */
  get isLeaving(): boolean {
    return this.#leaving.signal.aborted
  }

  /** Whether there is something to keep alive: from the first registration until the registry has answered that it is gone. */
  get isKept(): boolean {
    if (this.#halted.signal.aborted || this.#state.type === 'registering') return false
    return this.#state.type !== 'draining' || !this.#state.isAnswered
  }

  /** Whether another live process has the id. */
  get isTaken(): boolean {
    return this.#state.type === 'lost' && this.#state.reason === 'taken'
  }

  /** Whether the registry does not know it any more. */
  get isForgotten(): boolean {
    return this.#state.type === 'lost' && this.#state.reason === 'forgotten'
  }

  /** What has begun to leave never comes back. */
  enter(state: State): void {
    const isEnd = state.type === 'draining' || state.type === 'deregistered'
    if (this.isLeaving && !isEnd) return
    this.#state = state
    if (isEnd) this.#leaving.abort(closedError())
    if (state.type === 'deregistered') this.#halted.abort(closedError())
  }

  /** Ends everything at once. The state stays as it was: the registry was not told. */
  halt(): void {
    this.#leaving.abort(closedError())
    this.#halted.abort(closedError())
  }

  /** Since when it is lost, on the monotonic clock; `now` when it is not. */
  lostSince(now: number): number {
    return this.#state.type === 'lost' ? this.#state.since : now
  }
}

/** Where a registration is, with what belongs to it. */
export type State =
  | { readonly type: 'registering' }
  | { readonly type: 'registered' }
  | { readonly type: 'lost'; readonly reason: 'forgotten' | 'taken'; readonly since: number }
  | { readonly type: 'draining' }
  | { readonly type: 'deregistered' }

/** Where a registration is. */
export type RegistrationState = State['type']

/** Keeps the state of one registration. */
export class Phase {
  #state: State = { type: 'registering' }

  /** The state itself: another object after each `enter`. */
  get current(): State {
    return this.#state
  }

  get type(): RegistrationState {
    return this.#state.type
  }

  /** Whether it has begun to leave, or has left. */
  get isLeaving(): boolean {
    return this.#state.type === 'draining' || this.#state.type === 'deregistered'
  }

  /** Whether another live process has the id. */
  get isTaken(): boolean {
    return this.#state.type === 'lost' && this.#state.reason === 'taken'
  }

  /** Whether the agent does not know it any more. */
  get isForgotten(): boolean {
    return this.#state.type === 'lost' && this.#state.reason === 'forgotten'
  }

  /** What has begun to leave never comes back. */
  enter(state: State): void {
    if (!this.isLeaving || state.type === 'deregistered') this.#state = state
  }

  /** Since when it is lost, on the monotonic clock; `now` when it is not. */
  lostSince(now: number): number {
    return this.#state.type === 'lost' ? this.#state.since : now
  }
}

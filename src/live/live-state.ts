import type { ProconsulError } from '../errors/proconsul-error.js'
import type { Confirmed } from './live-source.js'

/** Where something that is followed is, with what belongs to it. Every step is a pure function from one state to the next. */
export type LiveState<Fact extends Confirmed> =
  /** Nothing was read yet. */
  | { readonly type: 'starting'; readonly failure: ProconsulError | undefined }
  /** What is shown is what was read last. */
  | { readonly type: 'fresh'; readonly fact: Fact }
  /** The last good value is shown, and may be out of date. */
  | {
      readonly type: 'stale'
      readonly fact: Fact
      /** Wall time since which it may be. */
      readonly since: number
      /** Why. */
      readonly reason: ProconsulError | undefined
      /** What reading fails with at present; undefined while the source can be read and only its value is in doubt. */
      readonly failure: ProconsulError | undefined
    }
  | { readonly type: 'closed'; readonly fact: Fact | undefined; readonly failure: ProconsulError | undefined }

/** What is shown in a state. */
export function factOf<Fact extends Confirmed>(state: LiveState<Fact>): Fact | undefined {
  return state.type === 'starting' ? undefined : state.fact
}

/** What reading fails with in a state. */
export function failureOf<Fact extends Confirmed>(state: LiveState<Fact>): ProconsulError | undefined {
  return state.type === 'fresh' ? undefined : state.failure
}

/** After a failed read. */
export function failed<Fact extends Confirmed>(
  state: LiveState<Fact>,
  error: ProconsulError,
  now: number,
): LiveState<Fact> {
  if (state.type === 'closed') return state
  if (state.type === 'starting') return { type: 'starting', failure: error }
  const { since, reason } = state.type === 'stale' ? state : { since: now, reason: error }
  return { type: 'stale', fact: state.fact, since, reason, failure: error }
}

/** After a read whose value is not believed. */
export function doubted<Fact extends Confirmed>(
  state: LiveState<Fact>,
  reason: ProconsulError,
  now: number,
): LiveState<Fact> {
  if (state.type === 'closed') return state
  if (state.type === 'starting') return { type: 'starting', failure: undefined }
  const since = state.type === 'stale' ? state.since : now
  return { type: 'stale', fact: state.fact, since, reason, failure: undefined }
}

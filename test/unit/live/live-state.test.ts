import { describe, expect, it } from 'vitest'
import { ProconsulError } from '../../../src/errors/proconsul-error.js'
import { doubted, factOf, failed, failureOf, type LiveState } from '../../../src/live/live-state.js'

type State = LiveState<{ readonly confirmedAt: number }>

const fact = { confirmedAt: 1 }
const first = new ProconsulError('PROCONSUL_UNAVAILABLE', 'first')
const second = new ProconsulError('PROCONSUL_NO_LEADER', 'second')
const starting: State = { type: 'starting', failure: undefined }
const fresh: State = { type: 'fresh', fact }
const stale: State = { type: 'stale', fact, since: 5, reason: first, failure: first }
const closed: State = { type: 'closed', fact, failure: first }

describe('the state of what is followed', () => {
  it('shows the last fact in every state but before the first', () => {
    expect([starting, fresh, stale, closed].map(factOf)).toEqual([undefined, fact, fact, fact])
  })

  it('has a failure in every state but when it is fresh', () => {
    expect([starting, fresh, stale, closed].map(failureOf)).toEqual([undefined, undefined, first, first])
    expect(failureOf({ type: 'starting', failure: second })).toBe(second)
  })

  it.each<[string, State, State]>([
    ['starting', starting, { type: 'starting', failure: second }],
    ['fresh', fresh, { type: 'stale', fact, since: 9, reason: second, failure: second }],
    ['stale', stale, { type: 'stale', fact, since: 5, reason: first, failure: second }],
    ['closed', closed, closed],
  ])('after a failed read when it was %s', (_name, before, after) => {
    expect(failed(before, second, 9)).toEqual(after)
  })

  it.each<[string, State, State]>([
    ['starting', { type: 'starting', failure: first }, starting],
    ['fresh', fresh, { type: 'stale', fact, since: 9, reason: second, failure: undefined }],
    ['stale', stale, { type: 'stale', fact, since: 5, reason: second, failure: undefined }],
    ['closed', closed, closed],
  ])('after a doubt when it was %s', (_name, before, after) => {
    expect(doubted(before, second, 9)).toEqual(after)
  })
})

import { beforeEach, describe, expect, it } from 'vitest'
import { LossGuard } from '../../../src/config/loss-guard.js'
import type { LayerState } from '../../../src/config/source/layer-state.js'
import { FakeClock } from '../../support/fake-clock.js'
import { entriesOf } from './pipeline.js'

let clock: FakeClock
let over: LayerState[]

beforeEach(() => {
  clock = new FakeClock()
  over = []
})

function guard(holdMs = 1_000): LossGuard {
  return new LossGuard(clock, holdMs, (state) => over.push(state))
}

function state(names: string, advanced = true): LayerState {
  const store = Object.fromEntries(Array.from(names, (name) => [`a/${name}`, name]))
  return { entries: entriesOf(store), index: 1, advanced, isCrowded: false }
}

describe('LossGuard', () => {
  it('believes a deletion that the index tells of', () => {
    const judge = guard()
    expect(judge.judge(state('ab')).type).toBe('trusted')
    expect(judge.judge(state('a')).type).toBe('trusted')
    expect(judge.judge(state('')).type).toBe('trusted')
  })

  it('holds back what is missing without the index having gone on', () => {
    const judge = guard()
    judge.judge(state('ab'))
    expect(judge.judge(state('a', false))).toEqual({ type: 'held', missing: 1 })
    expect(judge.isHolding).toBe(true)
  })

  it('holds back what is missing after an outage, until all of it is back', () => {
    const judge = guard()
    judge.judge(state('abc'))
    judge.interrupted()
    expect(judge.judge(state('')).type).toBe('held')
    expect(judge.judge(state('a')).type).toBe('held')
    expect(judge.judge(state('abc')).type).toBe('trusted')
    expect(clock.pendingTimers).toBe(0)
    expect(judge.judge(state('a')).type).toBe('trusted')
  })

  it('lets additions and changes pass after an outage', () => {
    const judge = guard()
    judge.judge(state('a'))
    judge.interrupted()
    expect(judge.judge(state('ab')).type).toBe('trusted')
  })

  it('forgets an outage when the store still holds what it held', () => {
    const judge = guard()
    judge.judge(state('ab'))
    judge.interrupted()
    judge.confirmed()
    expect(judge.judge(state('a')).type).toBe('trusted')
  })

  it('gives in when the time is up, counted from the first sign, with the last state', async () => {
    const judge = guard(1_000)
    judge.judge(state('abc'))
    judge.interrupted()
    judge.judge(state(''))
    await clock.advance(900)
    const last = state('a')
    judge.judge(last)
    await clock.advance(99)
    expect(over).toEqual([])
    await clock.advance(1)
    expect(over).toEqual([last])
    expect(judge.isHolding).toBe(false)
    expect(judge.judge(state('')).type).toBe('trusted')
  })

  it('guards nothing with a time of 0, and leaves no timer when closed', () => {
    const off = guard(0)
    off.judge(state('a'))
    off.interrupted()
    expect(off.judge(state('')).type).toBe('trusted')
    const judge = guard()
    judge.judge(state('a'))
    judge.judge(state('', false))
    judge.close()
    expect(clock.pendingTimers).toBe(0)
  })
})

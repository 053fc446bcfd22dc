import { describe, expect, it } from 'vitest'
import { Pace, type PacedAnswer } from '../../../src/watch/pace.js'
import { FakeClock } from '../../support/fake-clock.js'
import { failure } from './harness.js'

const NEWS: PacedAnswer = { changed: true, isEmpty: false, isVisit: false, polls: false }
const SAME: PacedAnswer = { ...NEWS, changed: false }
const NOTHING_THERE: PacedAnswer = { ...SAME, isEmpty: true }

function make(random = 0.5): { readonly clock: FakeClock; readonly pace: Pace } {
  const clock = new FakeClock()
  const silent = (): void => undefined
  const logger = { debug: silent, info: silent, warn: silent, error: silent }
  return { clock, pace: new Pace({ clock, random: () => random, logger }, { intervalMs: 250, pollMs: 10_000 }) }
}

const rests = (pace: Pace, answers: readonly PacedAnswer[]): number[] =>
  answers.map((answer) => pace.afterAnswer(answer))

describe('the pace of one query', () => {
  it('lets two reads follow at once after quiet, then keeps to the interval', async () => {
    const { clock, pace } = make()
    expect(rests(pace, [NEWS, NEWS, NEWS, NEWS])).toEqual([0, 0, 250, 500])
    await clock.advance(60_000)
    expect(rests(pace, [NEWS, NEWS, NEWS])).toEqual([0, 0, 250])
  })

  it('counts an answer that was not shown like any other read', () => {
    const { pace } = make()
    expect([pace.afterDropped(), pace.afterDropped(), pace.afterDropped()]).toEqual([0, 0, 250])
    expect(pace.afterAnswer(NEWS)).toBe(500)
  })

  it('reads what does not exist an eighth as often', () => {
    const { pace } = make()
    const few = [NOTHING_THERE, NOTHING_THERE, NOTHING_THERE, NOTHING_THERE]
    expect(rests(pace, few)).toEqual([0, 0, 2_000, 4_000])
  })

  it('does not slow down for what does not exist any more in this moment, or is read in a round among many', () => {
    const gone = make().pace
    expect(rests(gone, [NOTHING_THERE, NOTHING_THERE, { ...NOTHING_THERE, changed: true }])).toEqual([0, 0, 250])
    const visited = make().pace
    const visit = { ...NOTHING_THERE, isVisit: true }
    expect(rests(visited, [visit, visit, visit])).toEqual([0, 0, 250])
  })

  it('keeps to the interval also for what does not exist', () => {
    const { pace } = make()
    for (let read = 0; read < 20; read += 1) pace.afterDropped()
    expect(pace.afterAnswer(NOTHING_THERE)).toBe(250 * 19)
  })

  it.each([
    [0, 9_000],
    [0.5, 10_000],
    [0.999_999, 11_000],
  ])('polls within a tenth of the interval, at random: %d', (random, expected) => {
    const { pace } = make(random)
    expect(
      rests(pace, [
        { ...SAME, polls: true },
        { ...NEWS, polls: true },
      ]).map(Math.round),
    ).toEqual([expected, expected])
  })

  it('takes nothing from the reads after quiet when it polls', () => {
    const { pace } = make()
    for (let read = 0; read < 5; read += 1) pace.afterAnswer({ ...SAME, polls: true })
    expect(rests(pace, [NEWS, NEWS, NEWS])).toEqual([0, 0, 250])
  })

  it('waits longer after each failure in a row, up to half a minute, and begins anew after a good answer', () => {
    const { pace } = make()
    const refused = failure('PROCONSUL_PERMISSION_DENIED')
    const pauses = Array.from({ length: 9 }, () => pace.afterFailure(refused))
    expect(pauses).toEqual([187.5, 375, 750, 1_500, 3_000, 6_000, 12_000, 22_500, 22_500])
    pace.afterDropped()
    expect(pace.afterFailure(refused)).toBe(22_500)
    pace.afterAnswer(SAME)
    expect(pace.afterFailure(refused)).toBe(187.5)
  })

  it('waits ten seconds at most in an outage, so that its end is seen soon', () => {
    const { pace } = make(0.999_999)
    const pauses = Array.from({ length: 9 }, () => Math.round(pace.afterFailure(failure('PROCONSUL_UNAVAILABLE'))))
    expect(pauses).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000, 10_000])
  })

  it.each([
    [3_000, 3_000],
    [100, 187.5],
    [3_600_000, 10_000],
    [Infinity, 10_000],
  ])('heeds an agent that asks for %d ms, within bounds', (askedMs, expected) => {
    expect(make().pace.afterFailure(failure('PROCONSUL_RATE_LIMITED', askedMs))).toBe(expected)
  })

  it('is hot for half a minute after a change, and by nothing else', async () => {
    const { clock, pace } = make()
    expect(pace.hot).toBe(false)
    pace.afterAnswer(SAME)
    pace.afterDropped()
    expect(pace.hot).toBe(false)
    pace.afterAnswer(NEWS)
    await clock.advance(29_999)
    expect(pace.hot).toBe(true)
    await clock.advance(1)
    expect(pace.hot).toBe(false)
    pace.afterAnswer({ ...NEWS, polls: true })
    expect(pace.hot).toBe(true)
  })

  it('may be hurried once per interval', async () => {
    const { clock, pace } = make()
    expect([pace.mayHurry(), pace.mayHurry()]).toEqual([true, false])
    await clock.advance(249)
    expect(pace.mayHurry()).toBe(false)
    await clock.advance(1)
    expect([pace.mayHurry(), pace.mayHurry()]).toEqual([true, false])
  })
})

import { describe, expect, it } from 'vitest'
import { Countdown } from '../../../src/core/countdown.js'
import { FakeClock } from '../../support/fake-clock.js'

function counting(fullMs: number) {
  const clock = new FakeClock()
  const endedAt: number[] = []
  const countdown = new Countdown(clock, fullMs, () => endedAt.push(clock.monotonic()))
  return { clock, endedAt, countdown }
}

describe('a countdown', () => {
  it('counts only the time in which it runs', async () => {
    const { clock, endedAt, countdown } = counting(1_000)
    await clock.advance(5_000)
    countdown.run()
    await clock.advance(400)
    countdown.stop()
    expect(clock.pendingTimers).toBe(0)
    await clock.advance(60_000)
    countdown.run()
    countdown.run()
    await clock.advance(599)
    expect(endedAt).toEqual([])
    await clock.advance(1)
    expect(endedAt).toEqual([66_000])
    expect(clock.pendingTimers).toBe(0)
  })

  it('ends again in a moment when it runs on at its end, and after the full time when it starts over', async () => {
    const { clock, endedAt, countdown } = counting(1_000)
    countdown.run()
    await clock.advance(1_000)
    countdown.run()
    await clock.advance(1)
    countdown.restart()
    await clock.advance(999)
    expect(endedAt).toEqual([1_000, 1_001])
    await clock.advance(1)
    expect(endedAt).toEqual([1_000, 1_001, 2_001])
  })
})

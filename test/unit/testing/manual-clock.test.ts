import { describe, expect, test } from 'vitest'
import { ManualClock } from '../../../src/testing/manual-clock.js'

describe('a manual clock', () => {
  test('stands still, then runs what falls due in order, each at its moment', async () => {
    const clock = new ManualClock(1_000)
    const seen: [string, number][] = []
    clock.setTimer(() => seen.push(['late', clock.now()]), 20)
    clock.setTimer(() => {
      seen.push(['early', clock.now()])
      clock.setTimer(() => seen.push(['nested', clock.now()]), 5)
    }, 10)
    expect([clock.now(), clock.monotonic(), clock.pendingTimers]).toEqual([1_000, 0, 2])
    await clock.advance(30)
    expect(seen).toEqual([
      ['early', 1_010],
      ['nested', 1_015],
      ['late', 1_020],
    ])
    expect([clock.now(), clock.monotonic(), clock.pendingTimers]).toEqual([1_030, 30, 0])
  })

  test('forgets what is cancelled, and keeps what is not due', async () => {
    const clock = new ManualClock()
    let count = 0
    const timer = clock.setTimer(() => (count += 1), 10)
    clock.setTimer(() => (count += 1), 1_001)
    timer.cancel()
    await clock.advance('1s')
    expect([count, clock.pendingTimers]).toEqual([0, 1])
  })

  test('lets a timer that sets itself again run on without holding up time', async () => {
    const clock = new ManualClock()
    let count = 0
    const again = (): void => {
      count += 1
      clock.setTimer(again, 0)
    }
    again()
    await clock.advance('10ms')
    expect(count).toBe(11)
  })
})

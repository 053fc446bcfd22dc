import { beforeEach, describe, expect, it } from 'vitest'
import { Debounce } from '../../../../src/config/apply/debounce.js'
import { FakeClock } from '../../../support/fake-clock.js'

let clock: FakeClock
let quietAt: number[]

beforeEach(() => {
  clock = new FakeClock()
  quietAt = []
})

function debounce(quietMs: number): Debounce {
  return new Debounce(clock, quietMs, () => quietAt.push(clock.monotonic()))
}

describe('Debounce', () => {
  it('waits for one change as long as it is told to', async () => {
    const waiting = debounce(100)
    waiting.stir()
    expect(waiting.isWaiting).toBe(true)
    await clock.advance(99)
    expect(quietAt).toEqual([])
    await clock.advance(1)
    expect(quietAt).toEqual([100])
    expect(waiting.isWaiting).toBe(false)
  })

  it('takes a burst for over when it has been quiet for longer than the watch reads it', async () => {
    const waiting = debounce(100)
    waiting.stir()
    await clock.advance(50)
    waiting.stir()
    await clock.advance(299)
    expect(quietAt).toEqual([])
    await clock.advance(1)
    expect(quietAt).toEqual([350])
  })

  it('keeps its own pace in a burst where that is the longer one', async () => {
    const waiting = debounce(500)
    waiting.stir()
    await clock.advance(100)
    waiting.stir()
    await clock.advance(1_000)
    expect(quietAt).toEqual([600])
  })

  it('waits at the latest for ten times as long, and then begins anew', async () => {
    const waiting = debounce(100)
    for (let at = 0; at < 2_000; at += 50) {
      waiting.stir()
      await clock.advance(50)
    }
    expect(quietAt).toEqual([1_000, 2_000])
  })

  it('waits for nothing when told so, and leaves no timer', () => {
    const waiting = debounce(0)
    waiting.stir()
    waiting.stir()
    expect(quietAt).toEqual([0, 0])
    expect(clock.pendingTimers).toBe(0)
  })

  it('forgets what waits when it is cancelled', async () => {
    const waiting = debounce(100)
    waiting.stir()
    waiting.cancel()
    expect(waiting.isWaiting).toBe(false)
    await clock.advance(1_000)
    expect(quietAt).toEqual([])
    expect(clock.pendingTimers).toBe(0)
  })
})

import { expect, it } from 'vitest'
import { sleep } from '../../src/core/sleep.js'
import { FakeClock } from '../support/fake-clock.js'

it('fires timers in the order in which they fall due, each at its own time', async () => {
  const clock = new FakeClock()
  const fired: string[] = []
  for (const delayMs of [30, 10, 20]) clock.setTimer(() => fired.push(`${delayMs} at ${clock.monotonic()}`), delayMs)
  await clock.advance(25)
  expect(fired).toEqual(['10 at 10', '20 at 20'])
  expect(clock.monotonic()).toBe(25)
  expect(clock.nextTimerInMs).toBe(5)
})

it('lets a loop that sleeps go round as often as time allows', async () => {
  const clock = new FakeClock()
  let rounds = 0
  const loop = async (): Promise<void> => {
    while (rounds < 100) {
      await sleep(10, { clock })
      rounds += 1
    }
  }
  void loop()
  await clock.advance(55)
  expect(rounds).toBe(5)
})

it('forgets a cancelled timer, and tells which ones keep a process alive', async () => {
  const clock = new FakeClock()
  const cancelled = clock.setTimer(() => expect.unreachable(), 1)
  clock.setTimer(() => undefined, 5, { keepAlive: false })
  cancelled.cancel()
  expect([clock.pendingTimers, clock.keepAliveTimers]).toEqual([1, 0])
  await clock.advanceToNext()
  expect(clock.pendingTimers).toBe(0)
  await expect(clock.advanceToNext()).rejects.toThrow('no timer')
})

it('can step the wall time without touching monotonic time', () => {
  const clock = new FakeClock(1_000)
  clock.jumpWallTime(3_600_000)
  expect([clock.now(), clock.monotonic()]).toEqual([3_601_000, 0])
})

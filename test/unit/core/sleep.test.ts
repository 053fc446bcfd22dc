import { getEventListeners } from 'node:events'
import { expect, it } from 'vitest'
import { sleep } from '../../../src/core/sleep.js'
import { FakeClock } from '../../support/fake-clock.js'

it('wakes after its time and leaves no listener', async () => {
  const clock = new FakeClock()
  const { signal } = new AbortController()
  const slept = sleep(500, { clock, signal })
  await clock.advance(500)
  await slept
  expect(getEventListeners(signal, 'abort')).toHaveLength(0)
})

it('ends at once when it is aborted, and leaves no timer', async () => {
  const clock = new FakeClock()
  const controller = new AbortController()
  const slept = sleep(500, { clock, signal: controller.signal })
  controller.abort()
  await expect(slept).rejects.toMatchObject({ code: 'PROCONSUL_ABORTED' })
  expect(clock.pendingTimers).toBe(0)
  await expect(sleep(500, { clock, signal: controller.signal })).rejects.toMatchObject({ code: 'PROCONSUL_ABORTED' })
})

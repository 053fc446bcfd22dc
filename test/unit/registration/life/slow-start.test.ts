import { expect, it } from 'vitest'
import { SlowStart } from '../../../../src/registration/life/slow-start.js'
import { FakeClock } from '../../../support/fake-clock.js'
import { recordingLogger } from '../../../support/recording-logger.js'

it('raises a weight in ten equal steps and then lets the full one hold', async () => {
  const clock = new FakeClock()
  const weights: (number | undefined)[] = []
  const runtime = { clock, random: () => 0.5, logger: recordingLogger() }
  const slowStart: SlowStart = new SlowStart(runtime, () => Promise.resolve(weights.push(slowStart.weight)))
  slowStart.prepare()
  slowStart.start(10_000, () => 20)
  await clock.advance(60_000)
  expect(weights).toEqual([2, 4, 6, 8, 10, 12, 14, 16, 18, undefined])
  expect(clock.pendingTimers).toBe(0)
})

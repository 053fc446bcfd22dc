import { expect, it } from 'vitest'
import { TokenBucket } from '../../../src/core/token-bucket.js'
import { FakeClock } from '../../support/fake-clock.js'

it('lets a burst pass at once, then one per interval, and forgets a quiet time beyond the burst', async () => {
  const clock = new FakeClock()
  const bucket = new TokenBucket(clock, { burst: 2, refillMs: 100 })
  expect([bucket.take(), bucket.take(), bucket.take(), bucket.take()]).toEqual([0, 0, 100, 200])
  await clock.advance(10_000)
  expect([bucket.take(), bucket.take(), bucket.take()]).toEqual([0, 0, 100])
})

import { describe, expect, it, vi } from 'vitest'
import { LONGEST_RETRY_AFTER_MS, persist, retryPauseMs, type PersistOptions } from '../../../src/core/persist.js'
import { ProconsulError, type ProconsulErrorCode } from '../../../src/errors/proconsul-error.js'
import { FakeClock } from '../../support/fake-clock.js'

const failure = (code: ProconsulErrorCode = 'PROCONSUL_UNAVAILABLE', retryAfterMs?: number): ProconsulError =>
  new ProconsulError(code, 'no answer', retryAfterMs === undefined ? {} : { retryAfterMs })

function setUp(more: Partial<PersistOptions> = {}): { clock: FakeClock; options: PersistOptions } {
  const clock = new FakeClock()
  // With this the delay is exactly the ceiling.
  const runtime = { clock, random: () => 1 }
  return { clock, options: { runtime, delays: { firstMs: 100, maxMs: 1_000 }, ...more } }
}

/** Fails with each of the failures in turn, then yields `done`. */
function failing(failures: readonly Error[]): () => Promise<string> {
  const left = [...failures]
  return () =>
    left.length === 0 ? Promise.resolve('done') : Promise.reject(left.shift() ?? new Error('nothing is left'))
}

describe('persistence', () => {
  it('tries until it succeeds, with pauses that double up to the ceiling', async () => {
    const pauses: number[] = []
    const { clock, options } = setUp({ onFailure: (_error, pauseMs) => pauses.push(pauseMs) })
    const result = persist(options, failing(Array.from({ length: 6 }, () => failure())))
    await clock.advance(10_000)
    expect(await result).toBe('done')
    expect(pauses).toEqual([100, 200, 400, 800, 1_000, 1_000])
    expect(clock.pendingTimers).toBe(0)
  })

  it('tells the try its number', async () => {
    const { clock, options } = setUp()
    const numbers: number[] = []
    const result = persist(options, (attempt) => {
      numbers.push(attempt)
      return attempt < 2 ? Promise.reject(failure()) : Promise.resolve(attempt)
    })
    await clock.advance(1_000)
    expect(await result).toBe(2)
    expect(numbers).toEqual([0, 1, 2])
  })

  it('gives up at once at a failure that would only be repeated, and at what is no failure of ours', async () => {
    const { options } = setUp()
    const refused = failure('PROCONSUL_PERMISSION_DENIED')
    await expect(persist(options, failing([refused]))).rejects.toBe(refused)
    const bug = new TypeError('a bug')
    await expect(persist(options, failing([bug]))).rejects.toBe(bug)
  })

  it('lets the caller decide which failures to try again after', async () => {
    const { clock, options } = setUp({ mayRetry: ({ code }) => code === 'PROCONSUL_NOT_FOUND' })
    const result = persist(options, failing([failure('PROCONSUL_NOT_FOUND')]))
    await clock.advance(100)
    expect(await result).toBe('done')
    const passing = failure('PROCONSUL_UNAVAILABLE')
    await expect(persist(options, failing([passing]))).rejects.toBe(passing)
  })

  it('heeds a Retry-After that is longer than its own pause, and no less than its own pause', () => {
    const { options } = setUp()
    expect(retryPauseMs(failure('PROCONSUL_RATE_LIMITED', 3_000), 0, options)).toBe(3_000)
    expect(retryPauseMs(failure('PROCONSUL_RATE_LIMITED', 1), 0, options)).toBe(100)
  })

  it.each([3_600_000, Infinity, 9_999_999_999_000])(
    'never waits for long, though an answer asks for %d ms',
    (askedMs) => {
      const { options } = setUp()
      expect(retryPauseMs(failure('PROCONSUL_RATE_LIMITED', askedMs), 0, options)).toBe(LONGEST_RETRY_AFTER_MS)
      expect(
        retryPauseMs(failure('PROCONSUL_RATE_LIMITED', askedMs), 0, { ...options, longestRetryAfterMs: 500 }),
      ).toBe(500)
    },
  )

  it('ends with the signal, also in a pause, and leaves no timer', async () => {
    const controller = new AbortController()
    const { clock, options } = setUp({ signal: controller.signal })
    const attempt = vi.fn(failing([failure(), failure()]))
    const result = persist(options, attempt)
    await clock.advance(50)
    const reason = failure('PROCONSUL_CLOSED')
    controller.abort(reason)
    await expect(result).rejects.toBe(reason)
    expect(attempt).toHaveBeenCalledTimes(1)
    expect(clock.pendingTimers).toBe(0)
  })

  it('rejects with the failure itself when the signal was aborted during the try', async () => {
    const controller = new AbortController()
    const { options } = setUp({ signal: controller.signal })
    const error = failure()
    const result = persist(options, () => {
      controller.abort()
      return Promise.reject(error)
    })
    await expect(result).rejects.toBe(error)
  })

  it('keeps the process running while it pauses, unless told not to', async () => {
    const kept = setUp()
    void persist(kept.options, failing([failure()]))
    await kept.clock.advance(1)
    expect(kept.clock.keepAliveTimers).toBe(1)
    const free = setUp({ keepAlive: false })
    void persist(free.options, failing([failure()]))
    await free.clock.advance(1)
    expect(free.clock.keepAliveTimers).toBe(0)
  })
})

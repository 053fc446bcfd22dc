import { describe, expect, it } from 'vitest'
import { ProconsulError, type ProconsulErrorCode } from '../../../src/errors/proconsul-error.js'
import { networkFailure } from '../../../src/errors/network-failure.js'
import { withRetries, type RetryOptions } from '../../../src/http/retry.js'
import { FakeClock } from '../../support/fake-clock.js'

const refused = networkFailure('op', 'agent', Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }))
const reset = networkFailure('op', 'agent', Object.assign(new Error('reset'), { code: 'ECONNRESET' }))

function failure(code: ProconsulErrorCode, retryAfterMs?: number): ProconsulError {
  return new ProconsulError(code, 'a scripted failure', retryAfterMs === undefined ? {} : { retryAfterMs })
}

/** Tries, failing as scripted and then succeeding; tells how often it was tried and what came of it. */
async function tried(errors: readonly Error[], options: Partial<RetryOptions> = {}, clock = new FakeClock()) {
  const heard: string[] = []
  let tries = 0
  const bounds: RetryOptions = {
    idempotent: true,
    repeat: true,
    clock,
    giveUpAt: 10_000,
    signal: new AbortController().signal,
    onFailure: ({ code }) => void heard.push(code),
    ...options,
  }
  const attempt = (): Promise<string> => {
    const error = errors[tries]
    tries += 1
    return error === undefined ? Promise.resolve('ok') : Promise.reject(error)
  }
  const outcome = await withRetries(bounds, attempt).catch((error: unknown) => error)
  return { tries, outcome, heard }
}

describe('a request that fails', () => {
  it('is repeated twice after failures that may pass, and tells of each', async () => {
    const down = failure('PROCONSUL_UNAVAILABLE')
    expect(await tried([down, down])).toEqual({ tries: 3, outcome: 'ok', heard: [down.code, down.code] })
    expect(await tried([down, down, down])).toMatchObject({ tries: 3, outcome: down })
  })

  it.each([[failure('PROCONSUL_PERMISSION_DENIED')], [new RangeError('ours')]])(
    'is not repeated when that cannot help: %s',
    async (error) => {
      expect(await tried([error])).toMatchObject({ tries: 1, outcome: error })
    },
  )

  it.each([
    ['a read', true, failure('PROCONSUL_NO_LEADER'), 2],
    ['a write whose outcome is unknown', false, failure('PROCONSUL_NO_LEADER'), 1],
    ['a write that may have arrived', false, reset, 1],
    ['a write that never left', false, refused, 2],
    ['a write that was turned away', false, failure('PROCONSUL_RATE_LIMITED'), 2],
  ])('is repeated where that is safe: %s', async (_what, idempotent, error, tries) => {
    expect((await tried([error], { idempotent })).tries).toBe(tries)
  })

  it('is repeated once, and only after a lost connection, for a loop that has a pace of its own', async () => {
    expect((await tried([reset], { repeat: false })).tries).toBe(2)
    expect(await tried([reset, reset], { repeat: false })).toMatchObject({ tries: 2, outcome: reset })
    expect((await tried([failure('PROCONSUL_UNAVAILABLE')], { repeat: false })).tries).toBe(1)
  })
})

describe('a Retry-After', () => {
  it('is waited for', async () => {
    const clock = new FakeClock()
    const trying = tried([failure('PROCONSUL_RATE_LIMITED', 3_000)], {}, clock)
    await clock.advance(2_999)
    expect(clock.pendingTimers).toBe(1)
    await clock.advance(1)
    expect(await trying).toMatchObject({ tries: 2, outcome: 'ok' })
  })

  it.each([[10_000], [60_000]])('of %d ms ends the tries at once when it goes beyond the deadline', async (askedMs) => {
    const limited = failure('PROCONSUL_RATE_LIMITED', askedMs)
    const clock = new FakeClock()
    expect(await tried([limited], { giveUpAt: 10_000 }, clock)).toMatchObject({ tries: 1, outcome: limited })
    expect(clock.pendingTimers).toBe(0)
  })

  it('is waited for up to a moment before the deadline', async () => {
    const clock = new FakeClock()
    const trying = tried([failure('PROCONSUL_RATE_LIMITED', 9_999)], { giveUpAt: 10_000 }, clock)
    await clock.advance(9_999)
    expect((await trying).tries).toBe(2)
  })

  it('ends with the call', async () => {
    const clock = new FakeClock()
    const controller = new AbortController()
    const trying = tried([failure('PROCONSUL_RATE_LIMITED', 3_000)], { signal: controller.signal }, clock)
    await clock.advance(1_000)
    controller.abort()
    expect(await trying).toMatchObject({ tries: 1, outcome: { code: 'PROCONSUL_ABORTED' } })
    expect(clock.pendingTimers).toBe(0)
  })

  it('is not waited for after the last try', async () => {
    const limited = failure('PROCONSUL_RATE_LIMITED', 1)
    const clock = new FakeClock()
    const trying = tried([limited, limited, limited], {}, clock)
    const advancing = async (): Promise<void> => {
      while (clock.pendingTimers > 0) await clock.advanceToNext()
    }
    const rounds = setInterval(() => void advancing(), 5)
    const { tries } = await trying
    clearInterval(rounds)
    expect([tries, clock.pendingTimers]).toEqual([3, 0])
    expect(clock.monotonic()).toBe(2)
  })
})

import { describe, expect, it } from 'vitest'
import { ProconsulError } from '../../../src/errors/proconsul-error.js'
import { FirstAnswer } from '../../../src/watch/first-answer.js'
import { FakeClock } from '../../support/fake-clock.js'

function firstAnswer() {
  const clock = new FakeClock()
  const first = new FirstAnswer<string>(clock)
  const wait = (bounds: { readonly signal?: AbortSignal; readonly timeoutMs?: number } = {}): Promise<string> =>
    first.wait({
      signal: bounds.signal,
      timeoutMs: bounds.timeoutMs,
      onTimeout: (timeoutMs) => new ProconsulError('PROCONSUL_TIMEOUT', `not within ${timeoutMs}`),
    })
  return { clock, first, wait }
}

describe('the wait for a first answer', () => {
  it('ends for all who wait with the answer, whatever happens to the wait in the same moment', async () => {
    const { clock, first, wait } = firstAnswer()
    const giveUp = new AbortController()
    const waiting = [wait(), wait({ timeoutMs: 10 }), wait({ signal: giveUp.signal, timeoutMs: 10 })]
    first.resolve('a')
    giveUp.abort()
    first.reject(new ProconsulError('PROCONSUL_CLOSED', 'closed'))
    first.resolve('b')
    expect(await Promise.all(waiting)).toEqual(['a', 'a', 'a'])
    expect(clock.pendingTimers).toBe(0)
  })

  it('keeps nothing of those who gave up, however often they try', async () => {
    const { clock, first, wait } = firstAnswer()
    const giveUp = new AbortController()
    for (let round = 0; round < 100; round++) {
      const late = expect(wait({ timeoutMs: 10 })).rejects.toMatchObject({ message: 'not within 10' })
      await clock.advance(10)
      await late
    }
    const aborted = wait({ signal: giveUp.signal })
    expect(first.waiting).toBe(1)
    giveUp.abort()
    await expect(aborted).rejects.toMatchObject({ code: 'PROCONSUL_ABORTED' })
    await expect(wait({ signal: giveUp.signal })).rejects.toMatchObject({ code: 'PROCONSUL_ABORTED' })
    expect(first.waiting).toBe(0)
    expect(clock.pendingTimers).toBe(0)
  })
})

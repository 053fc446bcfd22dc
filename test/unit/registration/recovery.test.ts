import { describe, expect, it } from 'vitest'
import { Recovery } from '../../../src/registration/recovery.js'
import { settle } from '../../support/fake-clock.js'

function recovering() {
  const failures: unknown[] = []
  const attempts: { readonly succeed: () => void; readonly fail: (error: Error) => void }[] = []
  const service = { isLost: true }
  const recovery = new Recovery({
    isDue: () => service.isLost,
    attempt: () => new Promise((succeed, fail) => attempts.push({ succeed, fail })),
    onFailure: (error) => failures.push(error),
  })
  return { recovery, attempts, failures, service }
}

describe('a recovery', () => {
  it('tries one at a time, however often it is begun', async () => {
    const { recovery, attempts } = recovering()
    recovery.begin()
    recovery.begin()
    await settle()
    expect(attempts).toHaveLength(1)
  })

  it('goes on after an attempt that failed, and after one that did not help', async () => {
    const { recovery, attempts, failures } = recovering()
    recovery.begin()
    const error = new Error('refused')
    attempts[0]?.fail(error)
    await settle()
    attempts[1]?.succeed()
    await settle()
    expect([attempts.length, failures]).toEqual([3, [error]])
  })

  it.each([0, 1, 2, 3, 4, 5])('begins anew with a loss that comes %d turns after it succeeded', async (turns) => {
    const { recovery, attempts, service } = recovering()
    recovery.begin()
    service.isLost = false
    attempts[0]?.succeed()
    for (let turn = 0; turn < turns; turn++) await Promise.resolve()
    service.isLost = true
    recovery.begin()
    await settle()
    expect(attempts).toHaveLength(2)
  })
})

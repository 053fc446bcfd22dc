import { expect, it } from 'vitest'
import { expectNoLeaks, LeakCheck } from '../support/leak-check.js'

it('sees a timer that is left, even one that would not keep the process alive, and says where it was made', async () => {
  using check = new LeakCheck()
  const timer = setTimeout(() => undefined, 60_000)
  timer.unref()
  await expect(check.assertNone({ within: 10 })).rejects.toThrow(/Timeout made[^]*leak-check\.test\.ts/)
  clearTimeout(timer)
})

it('waits a little for what is about to end', () =>
  expectNoLeaks(() => {
    setTimeout(() => undefined, 20)
    return Promise.resolve()
  }))

it('does not mind what was there before', async () => {
  const before = setTimeout(() => undefined, 60_000)
  await expectNoLeaks(() => Promise.resolve())
  clearTimeout(before)
})

it('lets a failure of the test itself come first', async () => {
  let timer: NodeJS.Timeout | undefined
  const body = (): Promise<void> => {
    timer = setTimeout(() => undefined, 60_000)
    return Promise.reject(new Error('the test failed'))
  }
  await expect(expectNoLeaks(body)).rejects.toThrow('the test failed')
  clearTimeout(timer)
})

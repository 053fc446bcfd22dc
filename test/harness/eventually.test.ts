import { expect, it } from 'vitest'
import { eventually } from '../support/eventually.js'

it('gives what the check returns once it no longer throws', async () => {
  let tries = 0
  const check = (): string => {
    tries += 1
    if (tries < 3) throw new Error('not yet')
    return 'done'
  }
  expect(await eventually(check, { every: 1 })).toBe('done')
  expect(tries).toBe(3)
})

it('names the last failure when the deadline is over', async () => {
  const check = (): Promise<never> => Promise.reject(new Error('the gate is shut'))
  await expect(eventually(check, { within: 10, every: 1 })).rejects.toThrow(/not so within 10 ms .*the gate is shut/)
})

import { expect, it } from 'vitest'
import { singleFlight } from '../../../src/core/single-flight.js'

it('shares a run among those who ask while it lasts, and runs anew for the next, also after a failure', async () => {
  let runs = 0
  const work = singleFlight(async () => {
    runs += 1
    await Promise.resolve()
    if (runs === 2) throw new Error('second run')
    return runs
  })
  expect(await Promise.all([work(), work(), work()])).toEqual([1, 1, 1])
  await expect(work()).rejects.toThrow('second run')
  expect(await work()).toBe(3)
})

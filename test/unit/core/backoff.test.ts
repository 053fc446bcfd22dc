import fc from 'fast-check'
import { expect, it } from 'vitest'
import { backoffMs, jitterMs } from '../../../src/core/backoff.js'

const unit = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

it('doubles its ceiling up to the greatest, and waits at least half of it', () => {
  const options = { firstMs: 100, maxMs: 1_000 }
  const ceilings = [0, 1, 2, 3, 4, 50, 5_000].map((attempt) => backoffMs(attempt, options, () => 1))
  expect(ceilings).toEqual([100, 200, 400, 800, 1_000, 1_000, 1_000])
  expect(backoffMs(2, options, () => 0)).toBe(200)
})

it('never leaves its bounds, whatever chance says', () => {
  fc.assert(
    fc.property(fc.nat(10_000), unit, (attempt, chance) => {
      const delay = backoffMs(attempt, { firstMs: 50, maxMs: 30_000 }, () => chance)
      return delay >= 25 && delay <= 30_000
    }),
  )
})

it('jitters by at most the given share, to both sides', () => {
  expect(jitterMs(1_000, 0.1, () => 0)).toBe(900)
  expect(jitterMs(1_000, 0.1, () => 0.5)).toBe(1_000)
  fc.assert(fc.property(unit, (chance) => jitterMs(1_000, 0.1, () => chance) <= 1_100))
})

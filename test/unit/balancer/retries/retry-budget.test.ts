import fc from 'fast-check'
import { expect, it } from 'vitest'
import { RetryBudget } from '../../../../src/balancer/retries/retry-budget.js'

function budget(share: number, perSecond: number): { readonly made: RetryBudget; readonly pass: (ms: number) => void } {
  let now = 0
  const made = new RetryBudget({ monotonic: () => now }, { share, perSecond })
  return { made, pass: (ms) => (now += ms) }
}

it('allows a share of the calls of the last ten seconds, and a few a second beside that', () => {
  const { made, pass } = budget(0.2, 10)
  for (let call = 0; call < 1_000; call += 1) made.deposit()
  let allowed = 0
  while (made.withdraw()) allowed += 1
  expect(allowed).toBe(210)
  pass(500)
  while (made.withdraw()) allowed += 1
  expect(allowed).toBe(215)
  pass(11_000)
  let later = 0
  while (made.withdraw()) later += 1
  expect(later).toBe(10)
})

it('allows one every few seconds where it is to be less than one a second, and none where it is 0', () => {
  const { made, pass } = budget(0, 0.5)
  expect([made.withdraw(), made.withdraw()]).toEqual([true, false])
  pass(2_000)
  expect(made.withdraw()).toBe(true)
  expect(budget(0, 0).made.withdraw()).toBe(false)
})

it('never allows more than share and floor together, whenever calls come', () => {
  const schedule = fc.array(
    fc.record({ calls: fc.nat({ max: 50 }), tries: fc.nat({ max: 80 }), ms: fc.nat({ max: 4_000 }) }),
    { maxLength: 60 },
  )
  fc.assert(
    fc.property(schedule, (steps) => {
      const { made, pass } = budget(0.2, 10)
      let [calls, allowed, elapsed] = [0, 0, 0]
      for (const step of steps) {
        for (let call = 0; call < step.calls; call += 1) made.deposit()
        calls += step.calls
        for (let attempt = 0; attempt < step.tries; attempt += 1) if (made.withdraw()) allowed += 1
        expect(allowed).toBeLessThanOrEqual(0.2 * calls + 10 + (10 * elapsed) / 1_000 + 1e-6)
        pass(step.ms)
        elapsed += step.ms
      }
    }),
  )
})

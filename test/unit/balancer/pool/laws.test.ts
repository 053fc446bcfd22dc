import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { POLICY_NAMES } from '../../../../src/balancer/policies/builtin.js'
import type { Pick } from '../../../../src/balancer/members/pick.js'
import { isProconsulError } from '../../../../src/errors/proconsul-error.js'
import { scripted, user } from '../scripted-instances.js'

/** One step of a schedule. */
type Step =
  | { readonly type: 'list'; readonly numbers: readonly number[] }
  | { readonly type: 'pick'; readonly key: string | undefined }
  | { readonly type: 'end'; readonly which: number; readonly how: 'ok' | 'failed' | 'cancelled' }
  | { readonly type: 'wait'; readonly ms: number }

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 1,
      arbitrary: fc.record({
        type: fc.constant('list' as const),
        numbers: fc.uniqueArray(fc.integer({ min: 1, max: 9 }), { maxLength: 9 }),
      }),
    },
    {
      weight: 6,
      arbitrary: fc.record({
        type: fc.constant('pick' as const),
        key: fc.option(fc.constantFrom('a', 'b', 'c'), { nil: undefined }),
      }),
    },
    {
      weight: 6,
      arbitrary: fc.record({
        type: fc.constant('end' as const),
        which: fc.nat({ max: 50 }),
        how: fc.constantFrom(
          'ok' as const,
          'failed' as const,
          'failed' as const,
          'failed' as const,
          'cancelled' as const,
        ),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ type: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 60_000 }) }),
    },
  ),
  { minLength: 40, maxLength: 250 },
)

describe.each(POLICY_NAMES)('under any schedule, %s', (policy) => {
  it('picks nobody who has left or is ejected, ejects no more than it may, and counts every call to its end', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (schedule) => {
        const { balancer, source, clock } = await scripted(
          [1, 2, 3, 4, 5].map((number) => user(number)),
          {
            policy,
            outliers: { consecutiveFailures: 2, maxEjectedShare: 0.5 },
          },
        )
        let present = new Set(['u1', 'u2', 'u3', 'u4', 'u5'])
        const open: Pick[] = []
        for (const step of schedule) {
          if (step.type === 'list') {
            present = new Set(step.numbers.map((number) => `u${number}`))
            source.list(step.numbers.map((number) => user(number)))
          } else if (step.type === 'wait') await clock.advance(step.ms)
          else if (step.type === 'end') {
            const [pick] = open.splice(step.which % Math.max(1, open.length), 1)
            pick?.done(step.how === 'cancelled' ? { cancelled: true } : { ok: step.how === 'ok' })
            // Only the first outcome counts.
            pick?.done({ ok: false })
          } else {
            const states = new Map(balancer.stats().map(({ instance, state }) => [instance.id, state]))
            try {
              const pick = balancer.pick(step.key === undefined ? undefined : { key: step.key })
              open.push(pick)
              expect(present).toContain(pick.instance.id)
              if (!balancer.isPanicking) expect(states.get(pick.instance.id)).not.toBe('ejected')
            } catch (error) {
              if (!isProconsulError(error, 'PROCONSUL_NO_INSTANCE')) throw error
              expect(present.size).toBe(0)
            }
          }
          const stats = balancer.stats()
          const out = stats.filter(({ state }) => state === 'ejected' || state === 'probing').length
          expect(out).toBeLessThanOrEqual(stats.length < 2 ? 0 : Math.max(1, Math.floor(stats.length / 2)))
          expect(balancer.inFlight).toBe(open.length)
        }
        for (const pick of open) pick.done()
        expect(balancer.inFlight).toBe(0)
        expect(balancer.stats().every(({ inFlight }) => inFlight === 0)).toBe(true)
        await balancer.close()
      }),
      { numRuns: 25 },
    )
  })
})

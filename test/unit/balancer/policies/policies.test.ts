import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { POLICIES, POLICY_NAMES } from '../../../../src/balancer/policies/builtin.js'
import type { Candidate, Picker, PolicyContext } from '../../../../src/balancer/policies/policy.js'
import { Chance } from '../../../../src/balancer/selection/chance.js'
import { defineInstance } from '../../../../src/instances/service-instance.js'
import { seeded } from '../scripted-instances.js'

interface Fake extends Candidate {
  inFlight: number
  latencyMs: number | undefined
}

function fake(number: number, weight = 1): Fake {
  const instance = defineInstance({ id: `u${number}`, name: 'users', address: '127.0.0.1', port: 80 })
  const made: Fake = { instance, weight, inFlight: 0, latencyMs: undefined, latencyAt: () => made.latencyMs ?? -1 }
  return made
}

function fakes(count: number): Fake[] {
  return Array.from({ length: count }, (_, index) => fake(index))
}

class Context implements PolicyContext {
  now = 0
  inFlight = 0
  readonly #chance: Chance

  constructor(seed: number) {
    this.#chance = new Chance(seeded(seed))
  }

  below(count: number): number {
    return this.#chance.below(count)
  }
}

function tally(picker: Picker, picks: number, size: number): number[] {
  const counts = new Array<number>(size).fill(0)
  for (let index = 0; index < picks; index += 1) {
    const place = picker.pick(undefined, undefined)
    counts[place] = (counts[place] ?? 0) + 1
  }
  return counts
}

const seeds = fc.integer({ min: 1, max: 2_000_000_000 })

describe.each(POLICY_NAMES)('%s', (name) => {
  it('names a place of the list, never one that is excluded, and none only when all are', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 120 }),
        seeds,
        fc.func(fc.boolean()),
        fc.string(),
        (size, seed, isOut, key) => {
          const picker = POLICIES[name].createPicker(fakes(size), new Context(seed), undefined)
          const out = Array.from({ length: size }, (_, place) => isOut(place))
          const place = picker.pick(key === '' ? undefined : key, (asked) => out[asked] === true)
          if (out.every(Boolean)) expect(place).toBe(-1)
          else expect(out[place]).toBe(false)
          const any = picker.pick(undefined, undefined)
          expect(any >= 0 && any < size && Number.isInteger(any)).toBe(true)
        },
      ),
      { numRuns: 60 },
    )
  })

  it('goes on over any row of lists, each made from the picker before', () => {
    const lists = fc.array(fc.uniqueArray(fc.integer({ min: 0, max: 70 }), { minLength: 1, maxLength: 70 }), {
      minLength: 1,
      maxLength: 8,
    })
    fc.assert(
      fc.property(lists, seeds, (rows, seed) => {
        const all = Array.from({ length: 71 }, (_, number) => fake(number, 1 + (number % 4)))
        const context = new Context(seed)
        let picker: Picker | undefined
        for (const row of rows) {
          const candidates = row.flatMap((number) => all[number] ?? [])
          picker = POLICIES[name].createPicker(candidates, context, picker)
          for (const key of [undefined, 'a', 'b']) {
            const place = picker.pick(key, undefined)
            expect(candidates[place]).toBeDefined()
          }
        }
      }),
      { numRuns: 60 },
    )
  })
})

describe('round-robin', () => {
  it('gives everyone the same number of calls, to within one', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 400 }), seeds, (size, picks, seed) => {
        const picker = POLICIES['round-robin'].createPicker(fakes(size), new Context(seed), undefined)
        const found = tally(picker, picks, size)
        expect(Math.max(...found) - Math.min(...found)).toBeLessThanOrEqual(1)
      }),
    )
  })

  it('goes on after the last one when the list changes, and begins anywhere', () => {
    const [a, b, c, d] = [fake(1), fake(2), fake(3), fake(4)]
    const policy = POLICIES['round-robin']
    const context = new Context(7)
    const first = policy.createPicker([a, b, c], context, undefined)
    const last = first.pick(undefined, undefined)
    const next = [a, b, c][(last + 1) % 3]
    const list = [d, c, b, a]
    expect(list[policy.createPicker(list, context, first).pick(undefined, undefined)]).toBe(next)
    const starts = new Set(
      Array.from({ length: 50 }, (_, seed) =>
        policy.createPicker([a, b, c], new Context(seed + 1), undefined).pick(undefined, undefined),
      ),
    )
    expect(starts.size).toBe(3)
  })
})

describe('weighted-round-robin', () => {
  it('gives each its exact share over a period, wherever the period begins', () => {
    const weights = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 30 })
    fc.assert(
      fc.property(weights, fc.integer({ min: 0, max: 50 }), seeds, (list, skip, seed) => {
        const candidates = list.map((weight, number) => fake(number, weight))
        const picker = POLICIES['weighted-round-robin'].createPicker(candidates, new Context(seed), undefined)
        tally(picker, skip, list.length)
        const sum = list.reduce((total, weight) => total + weight, 0)
        expect(tally(picker, sum, list.length)).toEqual(list)
      }),
    )
  })

  it('does not give the heaviest its calls in one go', () => {
    const picker = POLICIES['weighted-round-robin'].createPicker(
      [fake(1, 5), fake(2, 1), fake(3, 1)],
      new Context(3),
      undefined,
    )
    const row = Array.from({ length: 70 }, () => picker.pick(undefined, undefined)).join('')
    expect(row).not.toMatch(/0{6}/)
  })

  it('keeps the shares beyond the longest sequence, and with broken weights', () => {
    const heavy = [fake(1, 65_535), fake(2, 32_768), fake(3, 0.5 * 65_535)]
    const picker = POLICIES['weighted-round-robin'].createPicker(heavy, new Context(3), undefined)
    const found = tally(picker, 40_000, 3)
    for (const [place, share] of [0.5, 0.25, 0.25].entries()) expect((found[place] ?? 0) / 40_000).toBeCloseTo(share, 2)
  })

  it('goes on where it was when one comes: nobody waits for longer than its own period', () => {
    const [a, b, c] = [fake(1, 3), fake(2, 1), fake(3, 1)]
    const policy = POLICIES['weighted-round-robin']
    const context = new Context(5)
    const first = policy.createPicker([a, b], context, undefined)
    while (first.pick(undefined, undefined) !== 1);
    tally(first, 3, 2)
    const list = [a, b, c]
    const second = policy.createPicker(list, context, first)
    const row = Array.from({ length: 3 }, () => list[second.pick(undefined, undefined)])
    expect(row).toContain(b)
  })
})

describe.each(['p2c', 'least-requests'] as const)('%s', (name) => {
  it('draws two different ones: of two, the worse gets less than a twentieth', () => {
    const [good, bad] = [fake(1), fake(2)]
    good.latencyMs = 10
    bad.latencyMs = 200
    bad.inFlight = 5
    const found = tally(POLICIES[name].createPicker([good, bad], new Context(11), undefined), 10_000, 2)
    expect((found[1] ?? 0) / 10_000).toBeLessThan(0.05)
  })

  it('of five, the one that is far worse gets nothing', () => {
    const list = fakes(5)
    for (const [place, one] of list.entries()) {
      one.latencyMs = place === 4 ? 200 : 10
      one.inFlight = place === 4 ? 20 : 0
    }
    expect(tally(POLICIES[name].createPicker(list, new Context(13), undefined), 10_000, 5)[4]).toBe(0)
  })

  it('looks at weights: of two that are equally busy, the heavier is called', () => {
    const [light, heavy] = [fake(1, 1), fake(2, 3)]
    light.latencyMs = heavy.latencyMs = 10
    light.inFlight = heavy.inFlight = 2
    expect(tally(POLICIES[name].createPicker([light, heavy], new Context(17), undefined), 100, 2)).toEqual([0, 100])
  })
})

describe('p2c', () => {
  it('expects of one about which nothing is known what the others do on average', () => {
    const [quick, slow, unknown] = [fake(1), fake(2), fake(3)]
    quick.latencyMs = 10
    slow.latencyMs = 30
    const found = tally(POLICIES.p2c.createPicker([quick, slow, unknown], new Context(19), undefined), 3_000, 3)
    const [fewer, most] = [found[2] ?? 0, found[0] ?? 0]
    expect(fewer).toBeGreaterThan(700)
    expect(most).toBeGreaterThan(fewer)
  })
})

describe('consistent-hash', () => {
  const policy = POLICIES['consistent-hash']
  const keys = Array.from({ length: 20_000 }, (_, index) => `key-${index}`)

  function owners(
    candidates: readonly Candidate[],
    previous?: Picker,
  ): { readonly list: readonly (string | undefined)[]; readonly picker: Picker } {
    const picker = policy.createPicker(candidates, new Context(23), previous)
    return { picker, list: keys.map((key) => candidates[picker.pick(key, undefined)]?.instance.id) }
  }

  it.each([10, 50, 100, 300])(
    'moves no key without need when one of %i leaves, and gives it back when it returns',
    (size) => {
      const all = fakes(size)
      const [, gone] = all
      const before = owners(all)
      const without = owners(
        all.filter((one) => one !== gone),
        before.picker,
      )
      const moved = keys.filter((_, index) => before.list[index] !== without.list[index])
      expect(moved).toEqual(keys.filter((_, index) => before.list[index] === gone?.instance.id))
      expect(owners([...all].reverse(), without.picker).list).toEqual(before.list)
    },
  )

  it('agrees with a process that has seen other lists before', () => {
    const all = fakes(120)
    const grown = owners(all, owners(all.slice(0, 60), owners(all.slice(30, 100)).picker).picker)
    expect(grown.list).toEqual(owners(all).list)
  })

  it.each([10, 100, 1_000])('spreads keys over %i so that none has more than 1.25 times the mean', (size) => {
    const candidates = fakes(size)
    const picker = policy.createPicker(candidates, new Context(29), undefined)
    const counted = new Array<number>(size).fill(0)
    const each = size > 100 ? 1_000 : 4_000
    const many = each * size
    for (let index = 0; index < many; index += 1) {
      const place = picker.pick(`user:${index}`, undefined)
      counted[place] = (counted[place] ?? 0) + 1
    }
    expect(Math.max(...counted) / each).toBeLessThanOrEqual(1.25)
  })

  it.each([10, 100])(
    'sends a key elsewhere while its owner of %i has more than 1.25 times the mean in flight',
    (size) => {
      const candidates = fakes(size)
      const context = new Context(31)
      const picker = policy.createPicker(candidates, context, undefined)
      for (let call = 0; call < 10 * size; call += 1) {
        const one = candidates[picker.pick('hot', undefined)]
        if (one === undefined) throw new Error('nobody')
        one.inFlight += 1
        context.inFlight += 1
      }
      expect(Math.max(...candidates.map(({ inFlight }) => inFlight))).toBeLessThanOrEqual(Math.ceil(1.25 * 10))
    },
  )
})

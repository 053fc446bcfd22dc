import { describe, expect, it } from 'vitest'
import { counts, failCalls, scripted, user, users } from '../scripted-instances.js'

describe('consecutive failures', () => {
  it('eject an instance at the fifth, for 30 s, tell of it once, and leave the others', async () => {
    const { balancer, logger, clock } = await scripted(users(4))
    const told: unknown[] = []
    balancer.on('ejected', (details) => told.push(details))
    failCalls(balancer, 'u2', 4)
    expect(told).toEqual([])
    failCalls(balancer, 'u2', 1)
    expect(told).toEqual([
      expect.objectContaining({ reason: 'consecutive-failures', forMs: 30_000, until: clock.now() + 30_000 }),
    ])
    expect(counts(balancer, 200).has('u2')).toBe(false)
    expect(balancer.stats()[1]).toMatchObject({ state: 'ejected', ejectedUntil: clock.now() + 30_000, failures: 5 })
    expect(logger.entries.filter(({ fields }) => fields['event'] === 'ejected')).toHaveLength(1)
  })

  it('are counted from the start after a call that went well, and not at all for one given up', async () => {
    const { balancer } = await scripted(users(4))
    failCalls(balancer, 'u2', 4)
    balancer.pick({ exclude: ({ id }) => id !== 'u2' }).done()
    failCalls(balancer, 'u2', 4)
    for (let count = 0; count < 10; count += 1) {
      balancer
        .pick({ exclude: ({ id }) => id !== 'u2' })
        .done({ cancelled: true, ok: false, error: new Error('given up') })
    }
    expect(balancer.stats()[1]).toMatchObject({ state: 'serving', calls: 9, failures: 8 })
  })

  it.each([
    [{ consecutiveFailures: 2 }, 2],
    [{}, 5],
  ] as const)('eject as %o says', async (outliers, failures) => {
    const { balancer } = await scripted(users(3), { outliers })
    failCalls(balancer, 'u1', failures - 1)
    expect(balancer.stats()[0]?.state).toBe('serving')
    failCalls(balancer, 'u1', 1)
    expect(balancer.stats()[0]?.state).toBe('ejected')
  })

  it('for want of a connection eject an instance at the third', async () => {
    const { balancer, source } = await scripted(users(4))
    const reasons: string[] = []
    balancer.on('ejected', ({ reason }) => reasons.push(reason))
    const refused = Object.assign(new Error('no'), { code: 'ECONNREFUSED' })
    failCalls(balancer, 'u2', 2, refused)
    balancer.pick({ exclude: ({ id }) => id !== 'u2' }).done()
    failCalls(balancer, 'u2', 2, refused)
    expect(reasons).toEqual([])
    failCalls(balancer, 'u2', 1, refused)
    expect(reasons).toEqual(['connection-failures'])
    expect(source.refreshes).toBeGreaterThanOrEqual(5)
  })

  it('eject nobody where outliers are switched off', async () => {
    const { balancer } = await scripted(users(3), { outliers: false })
    failCalls(balancer, 'u1', 50)
    expect(balancer.stats()[0]?.state).toBe('serving')
  })
})

describe('an ejected instance', () => {
  it('is back after one call that went well, and one call at a time is tried', async () => {
    const { balancer, clock } = await scripted(users(4))
    const returned: unknown[] = []
    balancer.on('returned', (details) => returned.push(details))
    failCalls(balancer, 'u1', 5)
    await clock.advance(30_000)
    expect(balancer.stats()[0]?.state).toBe('probing')
    const probe = balancer.pick()
    expect(probe.instance.id).toBe('u1')
    expect(counts(balancer, 50).has('u1')).toBe(false)
    probe.done()
    expect(returned).toEqual([expect.objectContaining({ ejectedForMs: 30_000 })])
    expect(balancer.stats()[0]?.state).toBe('serving')
    expect(counts(balancer, 200).has('u1')).toBe(true)
  })

  it('stays out for longer each time, up to the longest', async () => {
    const { balancer, clock } = await scripted(users(4), { outliers: { ejectionTime: '10s', maxEjectionTime: '25s' } })
    const times: number[] = []
    balancer.on('ejected', ({ forMs }) => times.push(forMs))
    failCalls(balancer, 'u1', 5)
    for (let round = 0; round < 3; round += 1) {
      await clock.advance(times.at(-1) ?? 0)
      balancer.pick().done({ ok: false })
    }
    expect(times).toEqual([10_000, 20_000, 25_000, 25_000])
  })

  it('is tried again when the call that was to show it was given up, or never ended', async () => {
    const { balancer, clock } = await scripted(users(4))
    failCalls(balancer, 'u1', 5)
    await clock.advance(30_000)
    balancer.pick().done({ cancelled: true })
    const second = balancer.pick()
    expect(second.instance.id).toBe('u1')
    await clock.advance(30_000)
    expect(balancer.pick().instance.id).toBe('u1')
  })

  it('is forgiven when it is started anew at another place', async () => {
    const { balancer, source } = await scripted(users(4))
    failCalls(balancer, 'u1', 5)
    source.list([user(1, { port: 99 }), user(2), user(3), user(4)])
    expect(balancer.stats()[0]).toMatchObject({ state: 'serving', calls: 0 })
  })

  it('stays ejected when only its tags change', async () => {
    const { balancer, source } = await scripted(users(4))
    failCalls(balancer, 'u1', 5)
    source.list([user(1, { tags: ['v2'] }), user(2), user(3), user(4)])
    expect(balancer.stats()[0]).toMatchObject({ state: 'ejected', instance: { tags: ['v2'] } })
  })

  it('is not brought back by an answer to a call that began before', async () => {
    const { balancer } = await scripted(users(4))
    const early = balancer.pick({ exclude: ({ id }) => id !== 'u1' })
    failCalls(balancer, 'u1', 5)
    early.done()
    expect(balancer.stats()[0]?.state).toBe('ejected')
  })
})

describe('the share that may be ejected', () => {
  it.each([
    [1, 0],
    [2, 1],
    [3, 1],
    [5, 2],
    [10, 5],
  ])('of %i is %i', async (size, most) => {
    const { balancer } = await scripted(users(size))
    for (let number = 1; number <= size; number += 1) {
      for (let count = 0; count < 5; count += 1) {
        const pick = balancer.pick({ exclude: ({ id }) => id !== `u${number}` })
        pick.done({ ok: false })
      }
    }
    expect(balancer.stats().filter(({ state }) => state === 'ejected')).toHaveLength(most)
  })

  it('holds when others leave: who was ejected first is called again', async () => {
    const { balancer, source, clock } = await scripted(users(8))
    for (const id of ['u1', 'u2', 'u3', 'u4']) {
      failCalls(balancer, id, 5)
      await clock.advance(10)
    }
    source.list([1, 2, 3, 4, 5].map((number) => user(number)))
    expect(balancer.stats().map(({ state }) => state)).toEqual(['serving', 'serving', 'ejected', 'ejected', 'serving'])
  })
})

describe('success rates', () => {
  it('eject the one whose calls fail far more often, where there are calls enough', async () => {
    const { balancer, clock } = await scripted(users(6), { outliers: { consecutiveFailures: 1_000 } })
    const reasons: string[] = []
    balancer.on('ejected', ({ instance, reason }) => reasons.push(`${instance.id} ${reason}`))
    for (let count = 0; count < 150; count += 1) {
      for (let number = 1; number <= 6; number += 1) {
        const pick = balancer.pick({ exclude: ({ id }) => id !== `u${number}` })
        pick.done({ ok: number !== 3 || count % 2 === 0 })
      }
    }
    await clock.advance(10_000)
    expect(reasons).toEqual(['u3 success-rate'])
  })

  it('say nothing with fewer than a hundred calls each, or fewer than five instances', async () => {
    for (const [size, calls] of [
      [6, 90],
      [4, 150],
    ] as const) {
      const { balancer, clock } = await scripted(users(size), { outliers: { consecutiveFailures: 1_000 } })
      for (let count = 0; count < calls; count += 1) {
        for (let number = 1; number <= size; number += 1) {
          balancer.pick({ exclude: ({ id }) => id !== `u${number}` }).done({ ok: number !== 3 || count % 2 === 0 })
        }
      }
      await clock.advance(10_000)
      expect(balancer.stats().every(({ state }) => state === 'serving')).toBe(true)
    }
  })
})

describe('panic', () => {
  it('calls all when too few are left, tells of it, and ends when enough are back', async () => {
    const { balancer, clock, logger } = await scripted(users(4), { outliers: { maxEjectedShare: 1 } })
    const told: string[] = []
    balancer.on('panic', ({ active, available, total }) => told.push(`${active} ${available}/${total}`))
    for (const id of ['u1', 'u2', 'u3']) failCalls(balancer, id, 5)
    expect(told).toEqual(['true 1/4'])
    const pick = balancer.pick({ exclude: ({ id }) => id === 'u4' })
    expect(pick.instance.id).toMatch(/u[123]/)
    expect(balancer.isPanicking).toBe(true)
    pick.done()
    expect(told).toEqual(['true 1/4', 'false 2/4'])
    expect(counts(balancer, 400).size).toBe(2)
    expect(logger.messages('warn').filter((message) => message.includes('all are called'))).toHaveLength(1)
    await clock.advance(30_000)
    expect(balancer.isPanicking).toBe(false)
  })

  it('does not come with a threshold of 0: then there is nobody to call until one may be tried', async () => {
    const { balancer, clock } = await scripted(users(2), { outliers: { maxEjectedShare: 1 }, panicThreshold: 0 })
    failCalls(balancer, 'u1', 5)
    failCalls(balancer, 'u2', 5)
    expect(() => balancer.pick()).toThrow(/all are ejected/)
    await clock.advance(30_000)
    expect(balancer.pick().instance.id).toMatch(/u[12]/)
  })
})

it('leaves no timer when nothing fails, and none when it is closed', async () => {
  const { balancer, clock } = await scripted(users(4))
  counts(balancer, 100)
  expect(clock.pendingTimers).toBe(0)
  failCalls(balancer, 'u1', 5)
  expect(clock.pendingTimers).toBe(2)
  expect(clock.keepAliveTimers).toBe(0)
  await balancer.close()
  expect(clock.pendingTimers).toBe(0)
})

it('a failure that took a millisecond draws no calls', async () => {
  const { balancer, clock } = await scripted(users(4), { outliers: false })
  let failed = 0
  for (let call = 0; call < 2_000; call += 1) {
    const pick = balancer.pick()
    const fails = pick.instance.id === 'u1'
    await clock.advance(fails ? 1 : 10)
    pick.done({ ok: !fails })
    if (fails) failed += 1
  }
  expect(failed / 2_000).toBeLessThan(0.01)
})

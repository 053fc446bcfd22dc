import { AsyncLocalStorage } from 'node:async_hooks'
import { describe, expect, it } from 'vitest'
import { createBalancer } from '../../../src/balancer/create-balancer.js'
import type { BalancerOptions } from '../../../src/balancer/balancer-options.js'
import { resolveBalancerOptions } from '../../../src/balancer/balancer-options.js'
import type { BalancerPolicy } from '../../../src/balancer/policies/policy.js'
import { SharedPools } from '../../../src/balancer/shared-pools.js'
import { watchInstances } from '../../../src/instances/watch-instances.js'
import { FakeClock, settle } from '../../support/fake-clock.js'
import { afterTest } from '../../support/opened.js'
import { recordingLogger } from '../../support/recording-logger.js'
import { counts, failCalls, scripted, ScriptedInstances, seeded, user, users } from './scripted-instances.js'

describe('where instances come from', () => {
  it('may be a list: then they can be called at once', async () => {
    const balancer = createBalancer(users(3), { policy: 'round-robin' })
    afterTest(() => balancer.close())
    expect([...counts(balancer, 30).values()]).toEqual([10, 10, 10])
    expect(await balancer.ready()).toHaveLength(3)
  })

  it('may be a watcher, which goes on when the balancer is closed', async () => {
    const source = new ScriptedInstances()
    const watcher = watchInstances(source)
    afterTest(() => watcher.close())
    await settle()
    source.list(users(2))
    const balancer = createBalancer(watcher)
    expect(balancer.pick().instance.id).toMatch(/u[12]/)
    source.list([user(3)])
    expect(balancer.pick().instance.id).toBe('u3')
    await balancer.close()
    expect(source.isClosed).toBe(false)
  })

  it('may be any source, which ends with the balancer', async () => {
    const source = new ScriptedInstances()
    const balancer = createBalancer(source)
    const closed: string[] = []
    balancer.on('closed', () => closed.push('closed'))
    await balancer.close()
    await balancer.close()
    expect(source.isClosed).toBe(true)
    expect(closed).toEqual(['closed'])
    expect(() => balancer.pick()).toThrow(expect.objectContaining({ code: 'PROCONSUL_CLOSED' }) as Error)
    await expect(balancer.use(() => 1)).rejects.toMatchObject({ code: 'PROCONSUL_CLOSED' })
  })
})

describe('options', () => {
  it.each<[BalancerOptions | object, RegExp]>([
    [{ polcy: 'p2c' }, /options\.polcy.*Did you mean policy/],
    [{ policy: 'round-robbin' }, /policy is "round-robbin".*Did you mean round-robin/],
    [{ policy: { name: 'mine' } }, /policy is an object/],
    [{ zone: { key: 'zone' } }, /zone\.value/],
    [{ subset: { size: 0 } }, /subset\.size is 0/],
    [{ subset: { size: 2, peer: { index: 3, count: 3 } } }, /subset\.peer\.index is 3/],
    [{ outliers: { consecutive: 3 } }, /outliers\.consecutive/],
    [{ outliers: { maxEjectedShare: 2 } }, /outliers\.maxEjectedShare is 2/],
    [{ panicThreshold: 50 }, /panicThreshold is 50/],
    [{ retry: { attempts: 0 } }, /retry\.attempts is 0/],
    [{ retry: { budget: { share: -1 } } }, /retry\.budget\.share is -1/],
    [{ waitForInstance: 'soon' }, /waitForInstance is "soon"/],
    [{ timeout: 0 }, /timeout is 0/],
    [{ wrap: {} }, /wrap\.execute/],
    [{ isFailure: true }, /isFailure is true/],
    [{ slowStart: -1 }, /slowStart is -1/],
  ])('%o fail at the call', (options, message) => {
    expect(() => createBalancer([], options)).toThrow(message)
  })

  it('of one call are checked as well', async () => {
    const { balancer } = await scripted(users(1))
    await expect(balancer.use(() => 1, { idempotnt: true } as object)).rejects.toThrow(/Did you mean idempotent/)
    await expect(balancer.use('call' as never)).rejects.toThrow(/call is "call"; expected a function/)
    expect(() => balancer.pick({ exclude: 'u1' as never })).toThrow(/exclude is "u1"/)
  })
})

describe('equal options', () => {
  it('share what is learned, and the pool ends with the last', async () => {
    const source = new ScriptedInstances()
    const runtime = { clock: new FakeClock(), random: seeded(1), logger: recordingLogger() }
    const pools = new SharedPools(runtime)
    let followed = 0
    const open = (options: BalancerOptions, from = 'users'): ReturnType<SharedPools['open']> =>
      pools.open(from, resolveBalancerOptions(options), () => {
        followed += 1
        return { watcher: watchInstances(source), isOwned: true }
      })
    const [one, two] = [open({}), open({ policy: 'p2c', timeout: '1s', retry: { attempts: 2 } })]
    await settle()
    source.list(users(3))
    expect(followed).toBe(1)
    failCalls(one, 'u1', 5)
    expect(two.stats()[0]?.state).toBe('ejected')
    await one.close()
    expect(source.isClosed).toBe(false)
    expect(two.pick().instance.id).toMatch(/u[23]/)
    open({ policy: 'random' })
    open({}, 'orders')
    expect(followed).toBe(3)
    await two.close()
    expect(source.isClosed).toBe(true)
    await pools.close()
    expect(pools.balancers).toEqual([])
    expect(() => open({})).toThrow(expect.objectContaining({ code: 'PROCONSUL_CLOSED' }) as Error)
  })
})

describe('the zone', () => {
  const zoned = (number: number, zone: string): ReturnType<typeof user> => user(number, { meta: { zone } })
  const here = (found: Map<string, number>): number =>
    ['u1', 'u2', 'u3', 'u4', 'u5'].reduce((sum, id) => sum + (found.get(id) ?? 0), 0)
  const list = [1, 2, 3, 4, 5]
    .map((number) => zoned(number, 'a'))
    .concat([6, 7, 8, 9, 10].map((number) => zoned(number, 'b')))

  it('keeps its calls as long as enough of it can serve, then sends away the share that cannot', async () => {
    const { balancer } = await scripted(list, {
      zone: { key: 'zone', value: 'a' },
      policy: 'random',
      outliers: { maxEjectedShare: 0.5 },
    })
    expect(here(counts(balancer, 1_000))).toBe(1_000)
    failCalls(balancer, 'u1', 5)
    expect(here(counts(balancer, 1_000))).toBe(1_000)
    for (const id of ['u2', 'u3']) failCalls(balancer, id, 5)
    const share = here(counts(balancer, 20_000)) / 20_000
    expect(share).toBeCloseTo(1.4 * 0.4, 1)
  })

  it('is left where it has nobody, and where all of it were tried', async () => {
    const { balancer } = await scripted(list, { zone: { key: 'zone', value: 'c' } })
    expect(balancer.pick().instance.id).toBeDefined()
    const { balancer: other } = await scripted(list, { zone: { key: 'zone', value: 'a' } })
    const pick = other.pick({ exclude: (instance) => instance.meta['zone'] === 'a' })
    expect(pick.instance.meta['zone']).toBe('b')
  })
})

describe('a subset', () => {
  it('is called where there are more than twice as many, and none is moved without need', async () => {
    const { balancer, source } = await scripted(users(100), { subset: { size: 10 }, policy: 'random' })
    const before = new Set(counts(balancer, 2_000).keys())
    expect(before.size).toBe(10)
    source.list(users(100).filter(({ id }) => id !== [...before][0]))
    const after = new Set(counts(balancer, 2_000).keys())
    expect([...before].filter((id) => !after.has(id))).toEqual([[...before][0]])
    expect(balancer.stats().filter(({ state }) => state === 'unused')).toHaveLength(89)
    source.list(users(20))
    expect(counts(balancer, 2_000).size).toBe(20)
  })

  it('gives every instance equally many callers when they know their place among their peers', async () => {
    const callers = 20
    const found = new Map<string, number>()
    for (let index = 0; index < callers; index += 1) {
      const { balancer } = await scripted(users(40), {
        subset: { size: 10, peer: () => ({ index, count: callers }) },
        policy: 'random',
      })
      for (const { instance, state } of balancer.stats()) {
        if (state !== 'unused') found.set(instance.id, (found.get(instance.id) ?? 0) + 1)
      }
    }
    expect([...found.values()]).toEqual(new Array(40).fill(5))
  })
})

describe('a slow start', () => {
  it.each(['p2c', 'round-robin', 'weighted-round-robin', 'least-requests', 'random'] as const)(
    'gives a new instance fewer calls at first with %s, and its share afterwards',
    async (policy) => {
      const { balancer, source, clock } = await scripted(users(4), { policy, slowStart: '30s' })
      source.list(users(5))
      const fresh = (counts(balancer, 5_000).get('u5') ?? 0) / 5_000
      expect(fresh).toBeLessThan(0.06)
      await clock.advance(15_000)
      expect((counts(balancer, 5_000).get('u5') ?? 0) / 5_000).toBeGreaterThan(fresh)
      await clock.advance(16_000)
      expect((counts(balancer, 5_000).get('u5') ?? 0) / 5_000).toBeGreaterThan(0.15)
      expect(clock.pendingTimers).toBe(0)
    },
  )

  it('does not hold up anyone when all are new', async () => {
    const { balancer, source } = await scripted(users(3), { policy: 'round-robin', slowStart: '30s' })
    source.list([4, 5, 6].map((number) => user(number)))
    expect([...counts(balancer, 300).values()]).toEqual([100, 100, 100])
  })
})

describe('weights', () => {
  it('are those of the status: one that is passing with weight 9 gets nine of ten beside one with a warning', async () => {
    const weights = { passing: 9, warning: 1 }
    const { balancer } = await scripted([user(1, { weights }), user(2, { weights, status: 'warning' })], {
      policy: 'weighted-round-robin',
    })
    expect(counts(balancer, 1_000)).toEqual(
      new Map([
        ['u1', 900],
        ['u2', 100],
      ]),
    )
  })

  it('of 0 leave an instance out, unless all have it', async () => {
    const none = { passing: 1, warning: 0 }
    const warning = user(2, { weights: none, status: 'warning' })
    const { balancer, source } = await scripted([user(1), warning])
    expect([...counts(balancer, 100).keys()]).toEqual(['u1'])
    source.list([warning])
    expect(balancer.pick().instance.id).toBe('u2')
  })
})

describe('a policy of the user', () => {
  const last: BalancerPolicy = {
    name: 'last',
    createPicker: (candidates) => ({ pick: () => candidates.length - 1 }),
  }

  it('chooses', async () => {
    const { balancer } = await scripted(users(3), { policy: last })
    expect([...counts(balancer, 10).keys()]).toEqual(['u3'])
  })

  it('is passed over when it ignores what is excluded', async () => {
    const { balancer } = await scripted(users(3), { policy: last })
    expect(balancer.pick({ exclude: ({ id }) => id === 'u3' }).instance.id).not.toBe('u3')
    expect(() => balancer.pick({ exclude: () => true })).toThrow(/all are excluded/)
  })

  it.each<[string, BalancerPolicy]>([
    [
      'throws',
      {
        name: 'bad',
        createPicker: () => ({
          pick: () => {
            throw new Error('no')
          },
        }),
      },
    ],
    ['names a place that is not there', { name: 'bad', createPicker: () => ({ pick: () => 99 }) }],
    ['names no place', { name: 'bad', createPicker: () => ({ pick: () => 'u1' as never }) }],
    ['makes no picker', { name: 'bad', createPicker: () => undefined as never }],
    [
      'cannot make one',
      {
        name: 'bad',
        createPicker: () => {
          throw new Error('no')
        },
      },
    ],
  ])('that %s harms nobody, and is reported once', async (_what, policy) => {
    const { balancer, logger } = await scripted(users(3), { policy })
    expect(counts(balancer, 300).size).toBe(3)
    expect(logger.messages('error')).toEqual(['a balancer policy failed'])
  })
})

describe('events', () => {
  it('tell what came, changed and went', async () => {
    const { balancer, source } = await scripted(users(2))
    const told: string[][] = []
    balancer.on('change', ({ added, updated, removed, instances }) =>
      told.push([added, updated, removed, instances].map((list) => list.map(({ id }) => id).join())),
    )
    source.list([user(2, { tags: ['new'] }), user(3)])
    expect(told).toEqual([['u3', 'u2', 'u1', 'u2,u3']])
  })

  it('run in the context of the listener, though a request of someone else made them happen', async () => {
    const { balancer } = await scripted(users(3))
    const store = new AsyncLocalStorage<string>()
    const seen: (string | undefined)[] = []
    store.run('listener', () => balancer.on('ejected', () => seen.push(store.getStore())))
    store.run('request', () => failCalls(balancer, 'u1', 5))
    expect(seen).toEqual(['listener'])
  })

  it('go on when a listener throws', async () => {
    const { balancer } = await scripted(users(3))
    balancer.on('ejected', () => {
      throw new Error('no')
    })
    failCalls(balancer, 'u1', 5)
    expect(balancer.stats()[0]?.state).toBe('ejected')
  })
})

it('is closed by its signal', async () => {
  const controller = new AbortController()
  const source = new ScriptedInstances()
  const balancer = createBalancer(source, { signal: controller.signal })
  controller.abort()
  await settle()
  expect(source.isClosed).toBe(true)
  expect(() => balancer.pick()).toThrow(/closed/)
})

it('takes the latency that it is told, and measures it otherwise', async () => {
  const { balancer, clock } = await scripted(users(1))
  const pick = balancer.pick()
  await clock.advance(50)
  pick.done({ latencyMs: 20 })
  expect(balancer.stats()[0]?.latencyMs).toBeCloseTo(20, 0)
  const slow = balancer.pick()
  await clock.advance(80)
  slow.done()
  expect(balancer.stats()[0]?.latencyMs).toBeCloseTo(80, 0)
})

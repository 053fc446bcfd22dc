import { describe, expect, it } from 'vitest'
import type { ServiceDefinition } from '../../../../src/registration/definition/service-definition.js'
import { settle } from '../../../support/fake-clock.js'
import type { Registration } from '../../../../src/registration/registration.js'
import { CONTAINED, FAR, failure, LIVE, metaOf, OWN, type Played } from '../played-agent.js'
import { registered, registering, WEB } from '../played-registration.js'

describe('a registration with a TTL check', () => {
  it('beats at once, and then three times in each TTL', async () => {
    const { life, registration, clock, beats, kept, told } = registering()
    await life.start({ giveUp: true })
    expect(beats()).toEqual(['service:w passing'])
    await clock.advance(90_000)
    expect(beats().length).toBeGreaterThanOrEqual(27)
    expect([registration.state, told, kept]).toEqual(['registered', ['registered'], ['compare']])
  })

  it('is not registered before its probes have run, and then with what they say', async () => {
    let answer: (isUp: boolean) => void = () => undefined
    const probe = (): Promise<boolean> => new Promise((resolve) => (answer = resolve))
    const { life, agent } = registering({ ...WEB, check: { ttl: '9s', probes: { probe } } })
    const starting = life.start({ giveUp: true })
    await settle()
    expect([life.waitsFor, agent.sent('agent.service.register')]).toEqual(['no result yet from its probes: probe', []])
    answer(false)
    await starting
    expect(agent.sent('agent.service.register')[0]?.body).toMatchObject({ Checks: [{ Status: 'critical' }] })
  })

  it('goes on trying until the agent answers, with growing pauses of two seconds at most', async () => {
    const { life, registration, agent, clock, told } = registering()
    agent.answers('agent.service.register', ...Array.from({ length: 9 }, () => failure('PROCONSUL_UNAVAILABLE')), {})
    void life.start({ giveUp: false })
    await clock.advance(500)
    expect([registration.state, registration.lastFailure?.code]).toEqual(['registering', 'PROCONSUL_UNAVAILABLE'])
    await clock.advance(18_000)
    expect([registration.state, registration.lastFailure]).toEqual(['registered', undefined])
    expect(told.filter((name) => name === 'registerFailed')).toHaveLength(9)
  })

  it('gives up at a refusal when it is told to', async () => {
    const { life, agent } = registering()
    agent.answers('agent.service.register', failure('PROCONSUL_PERMISSION_DENIED'))
    await expect(life.start({ giveUp: true })).rejects.toMatchObject({ code: 'PROCONSUL_PERMISSION_DENIED' })
  })

  it('says so in its next heartbeat when the event loop was blocked, until it is free again', async () => {
    const eventLoop = { warnAfter: '500ms', criticalAfter: '5s' } as const
    const { registration, clock, beats } = await registered({ ...WEB, eventLoop })
    const outputs: (string | undefined)[] = []
    registration.on('health', ({ probes }) => outputs.push(probes['event-loop']?.output))
    await clock.advance(3_300)
    expect([new Set(beats()), outputs]).toEqual([new Set(['service:w passing']), []])
    for (const [blockedMs, status] of [
      [1_000, 'warning'],
      [6_000, 'critical'],
    ] as const) {
      clock.block(blockedMs)
      await clock.advance(4_000)
      expect(outputs.splice(0)).toEqual([expect.stringMatching(/^event loop blocked for/), ''])
      const sent = beats()
      expect([sent.includes(`service:w ${status}`), sent.at(-1)]).toEqual([true, 'service:w passing'])
    }
    const leaving = registration.deregister()
    await clock.advance(1)
    await leaving
    expect(clock.pendingTimers).toBe(0)
  })

  it('is registered again by the first heartbeat that finds it unknown, and beats at once', async () => {
    const { registration, agent, clock, told, beats } = await registered()
    agent.answers('agent.check.update', failure('PROCONSUL_NOT_FOUND'), {})
    await clock.advance(3_300)
    expect(told).toEqual(['registered', 'lost', 'restored'])
    expect(registration.state).toBe('registered')
    expect(agent.operations.slice(-2)).toEqual(['agent.service.register', 'agent.check.update'])
    expect(beats().length).toBeLessThanOrEqual(3)
  })

  it('comes back when it is deregistered again before its health was sent', async () => {
    const { registration, agent, clock, told } = await registered()
    const unknown = failure('PROCONSUL_NOT_FOUND')
    agent.answers('agent.check.update', unknown, unknown, unknown, {})
    await clock.advance(3_300)
    expect([registration.state, told]).toEqual(['registered', ['registered', 'lost', 'restored']])
    expect(agent.sent('agent.service.register')).toHaveLength(4)
  })

  it('comes back after a loss that follows a late answer about an earlier one', async () => {
    const { registration, agent, clock, told } = await registered()
    const register = agent.hold('agent.service.register')
    let answerLate: (answer: Played) => void = () => undefined
    const late = new Promise<Played>((resolve) => (answerLate = resolve))
    agent.answers('agent.check.update', failure('PROCONSUL_NOT_FOUND'), late, {})
    await clock.advance(3_300)
    await clock.advance(3_300)
    register()
    await settle()
    answerLate(failure('PROCONSUL_NOT_FOUND'))
    await clock.advance(9_000)
    expect([registration.state, told]).toEqual(['registered', ['registered', 'lost', 'restored']])
    agent.answers('agent.check.update', failure('PROCONSUL_NOT_FOUND'), {})
    await clock.advance(9_000)
    expect([registration.state, told.slice(3)]).toEqual(['registered', ['lost', 'restored']])
  })

  it('comes back at a bounded pace while the agent forgets it all the time', async () => {
    const { registration, agent, clock } = await registered()
    agent.answers('agent.check.update', failure('PROCONSUL_NOT_FOUND'))
    await clock.advance(60_000)
    // Five at once, and then one every five seconds.
    expect(agent.sent('agent.service.register').length).toBeGreaterThan(10)
    expect(agent.sent('agent.service.register').length).toBeLessThanOrEqual(19)
    agent.answers('agent.check.update', {})
    await clock.advance(9_000)
    expect(registration.state).toBe('registered')
  })

  it('comes back after a loss when a loss before it ended with a refused maintenance', async () => {
    const { registration, agent, clock, told } = await registered()
    await registration.maintenance(true, 'migration')
    const unavailable = failure('PROCONSUL_UNAVAILABLE')
    agent.answers('agent.service.maintenance', unavailable, unavailable, unavailable, {})
    agent.answers('agent.check.update', failure('PROCONSUL_NOT_FOUND'), {})
    await clock.advance(9_000)
    expect([registration.state, agent.sent('agent.service.maintenance').length]).toEqual(['registered', 5])
    agent.answers('agent.check.update', failure('PROCONSUL_NOT_FOUND'), {})
    await clock.advance(9_000)
    expect([registration.state, told.filter((name) => name === 'restored').length]).toEqual(['registered', 2])
  })

  it('registers nothing any more once it was halted while lost', async () => {
    const { life, agent, clock } = await registered()
    agent.answers('agent.check.update', failure('PROCONSUL_NOT_FOUND'))
    agent.answers('agent.service.register', failure('PROCONSUL_UNAVAILABLE'))
    await clock.advance(9_000)
    await life.halt()
    const sent = agent.requests.length
    await clock.advance(60_000)
    expect([agent.requests.length, clock.pendingTimers]).toEqual([sent, 0])
  })

  it('is in maintenance again after a loss', async () => {
    const { registration, agent, clock } = await registered()
    await registration.maintenance(true, 'migration')
    agent.answers('agent.check.update', failure('PROCONSUL_NOT_FOUND'), {})
    await clock.advance(3_300)
    expect(agent.operations.slice(-3)).toEqual([
      'agent.service.register',
      'agent.service.maintenance',
      'agent.check.update',
    ])
  })

  it('does not fight with others who change it all the time', async () => {
    const { audit, agent, clock, agentShows, told } = await registered()
    agentShows({ Tags: ['spoilt'] })
    const before = agent.sent('agent.service.register').length
    for (let second = 0; second < 60; second += 1) {
      void audit()
      await clock.advance(1_000)
    }
    // Five at once, and then one every five seconds.
    expect(agent.sent('agent.service.register').length - before).toBeLessThanOrEqual(17)
    expect(told.filter((name) => name === 'repaired').length).toBeGreaterThan(10)
  })

  it('steps back when another live process has the id, and comes back when that has left', async () => {
    const { audit, registration, clock, agentShows, told, beats } = await registered()
    agentShows({ Meta: metaOf(LIVE) })
    await audit()
    expect([registration.state, told]).toEqual(['lost', ['registered', 'conflict', 'lost']])
    await clock.advance(60_000)
    expect(beats()).toEqual([])
    await expect(registration.update({ tags: ['mine'] })).rejects.toMatchObject({ code: 'PROCONSUL_CONFLICT' })
    await expect(registration.maintenance(true)).rejects.toMatchObject({ code: 'PROCONSUL_CONFLICT' })
    agentShows()
    await audit()
    expect([registration.state, told.at(-1), beats()]).toEqual(['registered', 'restored', ['service:w passing']])
  })
})

describe('a new token', () => {
  it('has the service registered again under it until the agent has taken that, at a bounded pace', async () => {
    const { audit, life, agent, clock, agentShows, token, told } = await registered()
    agentShows()
    agent.answers('agent.service.register', failure('PROCONSUL_PERMISSION_DENIED'))
    token.changes = 1
    await life.refresh()
    for (let second = 0; second < 60; second += 1) {
      void audit()
      await clock.advance(1_000)
    }
    const refused = agent.sent('agent.service.register').length - 1
    expect([refused >= 15, refused <= 18]).toEqual([true, true])
    expect(told).toEqual(['registered', ...Array.from({ length: refused }, () => 'registerFailed')])
    agent.answers('agent.service.register', {})
    for (let look = 0; look < 3; look += 1) {
      void audit()
      await clock.advance(5_000)
    }
    // Nobody else had changed anything.
    expect([agent.sent('agent.service.register').length, told.at(-1)]).toEqual([refused + 2, 'registerFailed'])
  })

  it('that comes while the service is being registered is not forgotten', async () => {
    const { audit, life, agent, clock, agentShows, token } = registering()
    const release = agent.hold('agent.service.register')
    const starting = life.start({ giveUp: true })
    await settle()
    token.changes = 1
    await life.refresh()
    release()
    await starting
    agentShows()
    for (let look = 0; look < 2; look += 1) {
      void audit()
      await clock.advance(100)
    }
    expect(agent.sent('agent.service.register')).toHaveLength(2)
  })

  it('is followed while the service is lost, too', async () => {
    const { audit, life, registration, agent, clock, agentShows, token } = await registered()
    const release = agent.hold('agent.service.register')
    agent.answers('agent.check.update', failure('PROCONSUL_NOT_FOUND'), {})
    await clock.advance(3_300)
    token.changes = 1
    await life.refresh()
    release()
    await settle()
    agentShows()
    for (let look = 0; look < 2; look += 1) {
      void audit()
      await clock.advance(100)
    }
    expect([registration.state, agent.sent('agent.service.register').length]).toEqual(['registered', 3])
  })
})

describe('a registration whose id is there already', () => {
  it.each([
    ['tells of a process that lives', LIVE, ['conflict', 'registered']],
    ['tells of one on another host, which may live', FAR, ['conflict', 'registered']],
    ['raises no alarm over what its container may have been before a restart', CONTAINED, ['registered']],
  ])('%s, and takes the id', async (_what, boot, expected) => {
    const { life, registration, told, agentShows } = registering()
    agentShows({ Meta: metaOf(boot) })
    await life.start({ giveUp: true })
    expect([registration.state, told]).toEqual(['registered', expected])
  })
})

describe('an id that another live process took a moment ago', () => {
  it.each([
    ['an update', (registration: Registration) => registration.update({ tags: ['mine'] })],
    ['a maintenance', (registration: Registration) => registration.maintenance(true)],
  ])('is left to it by %s', async (_what, change) => {
    const { registration, agent, agentShows, told } = await registered()
    agentShows({ Meta: metaOf(LIVE) })
    await expect(change(registration)).rejects.toMatchObject({ code: 'PROCONSUL_CONFLICT' })
    expect([agent.sent('agent.service.register').length, agent.sent('agent.service.maintenance').length]).toEqual([
      1, 0,
    ])
    expect([registration.state, told]).toEqual(['lost', ['registered', 'conflict', 'lost']])
  })

  it('is left to it by a new token, and by a slow start', async () => {
    const slow: ServiceDefinition = { ...WEB, weights: { passing: 10 }, slowStart: '10s' }
    const { life, registration, agent, clock, agentShows, told } = await registered(slow)
    agentShows({ Meta: metaOf(LIVE) })
    await life.refresh()
    await clock.advance(20_000)
    expect([registration.state, told]).toEqual(['lost', ['registered', 'conflict', 'lost']])
    expect(agent.sent('agent.service.register')).toHaveLength(1)
  })

  it('is left to it where both were forgotten by the agent', async () => {
    const { audit, registration, agent, clock, agentShows, told, beats } = await registered()
    agent.answers('agent.check.update', failure('PROCONSUL_NOT_FOUND'), {})
    agentShows({ Meta: metaOf(LIVE) })
    await clock.advance(3_300)
    expect([registration.state, told]).toEqual(['lost', ['registered', 'lost', 'conflict']])
    expect(agent.sent('agent.service.register')).toHaveLength(1)
    beats()
    await clock.advance(30_000)
    expect(beats()).toEqual([])
    agentShows()
    await audit()
    expect([registration.state, told.at(-1)]).toEqual(['registered', 'restored'])
  })
})

describe('an update', () => {
  it('does not keep heartbeats waiting while the agent does not answer it', async () => {
    const { registration, agent, clock, beats } = await registered()
    const release = agent.hold('agent.service.register')
    const updating = registration.update({ check: { id: 'other', ttl: '9s' } })
    await clock.advance(30_000)
    expect(new Set(beats())).toEqual(new Set(['service:w passing']))
    release()
    await updating
    await clock.advance(30_000)
    expect(new Set(beats())).toEqual(new Set(['other passing']))
  })

  it('sends no heartbeat for a check that it ends, and none to one that is no TTL check', async () => {
    const { registration, agent, clock, beats, kept } = await registered()
    const release = agent.hold('agent.check.deregister')
    const check = { type: 'tcp', address: '127.0.0.1:80', id: 'port' } as const
    const updating = registration.update({ check })
    await clock.advance(30_000)
    release()
    await updating
    await clock.advance(30_000)
    expect([beats(), kept]).toEqual([[], ['compare', 'stop', 'watch']])
    await registration.update({ check: { ttl: '9s' } })
    await clock.advance(9_000)
    expect([new Set(beats()), kept]).toEqual([
      new Set(['service:w passing']),
      ['compare', 'stop', 'watch', 'stop', 'compare'],
    ])
  })

  it('takes the status of its new probes along', async () => {
    const { registration, agent } = await registered({ ...WEB, check: { type: 'tcp', address: '127.0.0.1:80' } })
    await registration.update({ check: { id: 't', ttl: '9s', probes: { down: () => false } } })
    const put = agent.sent('agent.service.register').at(-1)
    expect(put?.body).toMatchObject({ Checks: [{ CheckID: 't', Status: 'critical' }] })
  })

  it('starts from what the one before it has left, also when that failed', async () => {
    const { registration, agent } = await registered({ ...WEB, tags: ['a'] })
    agent.answers('agent.service.register', {}, failure('PROCONSUL_PERMISSION_DENIED'), {})
    const results = await Promise.allSettled([
      registration.update({ tags: ['b'] }),
      registration.update({ tags: ['c'], meta: { c: '1' } }),
      registration.update({ meta: { d: '1' } }),
    ])
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    const put = agent.sent('agent.service.register').at(-1)
    expect(put?.body).toMatchObject({ Tags: ['b'], Meta: { d: '1' } })
    expect(put?.body).not.toHaveProperty('Meta.c')
  })

  it('is refused once the service has begun to leave', async () => {
    const { registration, agent, clock } = await registered()
    agent.answers('agent.service.deregister', failure('PROCONSUL_UNAVAILABLE'))
    const leaving = expect(registration.deregister({ timeout: '5s' })).rejects.toBeDefined()
    await clock.advance(6_000)
    await leaving
    expect(registration.state).toBe('draining')
    await expect(registration.update({ tags: ['b'] })).rejects.toMatchObject({ code: 'PROCONSUL_CLOSED' })
    await expect(registration.maintenance(true)).rejects.toMatchObject({ code: 'PROCONSUL_CLOSED' })
  })
})

describe('a slow start', () => {
  it('raises the weight step by step, and nobody takes that for drift', async () => {
    const slow: ServiceDefinition = { ...WEB, weights: { passing: 10 }, slowStart: '10s' }
    const { audit, agent, clock, agentShows, told } = await registered(slow)
    const weights = (): readonly number[] =>
      agent
        .sent('agent.service.register')
        .map(({ body }) => (body as { readonly Weights: { readonly Passing: number } }).Weights.Passing)
    for (let second = 0; second < 12; second += 1) {
      agentShows({ Weights: { Passing: weights().at(-1), Warning: 1 } })
      await audit()
      await clock.advance(1_000)
    }
    expect([weights()[0], weights().at(-1), weights().length]).toEqual([1, 10, 11])
    expect(told).toEqual(['registered'])
  })

  it('ends with weights that are set by hand, also when a step falls due before all of the update is done', async () => {
    const slow: ServiceDefinition = { ...WEB, weights: { passing: 10 }, slowStart: '10s' }
    const { life, registration, agent, clock } = await registered({
      ...slow,
      checks: [{ id: 'gone', ttl: '9s' }],
      check: undefined,
    })
    const release = agent.hold('agent.check.deregister')
    const updating = registration.update({ weights: { passing: 50 }, checks: [{ id: 'kept', ttl: '9s' }] })
    await clock.advance(2_500)
    release()
    await updating
    await clock.advance(20_000)
    await life.refresh()
    expect(agent.sent('agent.service.register').at(-1)?.body).toMatchObject({ Weights: { Passing: 50 } })
  })

  it('ends with weights that are set by hand', async () => {
    const { registration, agent, clock } = await registered({ ...WEB, weights: { passing: 10 }, slowStart: '10s' })
    await clock.advance(3_500)
    await registration.update({ weights: { passing: 5 } })
    await clock.advance(20_000)
    await registration.update({ tags: ['later'] })
    const put = agent.sent('agent.service.register').at(-1)
    expect(put?.body).toMatchObject({ Weights: { Passing: 5 }, Tags: ['later'] })
  })

  it.each([
    ['while it lasts', 3_500],
    ['when it is over', 20_000],
  ])('hinders no weight from being set by hand %s, however low', async (_when, passedMs) => {
    const { registration, agent, clock } = await registered({ ...WEB, weights: { passing: 10 }, slowStart: '10s' })
    await clock.advance(passedMs)
    for (const [weights, expected] of [
      [{ passing: 1 }, { Passing: 1, Warning: 1 }],
      [{ warning: 0 }, { Passing: 1, Warning: 0 }],
    ] as const) {
      await registration.update({ weights })
      await clock.advance(20_000)
      expect(agent.sent('agent.service.register').at(-1)?.body).toMatchObject({ Weights: expected })
    }
  })

  it('goes on after an update that failed', async () => {
    const { registration, agent, clock } = await registered({ ...WEB, weights: { passing: 10 }, slowStart: '10s' })
    agent.answers('agent.service.register', failure('PROCONSUL_REJECTED'), {})
    await expect(registration.update({ weights: { passing: 1 } })).rejects.toMatchObject({ code: 'PROCONSUL_REJECTED' })
    await clock.advance(20_000)
    expect(agent.sent('agent.service.register').at(-1)?.body).toMatchObject({ Weights: { Passing: 10 } })
  })
})

describe('leaving', () => {
  it('says where the catalog did not confirm it', async () => {
    const { life, registration, agent, clock, logger } = await registered()
    const listed = { Node: {}, Service: { ID: 'w', Service: 'web', Meta: metaOf(OWN) }, Checks: [] }
    agent.answers('health.service', { body: [listed] })
    const leaving = registration.deregister()
    await clock.advance(6_000)
    await leaving
    expect([registration.state, logger.messages('warn').length]).toEqual(['deregistered', 1])
    expect(life.doubt).toMatchObject({ code: 'PROCONSUL_TIMEOUT' })
  })

  it('says nothing where it did', async () => {
    const { life, registration, clock, logger } = await registered()
    const leaving = registration.deregister()
    await clock.advance(1)
    await leaving
    expect([life.doubt, logger.messages('warn')]).toEqual([undefined, []])
  })

  it('goes on with heartbeats until the agent has answered, and leaves no timer', async () => {
    const { registration, agent, clock, beats, kept } = await registered()
    const release = agent.hold('agent.service.deregister')
    const leaving = registration.deregister({ drain: '2s' })
    await clock.advance(9_000)
    expect(beats().length).toBeGreaterThan(1)
    release()
    await clock.advance(2_000)
    await leaving
    beats()
    await clock.advance(30_000)
    expect(beats()).toEqual([])
    expect([registration.state, clock.pendingTimers, kept]).toEqual(['deregistered', 0, ['compare', 'stop', 'end']])
  })

  const LISTED = { body: [{ Service: { ID: 'w', Service: 'web', Meta: metaOf(OWN) }, Checks: [] }] }

  it('is over when the catalog lists the instance no more, and not before', async () => {
    const { registration, agent, clock } = await registered()
    agent.answers('health.service', LISTED, LISTED, failure('PROCONSUL_NO_LEADER'), { body: [] })
    let isOver = false
    const leaving = registration.deregister().then(() => (isOver = true))
    await settle()
    expect([isOver, registration.state, agent.sent('health.service').length]).toEqual([false, 'draining', 1])
    while (agent.sent('health.service').length < 4) {
      expect(isOver).toBe(false)
      await clock.advanceToNext()
    }
    await clock.advance(1)
    await leaving
    expect([registration.state, clock.pendingTimers]).toEqual(['deregistered', 0])
  })

  it('does not wait for a catalog that goes on listing it for more than five seconds', async () => {
    const { registration, agent, clock } = await registered()
    agent.answers('health.service', LISTED)
    const leaving = registration.deregister()
    await clock.advance(4_900)
    expect(registration.state).toBe('draining')
    await clock.advance(200)
    await leaving
    expect([registration.state, clock.pendingTimers]).toEqual(['deregistered', 0])
  })

  it('waits for an update that is under way, and nothing of that is left', async () => {
    const { registration, agent, clock } = await registered()
    const release = agent.hold('agent.service.register')
    const updating = registration.update({ check: { id: 'other', ttl: '9s' } })
    await settle()
    const leaving = registration.deregister()
    await clock.advance(1_000)
    expect(agent.sent('agent.service.deregister')).toEqual([])
    release()
    await clock.advance(1_000)
    await Promise.allSettled([updating, leaving])
    expect(agent.operations.indexOf('agent.service.deregister')).toBeGreaterThan(
      agent.operations.lastIndexOf('agent.service.register'),
    )
    await clock.advance(30_000)
    expect([registration.state, clock.pendingTimers]).toEqual(['deregistered', 0])
  })
})

import { describe, expect, it } from 'vitest'
import type { ServiceDefinition } from '../../../../src/registration/definition/service-definition.js'
import type { Registration } from '../../../../src/registration/registration.js'
import { CONTAINED, FAR, failure, LIVE, metaOf } from '../played-agent.js'
import { registered, registering, WEB } from '../played-registration.js'

describe('a registration whose id was taken', () => {
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

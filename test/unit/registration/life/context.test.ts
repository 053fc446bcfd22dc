import { describe, expect, it } from 'vitest'
import { settle } from '../../../support/fake-clock.js'
import { failure } from '../played-agent.js'
import { registered } from '../played-registration.js'

describe('the record of a registration', () => {
  it('is used by one at a time, so that no write overtakes another, and by the next after one that failed', async () => {
    const { registration, life, agent, audit } = await registered()
    const before = agent.requests.length
    const release = agent.hold('agent.service.register', failure('PROCONSUL_UNAVAILABLE'))
    const refreshing = life.refresh()
    const waiting = [registration.maintenance(true), registration.update({ tags: ['v2'] })]
    void audit()
    await settle()
    const operations = (): readonly string[] =>
      agent.requests
        .slice(before)
        .filter(({ method }) => method === 'PUT')
        .map(({ operation }) => operation)
    expect(operations()).toEqual(['agent.service.register'])
    release()
    await Promise.all([refreshing, ...waiting])
    expect(operations().slice(0, 3)).toEqual([
      'agent.service.register',
      'agent.service.maintenance',
      'agent.service.register',
    ])
  })

  it('is not written any more by what waited for its turn when the service began to leave', async () => {
    const { registration, life, agent, clock } = await registered()
    const release = agent.hold('agent.service.maintenance')
    const maintaining = registration.maintenance(true)
    const updating = expect(registration.update({ tags: ['late'] })).rejects.toMatchObject({ code: 'PROCONSUL_CLOSED' })
    const refreshing = life.refresh()
    await settle()
    const leaving = registration.deregister()
    release()
    await clock.advance(1)
    await Promise.all([maintaining, refreshing, leaving, updating])
    expect(agent.sent('agent.service.register')).toHaveLength(1)
    expect(agent.operations.at(-2)).toBe('agent.service.deregister')
  })
})

import { describe, expect, it } from 'vitest'
import { failure } from '../played-agent.js'
import { registered, WEB } from '../played-registration.js'

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

import { describe, expect, it } from 'vitest'
import { settle } from '../../../support/fake-clock.js'
import { failure, metaOf, OWN } from '../played-agent.js'
import { registered } from '../played-registration.js'

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

  it('repeats what may pass at growing distances, and heeds for a second at most that it is to wait for an hour', async () => {
    const { registration, agent, clock } = await registered()
    const asked = Object.assign(failure('PROCONSUL_RATE_LIMITED'), { retryAfterMs: 3_600_000 })
    const [unavailable, leaderless] = [failure('PROCONSUL_UNAVAILABLE'), failure('PROCONSUL_NO_LEADER')]
    agent.answers('agent.service.deregister', unavailable, leaderless, asked, {})
    const leftAt = clock.monotonic()
    const leaving = registration.deregister({ timeout: '5s' })
    await clock.advance(1_400)
    await leaving
    expect([agent.sent('agent.service.deregister').length, registration.state]).toEqual([4, 'deregistered'])
    // 75 and 150 ms of back-off, and then the second.
    expect(clock.monotonic() - leftAt).toBe(1_400)
  })

  it('gives up at once where repeating is of no use, and at the end of its time, and can be called again', async () => {
    const { registration, agent, clock } = await registered()
    agent.answers('agent.service.deregister', failure('PROCONSUL_PERMISSION_DENIED'))
    await expect(registration.deregister()).rejects.toMatchObject({ code: 'PROCONSUL_PERMISSION_DENIED' })
    agent.answers('agent.service.deregister', failure('PROCONSUL_UNAVAILABLE'))
    const late = expect(registration.deregister({ timeout: '2s' })).rejects.toMatchObject({
      code: 'PROCONSUL_TIMEOUT',
      cause: { code: 'PROCONSUL_UNAVAILABLE' },
    })
    await clock.advance(2_000)
    await late
    agent.answers('agent.service.deregister', {})
    await registration.deregister()
    expect([registration.state, clock.pendingTimers]).toEqual(['deregistered', 0])
  })
})

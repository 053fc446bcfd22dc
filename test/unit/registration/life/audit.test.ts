import { describe, expect, it } from 'vitest'
import { settle } from '../../../support/fake-clock.js'
import { failure } from '../played-agent.js'
import { registered, registering } from '../played-registration.js'

describe('a record that others change', () => {
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

import { describe, expect, it } from 'vitest'
import { settle } from '../../../support/fake-clock.js'
import { failure, type Played } from '../played-agent.js'
import { registered } from '../played-registration.js'

describe('a registration that was lost', () => {
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
})

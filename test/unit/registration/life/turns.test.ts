import { describe, expect, it } from 'vitest'
import { failure, LIVE, metaOf, OWN } from '../played-agent.js'
import { registered, registering, WEB } from '../played-registration.js'

describe('what operators are told of a registration', () => {
  it('is one line when it is registered, and one when it has left', async () => {
    const { registration, clock, logger, turns } = await registered()
    await clock.advance(60_000)
    await registration.deregister()
    expect(turns()).toEqual(['registered', 'deregistered'])
    expect(logger.entries[0]).toMatchObject({ level: 'info', fields: { id: 'w', name: 'web', status: 'passing' } })
  })

  it('is one line for a loss and one for its end, however many tries it takes', async () => {
    const { agent, clock, logger, turns } = await registered()
    agent.answers('agent.check.update', failure('PROCONSUL_NOT_FOUND'), {})
    agent.answers('agent.service.register', failure('PROCONSUL_UNAVAILABLE'), failure('PROCONSUL_UNAVAILABLE'), {})
    await clock.advance(9_000)
    expect(turns()).toEqual(['registered', 'lost', 'restored'])
    expect(logger.messages('warn')).toHaveLength(1)
  })

  it('is a loss that lasts for more than five seconds, once', async () => {
    const { agent, clock, turns } = await registered()
    agent.answers('agent.check.update', failure('PROCONSUL_NOT_FOUND'))
    agent.answers('agent.service.register', failure('PROCONSUL_UNAVAILABLE'))
    await clock.advance(60_000)
    expect(turns()).toEqual(['registered', 'lost', 'register-failing'])
  })

  it('is who else has the id, and that it is lost to that', async () => {
    const { clock, agentShows, audit, turns } = await registered()
    agentShows({ Meta: metaOf(LIVE) })
    await audit()
    await clock.advance(60_000)
    expect(turns()).toEqual(['registered', 'conflict', 'lost'])
  })

  it('is a repair with what it repaired', async () => {
    const { clock, logger, agentShows, audit, turns } = await registered()
    agentShows({ Tags: ['theirs'] })
    await audit()
    await clock.advance(1)
    expect(turns()).toEqual(['registered', 'repaired'])
    expect(logger.entries.at(-1)?.fields).toMatchObject({ fields: ['tags'] })
  })

  it('is that heartbeats fail once they have done so for five seconds, with the reason, and that they get through again', async () => {
    const { agent, clock, logger, turns } = await registered()
    const unavailable = failure('PROCONSUL_UNAVAILABLE')
    agent.answers('agent.check.update', unavailable, unavailable, {})
    await clock.advance(30_000)
    expect(turns()).toEqual(['registered'])
    agent.answers('agent.check.update', ...Array.from({ length: 20 }, () => unavailable), {})
    await clock.advance(60_000)
    expect(turns()).toEqual(['registered', 'heartbeat-failing', 'heartbeat-recovered'])
    const [failing, recovered] = logger.entries.slice(-2)
    expect([failing?.level, failing?.fields['err'], recovered?.level]).toEqual(['warn', unavailable, 'info'])
    expect(recovered?.fields['failedForMs']).toBeGreaterThan(15_000)
  })

  it('is each change of its status, and not the one before the first result', async () => {
    let answer: unknown = true
    const probes = { database: { run: () => answer, interval: 1_000 } }
    const { life, clock, turns, logger } = registering({ ...WEB, check: { ttl: '9s', probes } })
    await life.start({ giveUp: true })
    for (const next of ['critical', 'warning', true]) {
      answer = next
      await clock.advance(2_000)
    }
    const ofService = logger.entries.filter(({ fields }) => fields['before'] !== undefined && !('probe' in fields))
    expect(ofService.map(({ fields }) => fields['event'])).toEqual(['critical', 'warning', 'passing'])
    expect(turns()[0]).toBe('registered')
  })

  it('is that it ended but may be registered still, where the catalog did not confirm it', async () => {
    const { registration, agent, clock, turns } = await registered()
    const listed = { Node: {}, Service: { ID: 'w', Service: 'web', Meta: metaOf(OWN) }, Checks: [] }
    agent.answers('health.service', { body: [listed] })
    const leaving = registration.deregister()
    await clock.advance(6_000)
    await leaving
    expect(turns()).toEqual(['registered', 'deregistered', 'left-behind'])
  })

  it('is that it could not be deregistered when it was closed', async () => {
    const { registration, agent, clock, turns } = await registered()
    agent.answers('agent.service.deregister', failure('PROCONSUL_PERMISSION_DENIED'))
    const closing = registration.close()
    await clock.advance(1)
    await closing
    expect(turns()).toEqual(['registered', 'left-behind'])
  })
})

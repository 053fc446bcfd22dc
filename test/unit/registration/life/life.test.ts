import { describe, expect, it } from 'vitest'
import { settle } from '../../../support/fake-clock.js'
import { failure } from '../played-agent.js'
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
})

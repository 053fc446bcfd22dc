import { describe, expect, it } from 'vitest'
import { SlowStart } from '../../../../src/registration/life/slow-start.js'
import { FakeClock } from '../../../support/fake-clock.js'
import { recordingLogger } from '../../../support/recording-logger.js'
import type { ServiceDefinition } from '../../../../src/registration/definition/service-definition.js'
import { failure } from '../played-agent.js'
import { registered, WEB } from '../played-registration.js'

it('raises a weight in ten equal steps and then lets the full one hold', async () => {
  const clock = new FakeClock()
  const weights: (number | undefined)[] = []
  const runtime = { clock, random: () => 0.5, logger: recordingLogger() }
  const slowStart: SlowStart = new SlowStart(runtime, () => Promise.resolve(weights.push(slowStart.weight)))
  slowStart.prepare()
  slowStart.start(10_000, () => 20)
  await clock.advance(60_000)
  expect(weights).toEqual([2, 4, 6, 8, 10, 12, 14, 16, 18, undefined])
  expect(clock.pendingTimers).toBe(0)
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

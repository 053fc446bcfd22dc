import { describe, expect, it } from 'vitest'
import { resolveDefinition } from '../../../../../src/registration/definition/resolve-definition.js'
import type { ServiceDefinition } from '../../../../../src/registration/definition/service-definition.js'
import { formatBoot } from '../../../../../src/registration/identity/boot.js'
import { ConsulRecord } from '../../../../../src/registration/record/consul-record.js'
import type { RecordObserver } from '../../../../../src/registration/record/record.js'
import { Comparison } from '../../../../../src/registration/record/agent/comparison.js'
import { settle } from '../../../../support/fake-clock.js'
import { failure, metaOf, OWN, playedParts } from '../../played-agent.js'

const READS = ['agent.services', 'agent.checks']

function guarding() {
  const { played: agent, ...parts } = playedParts()
  const guard = new Comparison(parts)
  /** What was heard of the records, such as `w right`. */
  const told: string[] = []
  const guarded = (id: string, port?: number) => {
    const definition: ServiceDefinition = { name: 'web', id, ...(port !== undefined && { port }) }
    const resolved = resolveDefinition(definition, { hostname: 'here', boot: formatBoot(OWN) })
    const record = new ConsulRecord(resolved, OWN, { ...parts, observe: () => () => undefined })
    return [record, (seen) => void told.push(`${id} ${seen?.type}`)] as [ConsulRecord, RecordObserver]
  }
  /** The agent has these services as they were registered. */
  const agentHas = (...ids: string[]): void => {
    const services = ids.map((id) => [id, { ID: id, Service: 'web', Meta: metaOf(OWN) }])
    const checks = ids.map((id) => [`service:${id}`, { CheckID: `service:${id}`, ServiceID: id, Type: 'ttl' }])
    agent.answers('agent.services', { body: Object.fromEntries(services) })
    agent.answers('agent.checks', { body: Object.fromEntries(checks) })
  }
  /** When the agent was asked for the services within the next milliseconds. */
  const looksWithin = async (ms: number): Promise<readonly number[]> => {
    const { clock } = parts
    const at: number[] = []
    const until = clock.monotonic() + ms
    await settle()
    while (clock.nextTimerInMs !== undefined && clock.monotonic() + clock.nextTimerInMs <= until) {
      const before = agent.sent('agent.services').length
      await clock.advanceToNext()
      if (agent.sent('agent.services').length > before) at.push(Math.round(clock.monotonic()))
    }
    await clock.advance(until - clock.monotonic())
    return at
  }
  return { ...parts, agent, guard, guarded, told, agentHas, looksWithin }
}

describe('when the records are compared', () => {
  it('a second after a registration, and every five from then on', async () => {
    const { guard, guarded, agentHas, looksWithin } = guarding()
    agentHas('w')
    guard.add(...guarded('w'))
    expect(await looksWithin(16_500)).toEqual([1_000, 6_000, 11_000, 16_000])
  })

  it.each([
    [100, 5_000],
    [200, 10_000],
    [600, 30_000],
    [2_000, 30_000],
  ])('for %d registrations after %d ms', async (count, intervalMs) => {
    const { guard, guarded, looksWithin } = guarding()
    for (let index = 0; index < count; index++) guard.add(...guarded(`w${index}`))
    expect(await looksWithin(1_500 + intervalMs)).toEqual([1_000, 1_000 + intervalMs])
  })

  it('never, without a registration', async () => {
    const { guard, clock, looksWithin } = guarding()
    guard.hurry()
    expect(await looksWithin(60_000)).toEqual([])
    expect(clock.pendingTimers).toBe(0)
  })

  it('soon after the connection broke, and then at the usual pace', async () => {
    const { guard, guarded, agentHas, looksWithin } = guarding()
    agentHas('w')
    guard.add(...guarded('w'))
    await looksWithin(2_000)
    guard.hurry()
    expect(await looksWithin(6_000)).toEqual([2_200, 7_200])
  })

  it('no later because others register or lose their connection meanwhile', async () => {
    const { agent, clock, guard, guarded } = guarding()
    for (let index = 0; index < 8; index++) {
      guard.add(...guarded(`w${index}`))
      await clock.advance(150)
    }
    expect(agent.sent('agent.services')).toHaveLength(1)
    for (let times = 0; times < 4; times++) {
      guard.hurry()
      await clock.advance(75)
    }
    expect(agent.sent('agent.services')).toHaveLength(2)
  })

  it('soon after a connection that broke while they were being compared', async () => {
    const { agent, clock, guard, guarded } = guarding()
    const release = agent.hold('agent.checks', { body: {} })
    guard.add(...guarded('w'))
    await clock.advance(1_000)
    guard.hurry()
    release()
    await clock.advance(250)
    expect(agent.sent('agent.services')).toHaveLength(2)
  })

  it('every second while the agent cannot be asked', async () => {
    const { agent, guard, guarded, logger, looksWithin, told } = guarding()
    guard.add(...guarded('w'))
    agent.answers('agent.checks', failure('PROCONSUL_UNAVAILABLE'), failure('PROCONSUL_TIMEOUT'), { body: {} })
    expect(await looksWithin(9_000)).toEqual([1_000, 2_000, 3_000, 8_000])
    expect(logger.messages('debug')).toHaveLength(2)
    expect(told).toEqual(['w gone', 'w gone'])
  })

  it('without keeping the process alive', () => {
    const { clock, guard, guarded } = guarding()
    guard.add(...guarded('w'))
    expect(clock.pendingTimers).toBe(1)
    expect(clock.keepAliveTimers).toBe(0)
  })
})

describe('what the agent is asked', () => {
  it('is the same two reads for one registration and for twenty, naming them', async () => {
    for (const ids of [['w'], Array.from({ length: 20 }, (_, index) => `w${index}`)]) {
      const { agent, clock, guard, guarded } = guarding()
      for (const id of ids) guard.add(...guarded(id))
      await clock.advance(1_000)
      expect(agent.operations).toEqual(READS)
      const filters = ['ID', 'ServiceID'].map((field) => ids.map((id) => `${field} == "${id}"`).join(' or '))
      expect(agent.requests.map(({ query }) => query?.['filter'])).toEqual(filters)
    }
  })

  it('is all that it has past twenty, and what is of others is left alone', async () => {
    const { agent, agentHas, clock, guard, guarded, told } = guarding()
    const ids = Array.from({ length: 21 }, (_, index) => `w${index}`)
    for (const id of ids) guard.add(...guarded(id))
    agentHas('of-others', ...ids)
    await clock.advance(1_000)
    expect(agent.operations).toEqual(READS)
    expect(agent.requests.map(({ query }) => query?.['filter'])).toEqual([undefined, undefined])
    expect(told).toEqual(ids.map((id) => `${id} right`))
  })
})

describe('what a comparison finds', () => {
  it('is that a record is right where it is', async () => {
    const { agentHas, clock, guard, guarded, told } = guarding()
    agentHas('w')
    guard.add(...guarded('w'))
    await clock.advance(1_000)
    expect(told).toEqual(['w right'])
  })

  it('is that each is right, changed or gone', async () => {
    const { agentHas, clock, guard, guarded, told } = guarding()
    agentHas('right', 'changed')
    for (const entry of [guarded('right'), guarded('changed', 80), guarded('gone')]) guard.add(...entry)
    await clock.advance(1_000)
    expect(told).toEqual(['right right', 'changed drifted', 'gone gone'])
  })
})

describe('the end', () => {
  it('of one registration leaves the others guarded', async () => {
    const { agent, guard, guarded, looksWithin } = guarding()
    const [one, other] = [guarded('one'), guarded('other')]
    guard.add(...one)
    guard.add(...other)
    guard.remove(one[0])
    expect(await looksWithin(6_500)).toEqual([1_000, 6_000])
    expect(agent.requests[0]?.query).toMatchObject({ filter: 'ID == "other"' })
  })

  it('of the last one ends the comparisons, until another comes', async () => {
    const { agent, clock, guard, guarded, looksWithin } = guarding()
    const one = guarded('one')
    guard.add(...one)
    guard.remove(one[0])
    guard.hurry()
    expect(await looksWithin(60_000)).toEqual([])
    expect(clock.pendingTimers).toBe(0)
    expect(agent.requests).toEqual([])
    guard.add(...one)
    expect(await looksWithin(1_000)).toEqual([61_000])
  })

  it('of the last one while a comparison is under way plans no other, and tells nobody', async () => {
    const { agent, clock, guard, guarded, told } = guarding()
    const release = agent.hold('agent.checks', { body: {} })
    const one = guarded('one')
    guard.add(...one)
    await clock.advance(1_000)
    guard.remove(one[0])
    release()
    await settle()
    expect(clock.pendingTimers).toBe(0)
    expect(told).toEqual([])
  })

  it('of the guard is for good, and ends what is under way', async () => {
    const { agent, clock, guard, guarded, logger, told } = guarding()
    const release = agent.hold('agent.checks', failure('PROCONSUL_ABORTED'))
    guard.add(...guarded('one'))
    await clock.advance(1_000)
    guard.close()
    expect(agent.requests.map(({ signal }) => signal?.aborted)).toEqual([true, true])
    release()
    await settle()
    guard.add(...guarded('two'))
    guard.hurry()
    await clock.advance(60_000)
    expect(agent.requests).toHaveLength(2)
    expect(clock.pendingTimers).toBe(0)
    expect(told).toEqual([])
    expect(logger.entries).toEqual([])
  })
})

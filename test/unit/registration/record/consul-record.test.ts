import { describe, expect, it } from 'vitest'
import { CONTAINED, DEAD, failure, FAR, LIVE, metaOf, OWN } from '../played-agent.js'
import { as, CHECKS, HTTP, keeping, RECORD, resolve, statuses, TCP, WEB, writes } from './keeping.js'

describe('writing a record', () => {
  it('gives TTL checks the status of the service, and others the one that was last seen', async () => {
    const { agent, judge, put } = keeping()
    await put('passing')
    expect(statuses(agent.sent('agent.service.register')[0])).toEqual({ t: 'passing', h: undefined })
    judge()
    await put('critical')
    expect(statuses(agent.sent('agent.service.register')[1])).toEqual({ t: 'critical', h: 'warning' })
  })

  it('leaves the status of an alias check to the agent', async () => {
    const { agent, judge, put } = keeping({ ...WEB, checks: [{ type: 'alias', service: 'o', id: 'a' }] })
    judge(RECORD, { a: { CheckID: 'a', ServiceID: 'w', Type: 'alias', Status: 'passing' } })
    await put('critical')
    expect(statuses(agent.sent('agent.service.register')[0])).toEqual({ a: undefined })
  })

  it('sends the weight of a slow start in place of the full one', async () => {
    const { agent, put } = keeping({ ...WEB, weights: { passing: 9, warning: 2 } })
    await put('passing', 3)
    await put('passing')
    const weights = agent.sent('agent.service.register').map(({ body }) => (body as { Weights: unknown }).Weights)
    expect(weights).toEqual([
      { Passing: 3, Warning: 2 },
      { Passing: 9, Warning: 2 },
    ])
  })

  it('counts as there from the first write on, unless that found nobody', async () => {
    const { agent, record, put } = keeping()
    agent.answers('agent.service.register', failure('PROCONSUL_UNAVAILABLE', 'ECONNREFUSED'))
    await expect(put('passing')).rejects.toMatchObject({ code: 'PROCONSUL_UNAVAILABLE' })
    expect(record.mayBeThere).toBe(false)
    agent.answers('agent.service.register', failure('PROCONSUL_UNAVAILABLE', 'ECONNRESET'))
    await expect(put('passing')).rejects.toMatchObject({ code: 'PROCONSUL_UNAVAILABLE' })
    expect(record.mayBeThere).toBe(true)
    agent.answers('agent.service.register', failure('PROCONSUL_UNAVAILABLE', 'ECONNREFUSED'))
    await expect(put('passing')).rejects.toMatchObject({ code: 'PROCONSUL_UNAVAILABLE' })
    expect(record.mayBeThere).toBe(true)
  })
})

describe('replacing a definition', () => {
  it('keeps the statuses of checks that stay, and gives the new ones a fresh one', async () => {
    const { agent, record, signal, judge, put } = keeping()
    await put('passing')
    judge()
    const next = resolve({ ...WEB, checks: [...(WEB.checks ?? []), { ...TCP, id: 'n', name: 'n' }] })
    await record.replace(next, as('passing', 'critical'), signal)
    expect(record.definition).toBe(next)
    expect(statuses(agent.sent('agent.service.register')[1])).toEqual({ t: 'passing', h: 'warning', n: 'critical' })
    expect(record.activeStatuses).toEqual(['warning', 'critical'])
  })

  it('removes the checks that are left over, and only then', async () => {
    const { agent, record, signal, put } = keeping()
    await put('passing')
    await record.replace(resolve({ ...WEB, checks: [{ id: 'new' }] }), as('passing', 'passing'), signal)
    expect(writes(agent.requests)).toEqual(['register', 'register', 'check t', 'check h'])
  })

  it('ends a check whose kind changes once the agent has accepted the new one', async () => {
    const { agent, record, signal, judge, put } = keeping()
    await put('passing')
    judge()
    await record.replace(resolve({ ...WEB, checks: [{ id: 't', name: 't' }, TCP] }), as('passing', 'passing'), signal)
    expect(writes(agent.requests)).toEqual(['register', 'register', 'check h', 'register'])
    expect(statuses(agent.sent('agent.service.register')[2])).toEqual({ t: 'passing', h: 'passing' })
    await put('passing')
    expect(writes(agent.requests).slice(4)).toEqual(['register'])
  })

  it('leaves all as it was when the agent refuses', async () => {
    const { agent, record, signal, put } = keeping()
    await put('passing')
    const before = record.definition
    agent.answers('agent.service.register', failure('PROCONSUL_PERMISSION_DENIED'), {})
    const replacing = record.replace(resolve({ ...WEB, checks: [TCP] }), as('passing', 'passing'), signal)
    await expect(replacing).rejects.toMatchObject({ code: 'PROCONSUL_PERMISSION_DENIED' })
    expect(record.definition).toBe(before)
    expect(writes(agent.requests)).toEqual(['register', 'register'])
    await put('passing')
    expect(statuses(agent.sent('agent.service.register')[2])).toEqual({ t: 'passing', h: undefined })
  })

  it('has happened once the agent has taken it: what could not be ended then is drift until it is', async () => {
    const { agent, record, signal, judge, put } = keeping()
    await put('passing')
    agent.answers('agent.check.deregister', failure('PROCONSUL_PERMISSION_DENIED'), {})
    const told: string[] = []
    const onTaken = (): Promise<void> => Promise.resolve(void told.push(...writes(agent.requests)))
    const next = resolve({ ...WEB, checks: [{ id: 't', name: 't' }] })
    await record.replace(next, as('passing', 'passing', { onTaken }), signal)
    expect(told).toEqual(['register', 'register'])
    expect(record.definition).toBe(next)
    expect(judge(RECORD, CHECKS)).toEqual({ type: 'drifted', fields: ['check h'] })
    await put('passing')
    expect(writes(agent.requests).slice(2)).toEqual(['check h', 'check h', 'register'])
    expect(judge(RECORD, { t: CHECKS.t })).toEqual({ type: 'right' })
  })

  it('is set back, with the checks that it brought, when it failed and the agent may have taken it', async () => {
    const { agent, record, signal, judge, put } = keeping()
    await put('passing')
    agent.answers('agent.service.register', failure('PROCONSUL_TIMEOUT'), {})
    const next = resolve({ ...WEB, checks: [{ id: 't', name: 't' }, TCP, { ...HTTP, id: 'n', name: 'n' }] })
    await expect(record.replace(next, as('passing', 'passing'), signal)).rejects.toBeDefined()
    expect(judge()).toEqual({ type: 'drifted', fields: ['check h', 'check n', 'update'] })
    await put('passing')
    expect(writes(agent.requests).slice(2)).toEqual(['check h', 'check n', 'register'])
    expect(judge()).toEqual({ type: 'right' })
  })

  it('gives a check of another kind under the same id the fresh status', async () => {
    const { agent, record, signal, judge, put } = keeping()
    await put('critical')
    judge(RECORD, { ...CHECKS, t: { ...CHECKS.t, Status: 'critical' } })
    const next = resolve({ ...WEB, checks: [{ ...HTTP, id: 't', name: 't' }, HTTP] })
    await record.replace(next, as('passing', 'passing'), signal)
    expect(statuses(agent.sent('agent.service.register').at(-1))).toEqual({ t: 'passing', h: 'warning' })
  })

  it('ends a slow start when it brings weights', async () => {
    const { agent, record, signal, judge, put } = keeping({ ...WEB, weights: { passing: 10 } })
    await put('passing', 3)
    expect(judge({ ...RECORD, Weights: { Passing: 3, Warning: 1 } })).toEqual({ type: 'right' })
    await record.replace(resolve({ ...WEB, weights: { passing: 5 } }), as('passing', 'passing'), signal)
    await put('passing')
    const sent = agent.sent('agent.service.register').map(({ body }) => body)
    expect(sent).toMatchObject([3, 5, 5].map((Passing) => ({ Weights: { Passing, Warning: 1 } })))
  })

  it('does not remember the status of a check that came to nothing or was removed', async () => {
    const { agent, record, signal, judge, put } = keeping()
    await put('passing')
    judge()
    const [more, less] = [resolve({ ...WEB, checks: [...(WEB.checks ?? []), { ...TCP, id: 'n', name: 'n' }] }), WEB]
    agent.answers('agent.service.register', failure('PROCONSUL_UNAVAILABLE'), {})
    await expect(record.replace(more, as('passing', 'passing'), signal)).rejects.toBeDefined()
    await record.replace(more, as('critical', 'critical'), signal)
    expect(statuses(agent.sent('agent.service.register').at(-1))).toMatchObject({ h: 'warning', n: 'critical' })
    await record.replace(resolve(less), as('passing', 'passing'), signal)
    await record.replace(more, as('passing', 'passing'), signal)
    expect(statuses(agent.sent('agent.service.register').at(-1))).toMatchObject({ h: 'warning', n: 'passing' })
  })
})

describe('inspecting a record', () => {
  it('finds it gone', async () => {
    const { agent, record, signal } = keeping()
    expect(await record.inspect(signal, false)).toEqual({ type: 'gone' })
    expect(agent.operations).toEqual(['agent.service'])
  })

  it('finds it right, or tells what differs', async () => {
    const { agent, record, signal } = keeping()
    agent.answers('agent.service', { body: RECORD }, { body: { ...RECORD, Port: 81 } })
    agent.answers('agent.checks', { body: CHECKS }, { body: { t: CHECKS.t } })
    expect(await record.inspect(signal, false)).toEqual({ type: 'right' })
    expect(await record.inspect(signal, false)).toEqual({ type: 'drifted', fields: ['port', 'check h'] })
    expect(record.activeStatuses).toEqual(['warning'])
  })
})

describe('removing a record', () => {
  it('asks nothing when it never reached the agent', async () => {
    const { agent, record, signal, put } = keeping()
    await record.remove(signal)
    agent.answers('agent.service.register', failure('PROCONSUL_UNAVAILABLE', 'ECONNREFUSED'))
    await expect(put('passing')).rejects.toBeDefined()
    const before = agent.requests.length
    await record.remove(signal)
    expect(agent.requests).toHaveLength(before)
  })

  it.each([
    ['leaves it to another run that lives', LIVE, 0],
    ['leaves it to one of which nobody can tell', FAR, 0],
    ['leaves it to one of another container with the same host name', CONTAINED, 0],
    ['takes that of a dead run away', DEAD, 1],
    ['takes its own away', OWN, 1],
  ])('%s', async (_what, boot, deregistrations) => {
    const { agent, record, signal, put } = keeping()
    await put('passing')
    agent.answers('agent.service', { body: { ...RECORD, Meta: metaOf(boot) } })
    await record.remove(signal)
    expect(agent.sent('agent.service.deregister')).toHaveLength(deregistrations)
  })
})

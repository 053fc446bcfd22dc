import { describe, expect, it } from 'vitest'
import { failure } from '../played-agent.js'
import { as, CHECKS, keeping, RECORD, resolve, WEB, writes } from './keeping.js'

describe('a maintenance', () => {
  const ENDING = ['agent.checks', 'agent.check.register', 'agent.service.maintenance']
  const ON = { CheckID: '_service_maintenance:w', Name: 'Service Maintenance Mode', Notes: 'why', ServiceID: 'w' }

  it('is switched on again with every write, so that no write over a loss ends it', async () => {
    const { agent, record, signal, put } = keeping()
    await record.maintenance(true, 'why', signal)
    await put('passing')
    await record.replace(resolve({ ...WEB, tags: ['v2'] }), as('passing', 'passing'), signal)
    expect(writes(agent.requests)).toEqual(['maintenance', 'register', 'maintenance', 'register', 'maintenance'])
    const switched = agent.sent('agent.service.maintenance').map(({ query }) => query)
    expect(switched).toEqual(Array.from({ length: 3 }, () => ({ enable: 'true', reason: 'why' })))
  })

  it('that the agent does not have any more is drift, until this process ends it', async () => {
    const { record, signal, judge } = keeping()
    expect(judge()).toEqual({ type: 'right' })
    await record.maintenance(true, undefined, signal)
    expect(judge()).toEqual({ type: 'drifted', fields: ['maintenance'] })
    expect(judge(RECORD, { ...CHECKS, m: ON })).toEqual({ type: 'right' })
    await record.maintenance(false, undefined, signal)
    expect(judge()).toEqual({ type: 'right' })
  })

  it('that could not be begun is not wanted, and one that could not be ended is', async () => {
    const { agent, record, signal, judge } = keeping()
    const [refused, unavailable] = [failure('PROCONSUL_PERMISSION_DENIED'), failure('PROCONSUL_UNAVAILABLE')]
    agent.answers('agent.service.maintenance', refused, {}, unavailable)
    await expect(record.maintenance(true, 'why', signal)).rejects.toBe(refused)
    expect(judge()).toEqual({ type: 'right' })
    await record.maintenance(true, 'why', signal)
    await expect(record.maintenance(false, undefined, signal)).rejects.toBe(unavailable)
    expect(judge()).toEqual({ type: 'drifted', fields: ['maintenance'] })
  })

  it('that an update could not renew is renewed by the next repair', async () => {
    const { agent, record, signal, judge, put } = keeping()
    await record.maintenance(true, 'why', signal)
    agent.answers('agent.service.maintenance', failure('PROCONSUL_UNAVAILABLE'), {})
    await record.replace(resolve({ ...WEB, tags: ['v2'] }), as('passing', 'passing'), signal)
    expect(judge({ ...RECORD, Tags: ['v2'] })).toEqual({ type: 'drifted', fields: ['maintenance'] })
    await put('passing')
    expect(writes(agent.requests).slice(-2)).toEqual(['register', 'maintenance'])
  })

  it('is ended under the present token, whichever it was begun under', async () => {
    const { agent, record, signal } = keeping()
    agent.answers('agent.checks', { body: { m: ON } })
    await record.maintenance(false, undefined, signal)
    expect(agent.operations).toEqual(ENDING)
    expect(agent.requests[1]?.body).toMatchObject({ ID: ON.CheckID, ServiceID: 'w', Name: ON.Name, Notes: 'why' })
  })

  it('that there is none of is not begun by ending it', async () => {
    const { agent, record, signal } = keeping()
    await record.maintenance(false, undefined, signal)
    expect(writes(agent.requests)).toEqual(['maintenance'])
  })
})

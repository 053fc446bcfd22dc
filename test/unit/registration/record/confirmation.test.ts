import { describe, expect, it } from 'vitest'
import { failure, LIVE, metaOf, OWN } from '../played-agent.js'
import { keeping } from './keeping.js'

describe('confirming that it is gone', () => {
  const entry = (id: string, boot = OWN) => ({ Service: { ID: id, Service: 'web', Meta: metaOf(boot) }, Checks: [] })

  it('asks the catalog whether the own instance of the own run is among those that pass', async () => {
    const { agent, record, signal } = keeping()
    const [listed, others] = [{ body: [entry('w'), entry('x')] }, { body: [entry('w', LIVE), entry('x')] }]
    agent.answers('health.service', listed, failure('PROCONSUL_NO_LEADER'), others)
    expect(await record.confirmGone(signal)).toBe(false)
    await expect(record.confirmGone(signal)).rejects.toMatchObject({ code: 'PROCONSUL_NO_LEADER' })
    expect(await record.confirmGone(signal)).toBe(true)
    expect(agent.sent('health.service')[0]).toMatchObject({ query: { passing: true } })
  })

  it('takes the word of an agent that lets the token write and not read', async () => {
    const { agent, record, signal } = keeping()
    agent.answers('health.service', failure('PROCONSUL_PERMISSION_DENIED'))
    expect(await record.confirmGone(signal)).toBe(true)
  })

  it('looks among all instances where several agents have answered, and tells every one again to forget it', async () => {
    const { agent, agents, record, signal } = keeping()
    agents.saw('one')
    agents.saw('other')
    agent.answers('health.service', { body: [entry('w')] }, { body: [] })
    expect(await record.confirmGone(signal)).toBe(false)
    expect(await record.confirmGone(signal)).toBe(true)
    expect(agent.sent('agent.service.deregister')).toHaveLength(4)
    expect(agent.sent('health.service')[0]?.query).toMatchObject({ passing: false })
  })
})

import { describe, expect, it } from 'vitest'
import { failure } from '../../played-agent.js'
import { CHECKS, keeping, RECORD, writes } from '../keeping.js'

describe('what an earlier run left under the id', () => {
  const STRANGE = { ...CHECKS, h: { ...CHECKS.h, Type: 'tcp', Status: 'critical' } }
  it('of an earlier run is looked for before the first write, where the id is known already', async () => {
    const { agent, record, signal, put } = keeping()
    agent.answers('agent.service', { body: RECORD })
    const tooMany = { CheckID: 'service:w:2', ServiceID: 'w', Type: 'ttl' }
    const surplus = { h: STRANGE.h, 'service:w:2': tooMany }
    agent.answers('agent.checks', { body: { ...STRANGE, ...surplus } }, { body: surplus })
    await record.holder(signal)
    await put('passing')
    await put('passing')
    // Under the token of today, for that of the earlier run may be revoked: then the servers would go on listing them.
    const takenOver = agent.sent('agent.check.register').map(({ body }) => body)
    expect(takenOver).toMatchObject([{ ID: 'h' }, { ID: 'service:w:2' }])
    expect(writes(agent.requests).slice(2)).toEqual(['check h', 'check service%3Aw%3A2', 'register', 'register'])
    expect(agent.sent('agent.checks').map(({ query }) => query)).toMatchObject([
      { filter: 'ServiceID == "w" or CheckID == "t" or CheckID == "h"' },
      { filter: 'CheckID == "h" or CheckID == "service:w:2"' },
    ])
  })

  it('stays when it is a maintenance, which is told', async () => {
    const { agent, logger, put } = keeping()
    const id = '_service_maintenance:w'
    const maintenance = { [id]: { CheckID: id, ServiceID: 'w', Type: 'maintenance', Notes: 'migration' } }
    agent.answers('agent.service', { body: RECORD })
    agent.answers('agent.checks', { body: { ...CHECKS, ...maintenance } })
    await put('passing')
    await put('passing')
    expect(writes(agent.requests)).toEqual(['register', 'register'])
    expect(logger.entries.filter(({ level }) => level === 'warn')).toEqual([
      {
        level: 'warn',
        fields: { id: 'w', reason: 'migration' },
        message: expect.stringMatching(/in maintenance/) as string,
      },
    ])
  })

  it('is not looked for where the agent does not know the id', async () => {
    const { agent, record, signal, put } = keeping()
    await record.holder(signal)
    await put('passing')
    expect(agent.operations).toEqual(['agent.service', 'agent.service.register'])
  })

  it('is left unknown when the token may not look, and looked for again after what may pass', async () => {
    const { agent, record, put } = keeping()
    agent.answers(
      'agent.checks',
      failure('PROCONSUL_UNAVAILABLE', 'ECONNREFUSED'),
      failure('PROCONSUL_PERMISSION_DENIED'),
    )
    await expect(put('passing')).rejects.toMatchObject({ code: 'PROCONSUL_UNAVAILABLE' })
    expect(record.mayBeThere).toBe(false)
    await put('passing')
    await put('passing')
    expect(agent.operations).toEqual([
      'agent.checks',
      'agent.checks',
      'agent.service.register',
      'agent.service.register',
    ])
  })
})

import { describe, expect, it } from 'vitest'
import { failure } from '../../played-agent.js'
import { CHECKS, keeping, RECORD, statuses, writes } from '../keeping.js'

describe('a check of another kind', () => {
  const STRANGE = { ...CHECKS, h: { ...CHECKS.h, Type: 'tcp', Status: 'critical' } }
  it('is ended before the record is written, and does not pass its status on', async () => {
    const { agent, record, judge, put } = keeping()
    await put('passing')
    judge()
    expect(judge(RECORD, STRANGE)).toEqual({ type: 'drifted', fields: ['check h type'] })
    expect(record.activeStatuses).toEqual(['warning'])
    await put('passing')
    expect(writes(agent.requests)).toEqual(['register', 'check h', 'register'])
    expect(statuses(agent.sent('agent.service.register')[1])).toEqual({ t: 'passing', h: 'warning' })
    await put('passing')
    expect(writes(agent.requests)).toEqual(['register', 'check h', 'register', 'register'])
  })

  it('is tried to be ended again when that failed', async () => {
    const { agent, judge, put } = keeping()
    await put('passing')
    judge(RECORD, STRANGE)
    agent.answers('agent.check.deregister', failure('PROCONSUL_UNAVAILABLE'), {})
    await expect(put('passing')).rejects.toMatchObject({ code: 'PROCONSUL_UNAVAILABLE' })
    await put('passing')
    expect(writes(agent.requests)).toEqual(['register', 'check h', 'check h', 'register'])
  })
})

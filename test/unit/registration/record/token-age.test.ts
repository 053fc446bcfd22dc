import { describe, expect, it } from 'vitest'
import { settle } from '../../../support/fake-clock.js'
import { failure } from '../played-agent.js'
import { as, keeping, resolve, statuses, WEB, writes } from './keeping.js'

describe('a record and the token that it was written under', () => {
  const OLD = { type: 'drifted', fields: [] }

  it('is to be written again once the token has changed, though others have changed nothing', async () => {
    const { token, judge, put } = keeping()
    await put('passing')
    token.changes = 1
    expect(judge()).toEqual(OLD)
    await put('passing')
    expect(judge()).toEqual({ type: 'right' })
  })

  it('is to be written again when the token changed while it was being written', async () => {
    const { agent, record, signal, token, judge, put } = keeping()
    const release = agent.hold('agent.service.register')
    const writing = put('passing')
    await settle()
    token.changes = 1
    release()
    await writing
    expect(judge()).toEqual(OLD)
    await record.replace(resolve(WEB), as('passing', 'passing'), signal)
    expect(judge()).toEqual({ type: 'right' })
  })

  it('goes on being under the old one when the new one is refused, or its answer lost', async () => {
    const { agent, token, judge, put } = keeping()
    await put('passing')
    token.changes = 1
    for (const error of [failure('PROCONSUL_PERMISSION_DENIED'), failure('PROCONSUL_TIMEOUT')]) {
      agent.answers('agent.service.register', error, {})
      await expect(put('passing')).rejects.toBe(error)
      expect(judge()).toEqual(OLD)
    }
  })

  it('is written under the present one before it is removed: the agent tells the servers under that', async () => {
    const { agent, record, signal, token, put } = keeping()
    await put('passing')
    token.changes = 1
    agent.answers('agent.service.register', failure('PROCONSUL_UNAVAILABLE'), {})
    await expect(record.remove(signal)).rejects.toMatchObject({ code: 'PROCONSUL_UNAVAILABLE' })
    await record.remove(signal)
    expect(writes(agent.requests)).toEqual(['register', 'register', 'register', 'deregister'])
    expect(statuses(agent.sent('agent.service.register').at(-1))).toEqual({ t: 'critical', h: 'critical' })
  })

  it('is removed without that where the token is the same', async () => {
    const { agent, record, signal, put } = keeping()
    await put('passing')
    await record.remove(signal)
    expect(writes(agent.requests)).toEqual(['register', 'deregister'])
  })
})

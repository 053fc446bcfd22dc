import { describe, expect, it } from 'vitest'
import { CONTAINED, DEAD, failure, FAR, LIVE, metaOf, OWN } from '../played-agent.js'
import { keeping, WEB, writes } from './keeping.js'

describe('sweeping', () => {
  it('removes dead runs of the same name, address and port, and nothing else', async () => {
    const { agent, logger, record, signal } = keeping({ ...WEB, address: '10.0.0.9' })
    const old = { ID: 'old', Service: 'web', Address: '10.0.0.9', Port: 80, Meta: metaOf(DEAD) }
    const others = [
      old,
      { ...old, ID: 'w' },
      { ...old, ID: 'live', Meta: metaOf(LIVE) },
      { ...old, ID: 'far', Meta: metaOf(FAR) },
      { ...old, ID: 'contained', Meta: metaOf(CONTAINED) },
      { ...old, ID: 'contained-with-our-pid', Meta: metaOf({ ...CONTAINED, pid: OWN.pid }) },
      { ...old, ID: 'other-address', Address: '' },
      { ...old, ID: 'other-port', Port: 81 },
      { ...old, ID: 'of-others', Meta: null },
    ]
    agent.answers('agent.services', { body: Object.fromEntries(others.map((other) => [other.ID, other])) })
    await record.sweep(signal)
    expect(agent.sent('agent.services')).toMatchObject([{ query: { filter: 'Service == "web"' } }])
    expect(agent.sent('agent.service.deregister').map(({ path }) => path)).toEqual(['/agent/service/deregister/old'])
    expect(logger.messages('info')).toHaveLength(1)
    // The agent tells the servers with the token of the registration, and that of a dead run may have ended with it.
    expect(writes(agent.requests)).toEqual(['register', 'deregister'])
    const taken = { ID: 'old', Name: 'web', Address: '10.0.0.9', Port: 80, Meta: metaOf(DEAD) }
    expect(agent.sent('agent.service.register')[0]?.body).toMatchObject(taken)
  })

  it('never rejects', async () => {
    const { agent, logger, record, signal } = keeping()
    agent.answers('agent.services', failure('PROCONSUL_PERMISSION_DENIED'))
    await record.sweep(signal)
    expect(logger.messages('debug')).toHaveLength(1)
  })
})

import { describe, expect, it } from 'vitest'
import { failure, playedParts } from '../../played-agent.js'

const self = (node: string) => ({ body: { Config: { NodeName: node } } })

function asking() {
  const { played: agent, agents, logger } = playedParts()
  const told = (): readonly unknown[] =>
    logger.entries.filter(({ fields }) => fields['event'] === 'agent-changed').map(({ fields }) => fields)
  return { agent, agents, logger, told }
}

describe('the agents that answer at one address', () => {
  it('are one while the same node answers, and until anything was heard', async () => {
    const { agents, told } = asking()
    expect(agents.splitSince(0)).toBeUndefined()
    for (const node of ['a', 'a', '', 'a']) agents.saw(node)
    await agents.askAfterLoss()
    expect(told()).toEqual([{ event: 'agent-changed', node: 'node', before: 'a' }])
  })

  it('are told of once each, however often they take turns', () => {
    const { agents, told } = asking()
    for (const node of ['a', 'b', 'a', 'b', 'a', 'c', 'b']) agents.saw(node)
    expect(told()).toMatchObject([
      { node: 'b', before: 'a' },
      { node: 'c', before: 'a' },
    ])
  })

  it('matter to what was said since the other one answered last: an agent that was replaced is no quarrel', () => {
    const { agents } = asking()
    agents.saw('old')
    const before = agents.moment
    agents.saw('new')
    expect(agents.splitSince(0)).toMatchObject({ code: 'PROCONSUL_CONFLICT', message: /nodes old, new/ })
    expect(agents.splitSince(before)).toBeUndefined()
    agents.saw('old')
    expect(agents.splitSince(before)).toMatchObject({ code: 'PROCONSUL_CONFLICT' })
  })

  it('are asked in passing, twice at once, and again for a later record only where there were several', async () => {
    const { agent, agents } = asking()
    await agents.askIfSeveral()
    expect(agent.requests).toEqual([])
    agent.answers('agent.self', self('a'), self('b'))
    await agents.askAfterLoss()
    await agents.askIfSeveral()
    expect([agent.sent('agent.self').length, agents.splitSince(0) !== undefined]).toEqual([4, true])
  })

  it('are not known where the token may not ask, and nobody is troubled by that', async () => {
    const { agent, agents, logger, told } = asking()
    agent.answers('agent.self', failure('PROCONSUL_PERMISSION_DENIED'))
    await agents.askAfterLoss()
    expect([agents.splitSince(0), told(), logger.messages('debug').length]).toEqual([undefined, [], 1])
  })

  it('are several, too, where a heartbeat finds unknown again what a read finds', () => {
    const { agents, told } = asking()
    agents.contradicted(1)
    expect(agents.splitSince(0)).toBeUndefined()
    agents.contradicted(2)
    agents.contradicted(3)
    expect([agents.splitSince(0)?.code, told().length]).toEqual(['PROCONSUL_CONFLICT', 1])
  })
})

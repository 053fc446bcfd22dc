import { afterEach, describe, expect, it } from 'vitest'
import { Proconsul, type Registration } from '../../src/index.js'
import { startConsul, type ConsulAgent } from '../support/consul-agent.js'
import { eventually } from '../support/eventually.js'

const opened: AsyncDisposable[] = []
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one[Symbol.asyncDispose]()
})

async function rivals() {
  const agent = await startConsul()
  const clients = [new Proconsul({ address: agent.url }), new Proconsul({ address: agent.url })] as const
  opened.push(agent, ...clients)
  return { agent, clients }
}

function heard(registration: Registration): string[] {
  const events: string[] = []
  for (const name of ['lost', 'restored', 'repaired', 'conflict'] as const) {
    registration.on(name, () => void events.push(name))
  }
  return events
}

const tagsOf = async (agent: ConsulAgent, id: string): Promise<readonly string[]> =>
  (await agent.read<{ Tags: string[] }>(`/v1/agent/service/${id}`)).Tags

describe('two clients of one process with the same service id', () => {
  it('do not fight: the newer one keeps it, the older one is told, and its deregister takes nothing away', async () => {
    const { agent, clients } = await rivals()
    const definition = { name: 'twin', id: 'twin-1', check: { ttl: '2s' } } as const
    const older = await clients[0].registerService({ ...definition, tags: ['older'] })
    const events = { older: heard(older), newer: new Array<string>() }
    const newer = await clients[1].registerService({ ...definition, tags: ['newer'] })
    events.newer = heard(newer)
    await eventually(() => expect(older.state).toBe('lost'), { within: 8_000 })
    let beats = 0
    newer.on('heartbeat', () => (beats += 1))
    await older.deregister()
    await eventually(() => expect(beats).toBeGreaterThan(2), { within: 5_000 })
    expect(events).toEqual({ older: ['conflict', 'lost'], newer: [] })
    expect(newer.state).toBe('registered')
    expect(await tagsOf(agent, 'twin-1')).toEqual(['newer'])
  })

  it('have no quarrel when the older one leaves before it has noticed', async () => {
    const { agent, clients } = await rivals()
    const older = await clients[0].registerService({ name: 'twin', id: 'twin-1', tags: ['older'] })
    await clients[1].registerService({ name: 'twin', id: 'twin-1', tags: ['newer'] })
    await older.deregister()
    expect(await tagsOf(agent, 'twin-1')).toEqual(['newer'])
  })

  it('may share name, address and port under ids of their own', async () => {
    const { agent, clients } = await rivals()
    await clients[0].registerService({ name: 'twin', id: 'twin-1', port: 80 })
    await clients[1].registerService({ name: 'twin', id: 'twin-2', port: 80 })
    expect(Object.keys(await agent.read<object>('/v1/agent/services'))).toEqual(['twin-1', 'twin-2'])
  })
})

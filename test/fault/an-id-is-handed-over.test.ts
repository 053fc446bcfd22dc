import { describe, expect, it } from 'vitest'
import type { Registration } from '../../src/index.js'
import { eventually } from '../support/eventually.js'
import { client, consulAgent } from '../support/opened.js'

describe('several workers with one id', () => {
  it('have somebody in discovery soon after the one that held it has left, and one of them in the end', async () => {
    const agent = await consulAgent()
    const definition = { name: 'cluster', id: 'cluster-1', port: 80, check: { ttl: '15s' } } as const
    const workers = [client(agent.url), client(agent.url), client(agent.url)]
    const registrations: Registration[] = []
    for (const worker of workers) registrations.push(await worker.registerService(definition))
    const states = (): readonly string[] => registrations.map(({ state }) => state)
    await eventually(() => expect(states()).toEqual(['lost', 'lost', 'registered']), { within: 15_000 })
    for (const holder of [2, 1, 0]) {
      // Whoever holds it now, the others wait.
      const index = states().indexOf('registered')
      const leftAt = performance.now()
      await registrations[index]?.deregister()
      if (holder === 0) break
      await eventually(
        async () => expect(await agent.read<unknown[]>('/v1/health/service/cluster?passing')).toHaveLength(1),
        { within: 5_000 },
      )
      // A comparison of records, which would notice it otherwise, comes every five seconds.
      expect(performance.now() - leftAt).toBeLessThan(3_000)
      // Two may have come at the same moment; the next comparison settles it.
      await eventually(() => expect(states().filter((state) => state === 'registered')).toHaveLength(1), {
        within: 15_000,
      })
    }
    expect(await agent.read<object>('/v1/agent/services')).toEqual({})
  })
})

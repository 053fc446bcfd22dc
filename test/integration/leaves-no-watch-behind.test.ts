import { describe, expect, it } from 'vitest'
import { agentConnections } from '../support/agent-connections.js'
import { collectGarbage } from '../support/collect-garbage.js'
import { startConsul, type ConsulAgent } from '../support/consul-agent.js'
import { eventually } from '../support/eventually.js'
import { expectNoLeaks } from '../support/leak-check.js'
import { discoveryClient, type DiscoveryClient } from './discovery-client.js'

// By itself in this file: the connections of other tests' clients would be found as well.
it('leaves no timer, socket or listener behind when the client is closed, also in the middle of an outage', async () => {
  await using agent = await startConsul()
  await expectNoLeaks(async () => {
    await using own = discoveryClient({ address: agent.url })
    await using gone = discoveryClient({ address: 'http://127.0.0.1:1' })
    const watcher = own.discovery.watchService('consul')
    await watcher.ready()
    expect(watcher.instances).toHaveLength(1)
    const failing = gone.discovery.watchService('tidy')
    await new Promise((resolve) => failing.once('error', resolve))
    await own.discovery.watchService('consul', { health: 'any' }).close()
  })
})

const PLACES = { maxBlockingQueries: 64, maxConnections: 16 }
/** What two processes may take each, of the 200 connections that an agent gives one address. */
const SHARE_OF_AGENT = 100

interface Churn {
  readonly name: string
  readonly queries: number
  /** Whether to close those of a tenth of the queries before they have an answer. */
  readonly isHasty: boolean
  readonly onQuery?: () => void
}

/** Opens and closes watches, four on each query. */
async function churn({ discovery }: DiscoveryClient, { name, queries, isHasty, onQuery }: Churn): Promise<void> {
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < queries) {
      const number = next++
      const filter = `Service.ID != "${name}-${number}"`
      const watchers = Array.from({ length: 4 }, () => discovery.watchService('consul', { filter }))
      if (!isHasty || number % 10 > 0) await Promise.all(watchers.map(async (watcher) => await watcher.ready()))
      onQuery?.()
      await Promise.all(watchers.map(async (watcher) => await watcher.close()))
    }
  }
  await Promise.all(Array.from({ length: 20 }, worker))
}

async function register(agent: ConsulAgent, id: string): Promise<void> {
  const body = { Name: 'web', ID: id, Port: 80 }
  expect((await agent.request('PUT', '/v1/agent/service/register', { body })).status).toBe(200)
}

/** What a client holds that has nothing to do, once that is so. */
async function atRest({ engine }: DiscoveryClient, port: number): Promise<{ established: number; heapMb: number }> {
  const look = () => {
    expect(engine.debug().watches).toEqual([])
    // No connection keeps this process running.
    expect(process.getActiveResourcesInfo()).not.toContain('TCPSocketWrap')
    // The agent has let go of every connection that is gone.
    const { established, held } = agentConnections(port)
    expect(held).toBeLessThanOrEqual(established)
    collectGarbage()
    return { established, heapMb: process.memoryUsage().heapUsed / 1_048_576 }
  }
  return await eventually(look, { within: 10_000 })
}

// The table of connections is that of Linux.
describe.skipIf(process.platform !== 'linux')('ten thousand watches that come and go', () => {
  it(
    'leave memory, sockets and loops where they were, and never use more than their places',
    { timeout: 120_000 },
    async () => {
      await using agent = await startConsul()
      await using client = discoveryClient({ address: agent.url, ...PLACES })
      await churn(client, { name: 'warm-up', queries: 250, isHasty: false })
      const before = await atRest(client, agent.port)
      const most = { established: 0, held: 0 }
      let queries = 0
      const onQuery = (): void => {
        if (++queries % 25 !== 0) return
        const { established, held } = agentConnections(agent.port)
        most.established = Math.max(most.established, established)
        most.held = Math.max(most.held, held)
      }
      await churn(client, { name: 'real', queries: 2_500, isHasty: true, onQuery })
      expect(most.established).toBeGreaterThan(0)
      expect(most.established).toBeLessThanOrEqual(PLACES.maxBlockingQueries + PLACES.maxConnections)
      expect(most.held).toBeLessThanOrEqual(SHARE_OF_AGENT)
      const after = await atRest(client, agent.port)
      expect(after.established).toBeLessThanOrEqual(before.established)
      expect(after.heapMb - before.heapMb).toBeLessThan(4)
      // A new one is served as ever.
      await register(agent, 'a')
      await using watcher = client.discovery.watchService('web')
      expect((await watcher.ready()).instances).toHaveLength(1)
      await register(agent, 'b')
      await eventually(() => expect(watcher.instances).toHaveLength(2), { within: 3_000 })
    },
  )
})

import { describe, expect, it } from 'vitest'
import type { FailoverOptions } from '../../src/discovery/service-query.js'
import { discoveryClient } from '../integration/discovery-client.js'
import { startConsul, type ConsulAgent } from '../support/consul-agent.js'
import { startConsulCluster } from '../support/consul-cluster.js'
import { eventually } from '../support/eventually.js'
import { kept } from '../support/opened.js'

/** A service in two datacenters, the first of which has two servers: without one of them it has no leader. */

async function register(agent: ConsulAgent, id: string): Promise<void> {
  const body = { Name: 'web', ID: id, Port: 80, Check: { TTL: '600s', Status: 'passing' } }
  expect((await agent.request('PUT', '/v1/agent/service/register', { body })).status).toBe(200)
}

async function watchFromOne(failover: Omit<FailoverOptions, 'datacenters'>) {
  const [one, two] = await Promise.all([
    startConsulCluster({ servers: 2, client: false, hcl: 'datacenter = "one"' }).then(kept),
    startConsul({ hcl: 'datacenter = "two"' }).then(kept),
  ])
  const [agent] = await one.followers()
  if (agent === undefined) throw new Error('there is no follower')
  const { DebugConfig } = await two.read<{ DebugConfig: { SerfPortWAN: number } }>('/v1/agent/self')
  const joined = await agent.request('PUT', `/v1/agent/join/127.0.0.1:${DebugConfig.SerfPortWAN}?wan=1`)
  expect(joined.status).toBe(200)
  await register(agent, 'near')
  await register(two, 'far')
  const readable = async (): Promise<void> => {
    expect(await agent.read('/v1/health/service/web?dc=two')).toHaveLength(1)
    expect(await agent.read('/v1/health/service/web?passing')).toHaveLength(1)
  }
  await eventually(readable, { within: 15_000 })
  const { discovery } = kept(discoveryClient({ address: agent.url }))
  const watcher = discovery.watchService('web', { failover: { datacenters: ['two'], ...failover } })
  const served = (): string[] => watcher.instances.map(({ id }) => id)
  expect((await watcher.ready()).instances).toMatchObject([{ id: 'near' }])
  const changes: string[] = []
  watcher.on('change', () => changes.push(...served()))
  return { one, watcher, served, changes }
}

describe('a watched service with a fallback on another datacenter', () => {
  it('is served by its own datacenter all through an election', async () => {
    const { one, watcher, changes } = await watchFromOne({})
    const leader = await one.killLeader()
    await eventually(() => expect(watcher.snapshot.stale).toBe(true))
    expect(watcher.failure).toBeDefined()
    await leader.start()
    await eventually(() => expect(watcher.snapshot.stale).toBe(false), { within: 20_000 })
    expect(changes).toEqual([])
  })

  it('is served by the other one when its own has no leader for long, and by its own again later', async () => {
    const { one, watcher, served } = await watchFromOne({ unreadableAfter: '1s', backAfter: '500ms' })
    const leader = await one.killLeader()
    const lostAt = performance.now()
    await eventually(() => expect(served()).toEqual(['far']), { within: 15_000 })
    expect(performance.now() - lostAt).toBeGreaterThan(950)
    expect(watcher.snapshot.stale).toBe(false)
    await leader.start()
    await eventually(() => expect(served()).toEqual(['near']), { within: 30_000 })
  })
})

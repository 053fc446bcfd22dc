import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { discoveryClient } from '../integration/discovery-client.js'
import { startConsul } from '../support/consul-agent.js'
import { eventually } from '../support/eventually.js'
import { kept } from '../support/opened.js'
import { ids, record, register } from './watched-service.js'

describe('a watched service', () => {
  it('keeps its list while the agent is down, and is exact again after it came back without its state', async () => {
    const agent = kept(await startConsul())
    for (const id of ['a', 'b', 'c']) await register(agent, id)
    const { discovery } = kept(discoveryClient({ address: agent.url }))
    const watcher = discovery.watchService('web')
    const told = record(watcher)
    const { revision } = await watcher.ready()
    await agent.kill()
    await eventually(() => expect(watcher.snapshot.stale).toBe(true))
    expect(ids(watcher.instances)).toEqual(['a', 'b', 'c'])
    await agent.start()
    await register(agent, 'c')
    await register(agent, 'd')
    await eventually(() => expect(ids(watcher.instances)).toEqual(['c', 'd']), { within: 15_000 })
    expect(watcher.snapshot).toMatchObject({ stale: false })
    expect(Number(watcher.snapshot.revision)).toBeLessThan(Number(revision) + 10)
    expect(told.filter((line) => ['stale', 'recovered'].includes(line))).toEqual(['stale', 'recovered'])
    await register(agent, 'e')
    await eventually(() => expect(ids(watcher.instances)).toEqual(['c', 'd', 'e']), { within: 2_000 })
  })

  it('holds back the loss of most instances by a registry that lost its state, until services came back', async () => {
    const agent = kept(await startConsul())
    const names = ['a', 'b', 'c', 'd', 'e']
    // An agent that has lived for a while: the index after the loss is below the one before.
    for (let write = 0; write < 50; write++) await agent.request('PUT', '/v1/kv/life', { body: String(write) })
    for (const id of names) await register(agent, id)
    const { discovery } = kept(discoveryClient({ address: agent.url }))
    const watcher = discovery.watchService('web')
    await watcher.ready()
    const lengths: number[] = []
    watcher.on('change', ({ snapshot }) => lengths.push(snapshot.instances.length))
    await agent.restart()
    await eventually(() => expect(watcher.failure).toBeUndefined(), { within: 15_000 })
    for (const id of names.slice(0, 4)) await register(agent, id)
    await eventually(() => expect(ids(watcher.instances)).toEqual(['a', 'b', 'c', 'd']), { within: 15_000 })
    expect(watcher.snapshot.stale).toBe(false)
    expect(Math.min(...lengths)).toBeGreaterThanOrEqual(3)
  })

  it('holds the instances of a registry that lost its state also when others came back first, so that no index shows it', async () => {
    const agent = kept(await startConsul())
    const names = ['a', 'b', 'c', 'd', 'e']
    for (const id of names) await register(agent, id)
    const { discovery } = kept(discoveryClient({ address: agent.url }))
    const watcher = discovery.watchService('web')
    const told = record(watcher)
    const { revision } = await watcher.ready()
    await agent.kill()
    await eventually(() => expect(watcher.failure).toBeDefined())
    await agent.start()
    for (let other = 0; other < 40; other++) {
      await agent.request('PUT', '/v1/agent/service/register', { body: { Name: `other-${other}` } })
    }
    const plain = await agent.request('GET', '/v1/health/service/web')
    expect(Number(plain.headers['x-consul-index'])).toBeGreaterThan(Number(revision))
    await eventually(() => expect(watcher.failure).toBeUndefined(), { within: 15_000 })
    expect(watcher.snapshot).toMatchObject({ stale: true, revision })
    for (const id of names.slice(1)) await register(agent, id)
    await eventually(() => expect(told).toContain('-a'), { within: 15_000 })
    expect(told.filter((line) => /^[+-]/.test(line))).toEqual([...names.map((id) => `+${id}`), '-a'])
  })

  it('never takes an empty registry for the truth while the agent is down', async () => {
    const agent = kept(await startConsul())
    const names = ['a', 'b', 'c', 'd', 'e']
    for (const id of names) await register(agent, id)
    const { discovery } = kept(discoveryClient({ address: agent.url }))
    const watcher = discovery.watchService('web', { lossGuard: { hold: '1s' } })
    const { receivedAt } = await watcher.ready()
    const told = record(watcher)
    await agent.restart()
    await eventually(() => expect(told.includes('stale') && watcher.failure === undefined).toBe(true), {
      within: 15_000,
    })
    await agent.kill()
    await eventually(() => expect(watcher.failure).toBeDefined())
    const endAt = performance.now() + 2_500
    await eventually(() => expect(performance.now()).toBeGreaterThan(endAt))
    expect(ids(watcher.instances)).toEqual(names)
    expect(watcher.snapshot).toMatchObject({ stale: true, receivedAt })
    expect(watcher.failure).toBeDefined()
    await agent.start()
    await eventually(() => expect(watcher.snapshot).toMatchObject({ instances: [], stale: false }), { within: 15_000 })
  })

  it('keeps a list from its file for a while when the registry that answers first is empty', async () => {
    const agent = kept(await startConsul())
    const names = ['a', 'b', 'c', 'd', 'e']
    for (const id of names) await register(agent, id)
    const folder = await mkdtemp(join(tmpdir(), 'proconsul-watch-'))
    kept({ [Symbol.asyncDispose]: async () => await rm(folder, { recursive: true }) })
    const cacheFile = join(folder, 'web.cache')
    const { discovery } = kept(discoveryClient({ address: agent.url }))
    const before = discovery.watchService('web', { cacheFile })
    await before.ready()
    await before.close()
    await agent.kill()
    const restarted = kept(discoveryClient({ address: agent.url }))
    const watcher = restarted.discovery.watchService('web', { cacheFile })
    expect(ids((await watcher.ready()).instances)).toEqual(names)
    const told = record(watcher)
    await agent.start()
    await eventually(() => expect(watcher.failure).toBeUndefined(), { within: 15_000 })
    expect(ids(watcher.instances)).toEqual(names)
    for (const id of names) await register(agent, id)
    await eventually(() => expect(watcher.snapshot.stale).toBe(false), { within: 15_000 })
    expect(told.filter((line) => /^[+-]/.test(line))).toEqual([])
  })

  it('takes no empty list at once from a registry that was wiped before the start, nor forgets what its file held', async () => {
    const agent = kept(await startConsul())
    const names = ['a', 'b']
    for (const id of names) await register(agent, id)
    const folder = await mkdtemp(join(tmpdir(), 'proconsul-watch-'))
    kept({ [Symbol.asyncDispose]: async () => await rm(folder, { recursive: true }) })
    const cacheFile = join(folder, 'web.cache')
    const failover = { datacenters: ['dc1'] }
    for (const query of [{ cacheFile }, { cacheFile: `${cacheFile}.2`, failover }]) {
      const first = kept(discoveryClient({ address: agent.url })).discovery.watchService('web', query)
      await first.ready()
      await first.close()
    }
    await agent.restart()
    for (const query of [{ cacheFile }, { cacheFile: `${cacheFile}.2`, failover }]) {
      for (let start = 0; start < 2; start++) {
        const watcher = kept(discoveryClient({ address: agent.url })).discovery.watchService('web', query)
        const told = record(watcher)
        const snapshot = await watcher.ready()
        expect(ids(snapshot.instances)).toEqual(names)
        expect(snapshot.stale).toBe(true)
        expect(told).not.toContain('-a')
        await watcher.close()
      }
    }
    const watcher = kept(discoveryClient({ address: agent.url })).discovery.watchService('web', { cacheFile })
    const lengths: number[] = []
    watcher.on('change', ({ snapshot }) => void lengths.push(snapshot.instances.length))
    await watcher.ready()
    for (const id of names) await register(agent, id)
    await eventually(() => expect(watcher.snapshot.stale).toBe(false), { within: 15_000 })
    await eventually(() => expect(ids(watcher.instances)).toEqual(names))
    expect(Math.min(...lengths)).toBeGreaterThanOrEqual(1)
  })

  it('believes a loss of most instances that Consul confirms, at once', async () => {
    const agent = kept(await startConsul())
    const names = ['a', 'b', 'c', 'd', 'e', 'f']
    for (const id of names) await register(agent, id)
    const { discovery } = kept(discoveryClient({ address: agent.url }))
    const watcher = discovery.watchService('web', { lossGuard: { hold: '60s' } })
    await watcher.ready()
    await Promise.all(names.slice(1).map((id) => agent.request('PUT', `/v1/agent/service/deregister/${id}`)))
    await eventually(() => expect(ids(watcher.instances)).toEqual(['a']), { within: 3_000 })
  })
})

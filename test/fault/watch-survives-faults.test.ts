import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { ServiceInstance } from '../../src/instances/service-instance.js'
import type { ServiceWatcher } from '../../src/instances/service-watcher.js'
import { Proconsul } from '../../src/proconsul.js'
import { discoveryClient } from '../integration/discovery-client.js'
import { configClient } from '../support/config-client.js'
import { ConsulAgent, startConsul } from '../support/consul-agent.js'
import { startConsulCluster } from '../support/consul-cluster.js'
import { eventually } from '../support/eventually.js'
import { kept } from '../support/opened.js'
import { FaultProxy } from '../support/fault-proxy.js'
import { recordingLogger } from '../support/recording-logger.js'
import { answers, scriptedAgent } from '../support/scripted-agent.js'

async function register(agent: ConsulAgent, id: string): Promise<void> {
  const body = { Name: 'web', ID: id, Port: 80, Check: { TTL: '600s', Status: 'passing' } }
  const answer = await agent.request('PUT', '/v1/agent/service/register', { body })
  expect(answer.status).toBe(200)
}

const ids = (instances: readonly ServiceInstance[]): string[] => instances.map((instance) => instance.id).sort()

/** What a watcher told, in words, in order. */
function record(watcher: ServiceWatcher): string[] {
  const told: string[] = []
  watcher.on('change', ({ added, removed }) => {
    told.push(...added.map(({ id }) => `+${id}`), ...removed.map(({ id }) => `-${id}`))
  })
  watcher.on('stale', () => told.push('stale'))
  watcher.on('recovered', () => told.push('recovered'))
  watcher.on('error', ({ code }) => told.push(code))
  return told
}

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

  it('keeps its list when its token loses the right to see it, and says so', async () => {
    const agent = kept(await startConsul({ acl: true }))
    await register(agent, 'a')
    const rules = 'service_prefix "" { policy = "read" } node_prefix "" { policy = "read" }'
    const token = await agent.acl.createToken(rules)
    const blind = await agent.acl.createToken('key_prefix "" { policy = "read" }')
    let secret = token.secret
    const consul = kept(new Proconsul({ address: agent.url, token: () => secret, watch: { wait: '1s' } }))
    const watcher = consul.watchService('web')
    const told = record(watcher)
    await watcher.ready()
    secret = blind.secret
    await eventually(() => expect(told).toContain('PROCONSUL_PERMISSION_DENIED'), { within: 15_000 })
    expect(ids(watcher.instances)).toEqual(['a'])
    expect(watcher.snapshot.stale).toBe(true)
    secret = token.secret
    await eventually(() => expect(watcher.snapshot.stale).toBe(false), { within: 15_000 })
    expect(told).toEqual(['+a', 'PROCONSUL_PERMISSION_DENIED', 'stale', 'recovered'])
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

  it('notices a connection that is half open, and is exact when the network heals', async () => {
    const agent = kept(await startConsul())
    await register(agent, 'a')
    const proxy = kept(await FaultProxy.start(agent))
    const { discovery } = kept(discoveryClient({ address: proxy.url, timeout: '1s' }, { wait: '1s' }))
    const watcher = discovery.watchService('web')
    const told = record(watcher)
    await watcher.ready()
    proxy.blackHole()
    await register(agent, 'b')
    await eventually(() => expect(told).toContain('stale'))
    expect(told).toContain('PROCONSUL_TIMEOUT')
    proxy.blackHole(false)
    proxy.cut()
    await eventually(() => expect(ids(watcher.instances)).toEqual(['a', 'b']), { within: 15_000 })
    expect(watcher.snapshot.stale).toBe(false)
  })

  it('takes an answer that is cut in the middle for a failure and never for a state', async () => {
    const agent = kept(await startConsul())
    await register(agent, 'a')
    const proxy = kept(await FaultProxy.start(agent))
    const { discovery } = kept(discoveryClient({ address: proxy.url }))
    const watcher = discovery.watchService('web')
    const told = record(watcher)
    await watcher.ready()
    proxy.cutInBody(20)
    await register(agent, 'b')
    await eventually(() => expect(told).toContain('stale'))
    expect(ids(watcher.instances)).toEqual(['a'])
    proxy.cutInBody(undefined)
    await eventually(() => expect(ids(watcher.instances)).toEqual(['a', 'b']), { within: 15_000 })
    expect(told.filter((line) => /^[+-]/.test(line))).toEqual(['+a', '+b'])
  })

  it('gets through a frozen agent', async () => {
    const agent = kept(await startConsul())
    await register(agent, 'a')
    const { discovery } = kept(discoveryClient({ address: agent.url, timeout: '1s' }, { wait: '1s' }))
    const watcher = discovery.watchService('web')
    await watcher.ready()
    await agent.pause()
    await eventually(() => expect(watcher.snapshot.stale).toBe(true))
    expect(ids(watcher.instances)).toEqual(['a'])
    await agent.resume()
    await register(agent, 'b')
    await eventually(() => expect(ids(watcher.instances)).toEqual(['a', 'b']), { within: 15_000 })
  })

  it('is exact again after the leader was lost', async () => {
    const cluster = kept(await startConsulCluster())
    const [agent] = await cluster.followers()
    if (agent === undefined) throw new Error('there is no follower')
    await register(agent, 'a')
    const { discovery } = kept(discoveryClient({ address: agent.url }))
    const watcher = discovery.watchService('web')
    await eventually(async () => expect(ids((await watcher.ready()).instances)).toEqual(['a']))
    await cluster.killLeader()
    await eventually(() => register(agent, 'b'), { within: 20_000 })
    await eventually(() => expect(ids(watcher.instances)).toEqual(['a', 'b']), { within: 20_000 })
    expect(watcher.snapshot.stale).toBe(false)
  })

  it('says that there is no leader, which the agent takes long to find out', async () => {
    const lone = kept(await ConsulAgent.prepare({ flags: ['-server', '-bootstrap-expect=3'] }, 'member'))
    await lone.launch(true)
    await eventually(async () => expect((await lone.request('GET', '/v1/kv/a', { within: 20_000 })).status).toBe(500))
    const { discovery } = kept(discoveryClient({ address: lone.url }))
    const watcher = discovery.watchService('web')
    await eventually(() => expect(watcher.snapshot.emptyReason).toBe('no-leader'), { within: 30_000 })
    expect(watcher.failure).toMatchObject({ code: 'PROCONSUL_NO_LEADER' })
  })

  it('keeps its list when answers are garbage, too large or forbidden, and recovers by itself', async () => {
    const good = answers(200, JSON.stringify([{ Node: { Node: 'n' }, Service: { ID: 'a', Service: 'web' } }]), {
      'x-consul-index': '5',
    })
    const bad = [
      answers(200, '<html>not JSON</html>', { 'x-consul-index': '6' }),
      answers(200, '{"no":"list"}', { 'x-consul-index': '6' }),
      answers(200, '[null, 7]', { 'x-consul-index': '6' }),
      answers(200, Buffer.alloc(50_000_000, ' '), { 'x-consul-index': '6' }),
      answers(403, 'Permission denied', { 'x-consul-index': '1' }),
      answers(500, 'No cluster leader', { 'x-consul-index': '1', 'x-consul-knownleader': 'false' }),
      answers(429, '', { 'x-consul-index': '1' }),
      answers(503, 'rate limit exceeded for operation that can only be performed by the leader'),
    ]
    for (const answer of bad) {
      await using agent = await scriptedAgent(good, answer, answer, good)
      await using client = discoveryClient({ address: agent.url, maxResponseBytes: 1_000_000 })
      const watcher = client.discovery.watchService('web')
      const told = record(watcher)
      await watcher.ready()
      await eventually(() => expect(told).toContain('recovered'), { within: 10_000 })
      expect(told.filter((line) => /^[+-]/.test(line))).toEqual(['+a'])
      await watcher.close()
    }
  })

  it('keeps its list while the answer is larger than the limit, and is exact again when it has become small', async () => {
    const agent = kept(await startConsul())
    await register(agent, 'a')
    const { discovery } = kept(discoveryClient({ address: agent.url, maxResponseBytes: 500_000 }))
    const watcher = discovery.watchService('web')
    const told = record(watcher)
    await watcher.ready()
    // Twenty of some 40 kB each.
    const fat = Array.from({ length: 20 }, (_, index) => `fat-${index}`)
    const pairs = Array.from({ length: 60 }, (_, index) => [`key-${index}`, 'x'.repeat(500)] as const)
    for (const ID of fat) {
      const body = { Name: 'web', ID, Port: 80, Meta: Object.fromEntries(pairs) }
      expect((await agent.request('PUT', '/v1/agent/service/register', { body })).status).toBe(200)
    }
    await eventually(() => expect(told).toContain('stale'))
    expect(watcher.failure?.code).toBe('PROCONSUL_RESPONSE_TOO_LARGE')
    expect(ids(watcher.instances)).toContain('a')
    expect(watcher.instances.length).toBeLessThan(21)
    await Promise.all(fat.map((id) => agent.request('PUT', `/v1/agent/service/deregister/${id}`)))
    await eventually(() => expect(ids(watcher.instances)).toEqual(['a']), { within: 15_000 })
    expect(watcher.snapshot.stale).toBe(false)
    expect(told.filter((line) => /^(?:stale|recovered|PROCONSUL_)/.test(line)).slice(0, 3)).toEqual([
      'PROCONSUL_RESPONSE_TOO_LARGE',
      'stale',
      'recovered',
    ])
    await register(agent, 'b')
    await eventually(() => expect(ids(watcher.instances)).toEqual(['a', 'b']), { within: 3_000 })
  })

  it('asks an agent that answers nothing but errors at a calm rate, however many queries there are', async () => {
    await using agent = await scriptedAgent(answers(500, 'No cluster leader'))
    await using client = discoveryClient({ address: agent.url })
    const failing: Promise<unknown>[] = []
    for (let query = 0; query < 100; query++) {
      const watcher = client.discovery.watchService(`s${query}`)
      failing.push(new Promise((resolve) => watcher.once('error', resolve)))
    }
    await failing[0]
    const before = agent.requests.length
    const endAt = performance.now() + 3_000
    await eventually(() => expect(performance.now()).toBeGreaterThan(endAt))
    // One query tries for all, after 0.25, 0.5, 1 and 2 seconds.
    expect(agent.requests.length - before).toBeLessThan(20)
  })

  it.each([
    [500, 'No cluster leader'],
    [500, 'it broke'],
    [429, 'rate limit exceeded'],
    [503, ''],
  ])('asks an agent that answers %d "%s" once per try, whatever it reads', async (status, body) => {
    await using agent = await scriptedAgent(answers(status, body))
    await using client = new Proconsul({ address: agent.url, logger: recordingLogger() })
    client.watchService('web')
    client.watchNodes()
    client.watchPreparedQuery('near')
    client.kv.watch('key')
    client.kv.watchTree('tree/')
    const config = client.config({ layers: ['config/a', 'config/b'] }).catch((error: unknown) => error)
    const reads = (): number => client.debug().watches.reduce((sum, { reads }) => sum + reads, 0)
    await eventually(() => expect(reads()).toBeGreaterThanOrEqual(9), { within: 15_000 })
    expect(agent.requests.length).toBeLessThanOrEqual(reads())
    await client.close()
    expect(await config).toMatchObject({ code: 'PROCONSUL_CLOSED' })
  })

  it('reads again at once, and tells nobody, when a kept connection turns out to be dead', async () => {
    const list = answers(200, '[]', { 'x-consul-index': '5' })
    await using agent = await scriptedAgent(answers(200, '"leader"'), (request) => void request.socket.destroy(), list)
    await using client = discoveryClient({ address: agent.url })
    await client.http.request({ operation: 'status.leader', method: 'GET', path: '/status/leader', idempotent: true })
    const watcher = client.discovery.watchNodes()
    const told: string[] = []
    watcher.on('error', ({ code }) => told.push(code))
    await watcher.ready()
    expect(told).toEqual([])
    expect(agent.requests[1]?.socket).toBe(agent.requests[0]?.socket)
  })
})

describe('a watched tree of keys', () => {
  it('refuses an answer of fifty megabytes before it has arrived, and shows the tree once that is small', async () => {
    const agent = kept(await startConsul())
    const proxy = kept(await FaultProxy.start(agent))
    const body = randomBytes(250_000).toString('hex')
    for (let batch = 0; batch < 10; batch++) {
      const keys = Array.from({ length: 10 }, (_, index) => `tree/large/${batch}-${index}`)
      const answered = await Promise.all(keys.map((key) => agent.request('PUT', `/v1/kv/${key}`, { body })))
      expect(answered.map(({ status }) => status)).toEqual(keys.map(() => 200))
    }
    await agent.request('PUT', '/v1/kv/tree/small', { body: '1' })
    // Time enough for one read on a busy machine: a second one would be counted as well.
    const { kv } = kept(configClient({ address: proxy.url, timeout: '60s' }))
    const watcher = kv.watchTree('tree/')
    const told: string[] = []
    for (const event of ['change', 'stale', 'recovered'] as const) watcher.on(event, () => void told.push(event))
    watcher.on('error', ({ code }) => void told.push(code))
    await expect(watcher.ready()).rejects.toMatchObject({ code: 'PROCONSUL_RESPONSE_TOO_LARGE' })
    expect(proxy.counters.bytesToClient).toBeLessThan(50_000_000)
    expect(watcher.value).toEqual([])
    expect(watcher.receivedAt).toBeUndefined()
    expect((await agent.request('DELETE', '/v1/kv/tree/large/?recurse')).status).toBe(200)
    const values = (): unknown => watcher.value.map(({ key, value }) => [key, value])
    await eventually(() => expect(values()).toEqual([['tree/small', '1']]), { within: 15_000 })
    // There was no value yet that could have become out of date.
    expect(told).toEqual(['PROCONSUL_RESPONSE_TOO_LARGE', 'change'])
    await agent.request('PUT', '/v1/kv/tree/small', { body: '2' })
    await eventually(() => expect(values()).toEqual([['tree/small', '2']]), { within: 3_000 })
  }, 90_000)
})

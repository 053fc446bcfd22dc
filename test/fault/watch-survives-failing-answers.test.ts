import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
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
import { ids, record, register } from './watched-service.js'

describe('a watched service', () => {
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

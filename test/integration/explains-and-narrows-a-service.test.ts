import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { filter, type FilterExpression } from '../../src/discovery/filter.js'
import type { ServiceInstance } from '../../src/instances/service-instance.js'
import { startConsul, type ConsulAgent } from '../support/consul-agent.js'
import { eventually } from '../support/eventually.js'
import { afterTest, kept } from '../support/opened.js'
import { answers, scriptedAgent } from '../support/scripted-agent.js'
import { anyFilter, unlessRefused, type PlayedInstance } from '../unit/discovery/any-filter.js'
import { discoveryClient } from './discovery-client.js'

async function register(agent: ConsulAgent, id: string, facts: object = {}): Promise<void> {
  const body = { Name: 'web', ID: id, Port: 80, Check: { TTL: '600s', Status: 'passing' }, ...facts }
  const answer = await agent.request('PUT', '/v1/agent/service/register', { body })
  expect(answer.status).toBe(200)
}

const ids = (instances: readonly ServiceInstance[]): string[] => instances.map(({ id }) => id).sort()

describe('a filter from the builder', () => {
  it('means to Consul what it says, whatever stands in the values', async () => {
    const agent = kept(await startConsul())
    const { discovery } = kept(discoveryClient({ address: agent.url }))
    const hostile = ['a"b', 'a\\b', "it's", 'a`b', 'ü 🦊', '" or 1 == 1', 'line\nbreak', '%s ${x}']
    for (const [index, value] of hostile.entries()) {
      await register(agent, `h${index}`, { Meta: { 'odd-key': value }, Tags: [`t${index}`, 'all'] })
    }
    const found = async (expression: unknown): Promise<string[]> =>
      ids(await discovery.discover('web', { filter: expression as never }))
    const { meta, tags, serviceId, servicePort } = filter
    for (const [index, value] of hostile.entries()) {
      expect(await found(meta.key('odd-key').equals(value))).toEqual([`h${index}`])
    }
    const all = hostile.map((_, index) => `h${index}`)
    expect(await found(tags.includes('t1').or(serviceId.equals('h2')))).toEqual(['h1', 'h2'])
    expect(await found(filter.not(tags.includes('t1')).and(serviceId.oneOf('h1', 'h3')))).toEqual(['h3'])
    expect(await found(servicePort.equals(80))).toEqual(all)
    expect(await found(servicePort.notEquals(80))).toEqual([])
    expect(await found(meta.has('odd-key').and(tags.isNotEmpty(), tags.excludes('t0')))).toEqual(all.slice(1))
    expect(await found(filter.all(serviceId.matches('^h[0-2]$'), serviceId.notMatches('1')))).toEqual(['h0', 'h2'])
    expect(await found(meta.lacks('odd-key'))).toEqual([])
    expect(await found(filter.nodeName.equals(agent.node))).toEqual(all)
    expect(await found(filter.nodeMeta.isEmpty().or(filter.nodeMeta.isNotEmpty()))).toEqual(all)
    expect(await found(filter.any(filter.datacenter.equals('dc1'), filter.nodeId.equals('x')))).toEqual(all)
    expect(await found(serviceId.includes('h'))).toEqual(all)
  })

  it('means to Consul what was built, however it is nested', async () => {
    const agent = kept(await startConsul())
    const { discovery } = kept(discoveryClient({ address: agent.url }))
    const played: Record<string, PlayedInstance> = {
      none: { tags: [], meta: {} },
      a: { tags: ['a'], meta: { a: 'b' } },
      ab: { tags: ['a', 'b'], meta: { a: 'a', c: 'a' } },
      abc: { tags: ['a', 'b', 'c'], meta: { a: 'c', b: 'b', c: 'c' } },
    }
    for (const [id, { tags, meta }] of Object.entries(played)) await register(agent, id, { Tags: tags, Meta: meta })
    const property = fc.asyncProperty(anyFilter, async ({ make, finds }) => {
      const expression = unlessRefused(make)
      fc.pre(expression !== undefined)
      const expected = Object.keys(played).filter((id) => finds(played[id] ?? { tags: [], meta: {} }))
      const found = await discovery.discover('web', { filter: expression })
      expect(ids(found)).toEqual(expected.sort())
    })
    await fc.assert(property, { numRuns: 100 })
  })

  it('finds no instance without a key by a pattern for it, in any version of Consul', async () => {
    const agent = kept(await startConsul())
    const { discovery } = kept(discoveryClient({ address: agent.url }))
    await register(agent, 'old', { Meta: { version: '1.0' } })
    await register(agent, 'new', { Meta: { version: '2.0' } })
    await register(agent, 'without')
    const version = filter.meta.key('version')
    const found = async (expression: FilterExpression): Promise<string[]> =>
      ids(await discovery.discover('web', { filter: expression }))
    expect(await found(version.matches('^2'))).toEqual(['new'])
    expect(await found(version.notMatches('^2'))).toEqual(['old', 'without'])
    expect(await found(filter.not(version.matches('^2')))).toEqual(['old', 'without'])
  })

  it('is answered at once, however many conditions are combined', async () => {
    const agent = kept(await startConsul())
    await register(agent, 'a', { Tags: ['t'] })
    const { discovery } = kept(discoveryClient({ address: agent.url }))
    const tags = Array.from({ length: 50 }, (_, index) => filter.tags.excludes(`x${index}`))
    const found = async (expression: FilterExpression): Promise<string[]> =>
      ids(await discovery.discover('web', { filter: expression }))
    expect(await found(tags.reduce((chain, tag) => chain.and(tag)))).toEqual(['a'])
    expect(await found(tags.reduce((nest, tag, index) => (index % 2 === 0 ? nest.or(tag) : nest.and(tag))))).toEqual([
      'a',
    ])
    expect(await found(tags.reduce((nest) => filter.not(filter.not(nest))))).toEqual(['a'])
    expect(await found(filter.all(filter.any(...tags), filter.not(filter.all(...tags))))).toEqual([])
  })
})

describe('an empty answer', () => {
  it('says when the token may not see the instances', async () => {
    const agent = kept(await startConsul({ acl: true }))
    await register(agent, 'a')
    const half = await agent.acl.createToken('service_prefix "" { policy = "read" }')
    const full = await agent.acl.createToken('service_prefix "" { policy = "read" } node_prefix "" { policy = "read" }')
    const reason = async (token: string | undefined): Promise<string | undefined> => {
      await using client = discoveryClient({ address: agent.url, ...(token !== undefined && { token }) })
      return (await client.discovery.watchService('web').ready()).emptyReason
    }
    expect(await reason(undefined)).toBe('filtered-by-acl')
    expect(await reason(half.secret)).toBe('filtered-by-acl')
    expect(await reason(full.secret)).toBeUndefined()
  })

  it('says so of all services, nodes and checks, and nothing where an empty list is nothing strange', async () => {
    const agent = kept(await startConsul({ acl: true }))
    const { discovery } = kept(discoveryClient({ address: agent.url }))
    const hidden = [discovery.watchServices(), discovery.watchNodes(), discovery.watchChecks('any')]
    for (const watcher of hidden) expect((await watcher.ready()).emptyReason).toBe('filtered-by-acl')
    const nodeMeta = { nobody: 'has-it' }
    const narrow = [
      discovery.watchServices({ nodeMeta }),
      discovery.watchNodes({ nodeMeta }),
      discovery.watchChecks('any', { nodeMeta }),
      discovery.watchChecks('critical'),
    ]
    for (const watcher of narrow) expect((await watcher.ready()).emptyReason).toBeUndefined()
  })

  it('says so when newer versions of Consul say it', async () => {
    const headers = { 'x-consul-index': '5', 'x-consul-results-filtered-by-acls': 'true' }
    await using agent = await scriptedAgent(answers(200, '[]', headers))
    await using client = discoveryClient({ address: agent.url })
    const { discovery } = client
    const watchers = [discovery.watchService('web'), discovery.watchChecks('critical'), discovery.watchEvents()]
    for (const watcher of watchers) expect((await watcher.ready()).emptyReason).toBe('filtered-by-acl')
  })
})

describe('a service with several ports', () => {
  it('is called at its default port, or at the one that the query names', async () => {
    const ports = [
      { Name: 'http', Port: 8080, Default: true },
      { Name: 'grpc', Port: 9090 },
    ]
    const body = JSON.stringify([
      { Node: { Node: 'n', Address: '10.0.0.1' }, Service: { ID: 'a', Port: 0, Ports: ports } },
    ])
    await using agent = await scriptedAgent(answers(200, body, { 'x-consul-index': '5' }))
    await using client = discoveryClient({ address: agent.url })
    const [byDefault] = await client.discovery.discover('web')
    expect(byDefault).toMatchObject({ address: '10.0.0.1', port: 8080, ports: { http: 8080, grpc: 9090 } })
    expect((await client.discovery.discover('web', { port: 'grpc' }))[0]?.port).toBe(9090)
    expect(await client.discovery.discover('web', { port: 'admin' })).toEqual([])
  })
})

describe('a watch with a cache file', () => {
  it('starts while Consul is down, marked stale, and is replaced when Consul answers', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'proconsul-cache-'))
    afterTest(() => rm(folder, { recursive: true }))
    const cacheFile = join(folder, 'web.json')
    const agent = kept(await startConsul())
    await register(agent, 'a')
    {
      await using client = discoveryClient({ address: agent.url })
      await client.discovery.watchService('web', { cacheFile }).ready()
    }
    await agent.kill()
    const { discovery } = kept(discoveryClient({ address: agent.url, timeout: '500ms' }))
    const watcher = discovery.watchService('web', { cacheFile })
    const snapshot = await watcher.ready()
    expect(ids(snapshot.instances)).toEqual(['a'])
    expect(snapshot.stale).toBe(true)
    await agent.start()
    await register(agent, 'b')
    await eventually(() => expect(ids(watcher.instances)).toEqual(['b']), { within: 15_000 })
    expect(watcher.snapshot.stale).toBe(false)
  })

  it.each([
    [{ datacenter: 'elsewhere' }, false],
    [{ datacenter: 'here', namespace: 'team' }, false],
    [{ datacenter: 'here', partition: 'part' }, false],
    [{ datacenter: 'here' }, true],
  ])(
    'starts with a file that a client for datacenter "here" wrote, as a client for %j: %j',
    async (tenancy, starts) => {
      const folder = await mkdtemp(join(tmpdir(), 'proconsul-cache-'))
      afterTest(() => rm(folder, { recursive: true }))
      const cacheFile = join(folder, 'web.json')
      const list = JSON.stringify([{ Node: { Node: 'n', Address: '10.0.0.1' }, Service: { ID: 'a' } }])
      await using agent = await scriptedAgent(answers(200, list, { 'x-consul-index': '5' }))
      {
        await using client = discoveryClient({ address: agent.url, datacenter: 'here' })
        await client.discovery.watchService('web', { cacheFile }).ready()
      }
      await agent.close()
      await using client = discoveryClient({ address: agent.url, ...tenancy })
      const watcher = client.discovery.watchService('web', { cacheFile })
      const told: string[] = []
      watcher.on('error', ({ code }) => told.push(code))
      await eventually(() => expect(told.length + watcher.instances.length).toBeGreaterThan(1))
      expect(ids(watcher.instances)).toEqual(starts ? ['a'] : [])
      expect(told.includes('PROCONSUL_CACHE_FAILED')).toBe(!starts)
    },
  )
})

describe('a service in two datacenters', () => {
  it('is found in the other one while the own one has none, and again in the own one later', async () => {
    const own = kept(await startConsul({ hcl: 'datacenter = "one"' }))
    const other = kept(await startConsul({ hcl: 'datacenter = "two"' }))
    const { DebugConfig } = await other.read<{ DebugConfig: { SerfPortWAN: number } }>('/v1/agent/self')
    const joined = await own.request('PUT', `/v1/agent/join/127.0.0.1:${DebugConfig.SerfPortWAN}?wan=1`)
    expect(joined.status).toBe(200)
    await eventually(
      async () => {
        expect((await own.read<string[]>('/v1/catalog/datacenters')).sort()).toEqual(['one', 'two'])
      },
      { within: 15_000 },
    )
    await eventually(async () => expect((await own.request('GET', '/v1/health/service/web?dc=two')).status).toBe(200))
    await register(own, 'near')
    await register(other, 'far')
    const { discovery } = kept(discoveryClient({ address: own.url }))
    const failover = { datacenters: ['two'], backAfter: '500ms' } as const
    const watcher = discovery.watchService('web', { failover })
    await watcher.ready()
    expect(ids(watcher.instances)).toEqual(['near'])
    await own.request('PUT', '/v1/agent/check/fail/service:near')
    await eventually(() => expect(ids(watcher.instances)).toEqual(['far']))
    expect(watcher.instances[0]?.datacenter).toBe('two')
    const switchedAt = performance.now()
    await own.request('PUT', '/v1/agent/check/pass/service:near')
    await eventually(() => expect(ids(watcher.instances)).toEqual(['near']))
    expect(performance.now() - switchedAt).toBeGreaterThan(450)
  })
})

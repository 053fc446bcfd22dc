import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ServiceInstance } from '../../src/instances/service-instance.js'
import type { ServiceSnapshot, ServiceWatcher } from '../../src/instances/service-watcher.js'
import { startConsul, type ConsulAgent } from '../support/consul-agent.js'
import { eventually } from '../support/eventually.js'
import { discoveryClient, type DiscoveryClient } from './discovery-client.js'

let agent: ConsulAgent
let client: DiscoveryClient

beforeAll(async () => {
  agent = await startConsul()
  client = discoveryClient({ address: agent.url })
})

afterAll(async () => {
  await client.close()
  await agent.close()
})

interface Registration {
  readonly tags?: readonly string[]
  readonly meta?: Readonly<Record<string, string>>
  readonly status?: string
  readonly port?: number
}

async function register(
  name: string,
  id: string,
  { tags, meta, status = 'passing', port = 80 }: Registration = {},
): Promise<void> {
  const body = { Name: name, ID: id, Port: port, Tags: tags, Meta: meta, Check: { TTL: '600s', Status: status } }
  const answer = await agent.request('PUT', '/v1/agent/service/register', { body: JSON.stringify(body) })
  expect(answer.status).toBe(200)
}

async function deregister(id: string): Promise<void> {
  await agent.request('PUT', `/v1/agent/service/deregister/${id}`)
}

async function setStatus(id: string, status: string): Promise<void> {
  await agent.request('PUT', `/v1/agent/check/update/service:${id}`, { body: JSON.stringify({ Status: status }) })
}

const ids = (instances: readonly ServiceInstance[]): string[] => instances.map((instance) => instance.id).sort()

/** What a watcher told, in words. */
function record(watcher: ServiceWatcher): string[] {
  const told: string[] = []
  watcher.on('change', ({ added, removed, updated }) => {
    for (const { id } of added) told.push(`+${id}`)
    for (const { id } of removed) told.push(`-${id}`)
    for (const { id } of updated) told.push(`~${id}`)
  })
  return told
}

describe('a watched service', () => {
  it('is complete when it is ready, and the first change holds everything', async () => {
    await register('first', 'first-1', { tags: ['v1'], meta: { zone: 'a' }, port: 8080 })
    await using watcher = client.discovery.watchService('first')
    const told = record(watcher)
    const snapshot = await watcher.ready()
    expect(snapshot.instances).toHaveLength(1)
    expect(snapshot).toMatchObject({ stale: false })
    expect(Number(snapshot.revision)).toBeGreaterThan(0)
    expect(snapshot.receivedAt).toBeGreaterThan(Date.now() - 5_000)
    expect(watcher.instances[0]).toEqual({
      id: 'first-1',
      name: 'first',
      address: '127.0.0.1',
      port: 8080,
      ports: {},
      taggedAddresses: {},
      tags: ['v1'],
      meta: { zone: 'a' },
      weights: { passing: 1, warning: 1 },
      weight: 1,
      node: agent.node,
      datacenter: 'dc1',
      status: 'passing',
    })
    expect(told).toEqual(['+first-1'])
    expect(watcher.snapshot).toBe(watcher.snapshot)
  })

  it('tells of instances that come, change and go, and of nothing else', async () => {
    await register('moves', 'moves-1')
    await using watcher = client.discovery.watchService('moves')
    const told = record(watcher)
    await watcher.ready()
    const [kept] = watcher.instances
    await register('moves', 'moves-2')
    await eventually(() => expect(ids(watcher.instances)).toEqual(['moves-1', 'moves-2']))
    expect(watcher.instances.find(({ id }) => id === 'moves-1')).toBe(kept)
    await register('moves', 'moves-2', { meta: { version: '2' } })
    await eventually(() => expect(told).toContain('~moves-2'))
    await register('elsewhere', 'elsewhere-1')
    await register('moves', 'moves-2', { meta: { version: '2' } })
    await deregister('moves-1')
    await eventually(() => expect(ids(watcher.instances)).toEqual(['moves-2']))
    expect(told).toEqual(['+moves-1', '+moves-2', '~moves-2', '-moves-1'])
  })

  it('leaves out what cannot serve, keeps what serves with a warning, and shows every status when asked for all', async () => {
    await register('sick', 'sick-1')
    await register('sick', 'sick-2')
    await using serving = client.discovery.watchService('sick')
    await using passing = client.discovery.watchService('sick', { health: 'passing' })
    await using all = client.discovery.watchService('sick', { health: 'any' })
    await Promise.all([serving.ready(), passing.ready(), all.ready()])
    const status = (): string | undefined => all.instances.find(({ id }) => id === 'sick-2')?.status
    await setStatus('sick-2', 'warning')
    await eventually(() => expect(status()).toBe('warning'))
    await eventually(() => expect(ids(passing.instances)).toEqual(['sick-1']))
    await eventually(() => expect(serving.instances.find(({ id }) => id === 'sick-2')?.status).toBe('warning'))
    await setStatus('sick-2', 'critical')
    await eventually(() => expect(status()).toBe('critical'))
    await eventually(() => expect(ids(serving.instances)).toEqual(['sick-1']))
    await setStatus('sick-2', 'passing')
    await eventually(() => expect(ids(serving.instances)).toEqual(['sick-1', 'sick-2']))
    await agent.request('PUT', '/v1/agent/service/maintenance/sick-2?enable=true')
    await eventually(() => expect(status()).toBe('maintenance'))
    await eventually(() => expect(ids(serving.instances)).toEqual(['sick-1']))
  })

  it('keeps all of its instances when a soft dependency of all of them is down', async () => {
    const five = ['soft-1', 'soft-2', 'soft-3', 'soft-4', 'soft-5']
    for (const id of five) await register('soft', id)
    await using watcher = client.discovery.watchService('soft')
    const lengths: number[] = []
    watcher.on('change', ({ snapshot }) => void lengths.push(snapshot.instances.length))
    await watcher.ready()
    for (const id of five) await setStatus(id, 'warning')
    await eventually(() => expect(watcher.instances.map(({ status }) => status)).toEqual(five.map(() => 'warning')))
    expect(new Set(lengths)).toEqual(new Set([5]))
  })

  it('can be narrowed by several tags, a filter and metadata', async () => {
    await register('narrow', 'narrow-1', { tags: ['v1', 'eu'], meta: { zone: 'a' } })
    await register('narrow', 'narrow-2', { tags: ['v1', 'us'], meta: { zone: 'b' } })
    await register('narrow', 'narrow-3', { tags: ['v2', 'eu'], meta: { zone: 'b' } })
    const found = async (query: object): Promise<string[]> => ids(await client.discovery.discover('narrow', query))
    expect(await found({ tags: ['v1'] })).toEqual(['narrow-1', 'narrow-2'])
    expect(await found({ tags: ['v1', 'eu'] })).toEqual(['narrow-1'])
    expect(await found({ filter: 'Service.Meta.zone == "b"' })).toEqual(['narrow-2', 'narrow-3'])
    expect(await found({ nodeMeta: { nowhere: 'x' } })).toEqual([])
  })

  it('says why it is empty, and tells of the first instance', async () => {
    await using watcher = client.discovery.watchService('later')
    const told = record(watcher)
    expect((await watcher.ready()).emptyReason).toBe('not-registered')
    await register('later', 'later-1', { status: 'critical' })
    await eventually(() => expect(watcher.snapshot.emptyReason).toBe('none-passing'))
    await setStatus('later-1', 'passing')
    await eventually(() => expect(ids(watcher.instances)).toEqual(['later-1']))
    expect(watcher.snapshot.emptyReason).toBeUndefined()
    await setStatus('later-1', 'warning')
    await using strict = client.discovery.watchService('later', { health: 'passing' })
    expect((await strict.ready()).emptyReason).toBe('none-passing')
    await using tagged = client.discovery.watchService('later', { tags: ['none-has-it'] })
    expect((await tagged.ready()).emptyReason).toBe('none-matching')
    expect(told.filter((line) => !line.startsWith('~'))).toEqual(['+later-1'])
  })

  it('yields the current state first and then the latest to an iteration, which ends when it is closed', async () => {
    await register('stream', 'stream-1')
    const watcher = client.discovery.watchService('stream')
    const seen: ServiceSnapshot[] = []
    const reading = (async () => {
      for await (const snapshot of watcher) seen.push(snapshot)
    })()
    await eventually(() => expect(seen).toHaveLength(1))
    await register('stream', 'stream-2')
    await eventually(() => expect(seen.at(-1)?.instances).toHaveLength(2))
    await watcher.close()
    await reading
  })

  it('shares one blocking query among all who ask the same', async () => {
    await register('shared', 'shared-1')
    const watchers = Array.from({ length: 20 }, () => client.discovery.watchService('shared', { tags: [] }))
    await Promise.all(watchers.map(async (watcher) => await watcher.ready()))
    const queries = () => client.engine.debug().watches.filter(({ key }) => key.includes('"shared"'))
    await eventually(() => expect(queries()).toMatchObject([{ subscribers: 20, state: 'blocking' }]))
    await Promise.all(watchers.map(async (watcher) => await watcher.close()))
  })

  it('keeps quiet while it is paused, and catches up when it goes on', async () => {
    await register('pause', 'pause-1')
    await using watcher = client.discovery.watchService('pause')
    await watcher.ready()
    const told = record(watcher)
    watcher.pause()
    await register('pause', 'pause-2')
    await using other = client.discovery.watchService('pause', { health: 'any' })
    await eventually(() => expect(other.instances).toHaveLength(2))
    expect(told).toEqual([])
    watcher.resume()
    await eventually(() => expect(told).toEqual(['+pause-2']))
  })

  it('fails to get ready at once, and says so, when the question itself is wrong', async () => {
    await using watcher = client.discovery.watchService('wrong', { filter: 'no such thing' })
    await expect(watcher.ready()).rejects.toMatchObject({ code: 'PROCONSUL_REJECTED' })
  })

  it('follows the names and tags of all services', async () => {
    await using watcher = client.discovery.watchServices()
    await watcher.ready()
    await register('named', 'named-1', { tags: ['x'] })
    await eventually(() => expect(watcher.services).toContainEqual({ name: 'named', tags: ['x'] }))
  })

  it('tells of services only what changed, however often Consul lists their tags in another order', async () => {
    await register('tagged', 'tagged-1', { tags: ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'] })
    await register('tagged', 'tagged-2', { tags: ['h', 'i', 'j', 'k'] })
    const orders = new Set<string>()
    await eventually(async () => {
      orders.add((await agent.request('GET', '/v1/catalog/services')).text)
      expect(orders.size).toBeGreaterThan(1)
    })
    // Each is read anew by itself.
    await using own = discoveryClient({ address: agent.url }, { wait: '100ms', interval: 10 })
    const watcher = own.discovery.watchServices()
    const told: string[] = []
    watcher.on('change', ({ updated }) => told.push(...updated.map(({ name }) => name)))
    await watcher.ready()
    const before = watcher.snapshot.receivedAt ?? 0
    await eventually(() => expect(watcher.snapshot.receivedAt).toBeGreaterThan(before + 1_000))
    expect(told).toEqual([])
    const { tags } = watcher.services.find(({ name }) => name === 'tagged') ?? { tags: [] }
    expect(tags).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k'])
    const names = watcher.services.map(({ name }) => name)
    expect(names).toEqual(names.toSorted())
  })

  it('follows nodes, checks in a state, events and prepared queries', async () => {
    await using nodes = client.discovery.watchNodes()
    await using critical = client.discovery.watchChecks('critical')
    await using events = client.discovery.watchEvents({ name: 'deploy' })
    await client.preparedQuery.create({ name: 'find-many', service: { name: 'many', onlyPassing: true } })
    await using prepared = client.discovery.watchPreparedQuery('find-many', { interval: 100 })
    await Promise.all([nodes.ready(), critical.ready(), events.ready(), prepared.ready()])
    expect(nodes.nodes.map(({ name }) => name)).toContain(agent.node)
    await register('many', 'many-1', { status: 'critical' })
    await eventually(() => expect(critical.checks.map(({ serviceId }) => serviceId)).toContain('many-1'))
    await setStatus('many-1', 'passing')
    await eventually(() => expect(ids(prepared.instances)).toEqual(['many-1']))
    await client.event.fire('deploy', { payload: 'now' })
    await eventually(() => expect(events.events.map(({ payload }) => payload.toString())).toEqual(['now']))
    await client.event.fire('deploy', { payload: 'again' })
    await eventually(() => expect(events.events).toHaveLength(2))
  })
})

/** The life of an embedded agent: time, restarts, clusters, and what is left when it ends. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ManualClock, startEmbeddedConsul, type EmbeddedConsul } from '../../src/testing/index.js'
import { eventually } from '../support/eventually.js'
import { LeakCheck } from '../support/leak-check.js'
import { WireClient } from './support/wire-client.js'

const agents: EmbeddedConsul[] = []
const clients: WireClient[] = []

async function start(
  options: Parameters<typeof startEmbeddedConsul>[0] = {},
): Promise<{ agent: EmbeddedConsul; http: WireClient }> {
  const agent = await startEmbeddedConsul(options)
  agents.push(agent)
  const http = new WireClient(() => agent)
  clients.push(http)
  return { agent, http }
}

beforeEach(() => {
  agents.length = 0
  clients.length = 0
})

afterEach(async () => {
  for (const client of clients) client.close()
  for (const agent of agents) await agent.close()
})

interface Check {
  readonly Status: string
  readonly Output: string
}

const checkOf = async (http: WireClient, id: string) =>
  (await http.get('/v1/agent/checks')).json<Record<string, Check>>()[id]

describe('time on a manual clock', () => {
  test('a TTL lapses to the moment', async () => {
    const clock = new ManualClock()
    const { http } = await start({ clock })
    await http.put('/v1/agent/service/register', { Name: 'web', Check: { TTL: '1h', Status: 'passing' } })
    await clock.advance(3_599_999)
    expect((await checkOf(http, 'service:web'))?.Status).toBe('passing')
    await clock.advance(1)
    expect(await checkOf(http, 'service:web')).toMatchObject({ Status: 'critical', Output: 'TTL expired' })
  })

  test('a registration again, or a heartbeat, starts the TTL anew', async () => {
    const clock = new ManualClock()
    const { http } = await start({ clock })
    const body = { Name: 'web', Check: { TTL: '10s', Status: 'passing' } }
    await http.put('/v1/agent/service/register', body)
    await clock.advance('9s')
    await http.put('/v1/agent/service/register', body)
    await clock.advance('9s')
    await http.put('/v1/agent/check/pass/service:web')
    await clock.advance('9s')
    expect((await checkOf(http, 'service:web'))?.Status).toBe('passing')
  })

  test('a service that stays critical is reaped, after a minute at the soonest', async () => {
    const clock = new ManualClock()
    const { http } = await start({ clock })
    const check = { TTL: '10s', DeregisterCriticalServiceAfter: '1s' }
    await http.put('/v1/agent/service/register', { Name: 'web', Check: check })
    await clock.advance('1m')
    expect((await http.get('/v1/health/service/web')).json()).toHaveLength(1)
    await clock.advance('30s')
    expect((await http.get('/v1/health/service/web')).json()).toEqual([])
  })

  test('a session that is not renewed ends after twice its TTL', async () => {
    const clock = new ManualClock()
    const { http } = await start({ clock })
    const { ID } = (await http.put('/v1/session/create', { TTL: '10s' })).json<{ ID: string }>()
    await clock.advance('15s')
    await http.put(`/v1/session/renew/${ID}`)
    await clock.advance('19s')
    expect((await http.get(`/v1/session/info/${ID}`)).json()).toHaveLength(1)
    await clock.advance('1s')
    expect((await http.get(`/v1/session/info/${ID}`)).json()).toEqual([])
  })

  test('sessions do not end while there is no leader, and start anew with the next one', async () => {
    const clock = new ManualClock()
    const { agent, http } = await start({ clock })
    const { ID } = (await http.put('/v1/session/create', { TTL: '10s' })).json<{ ID: string }>()
    const fault = agent.faults.noLeader()
    await clock.advance('5m')
    fault.remove()
    await clock.advance('19s')
    expect((await http.get(`/v1/session/info/${ID}`)).json()).toHaveLength(1)
  })

  test('blocking queries come back when their wait has passed', async () => {
    const clock = new ManualClock()
    const { agent, http } = await start({ clock, random: () => 1 })
    const { index } = await http.get('/v1/catalog/nodes')
    let isAnswered = false
    const answer = http.get(`/v1/catalog/nodes?index=${index}`).then(() => (isAnswered = true))
    await eventually(() => expect(agent.blockedQueries).toBe(1))
    await clock.advance('318s')
    expect(isAnswered).toBe(false)
    await clock.advance('1s')
    await answer
  })

  test('tombstones are forgotten after a quarter of an hour: the index of a prefix falls, and nobody is woken', async () => {
    const clock = new ManualClock()
    const { agent, http } = await start({ clock })
    await http.put('/v1/kv/x/a', '1')
    const low = (await http.get('/v1/kv/x/?recurse')).index
    await http.put('/v1/kv/x/b', '1')
    await http.delete('/v1/kv/x/b')
    const high = (await http.get('/v1/kv/x/?recurse')).index
    const waiting = http.get(`/v1/kv/x/?recurse&index=${high}&wait=10m`)
    await eventually(() => expect(agent.blockedQueries).toBe(1))
    await clock.advance('9m')
    await clock.advance('7m')
    expect((await http.get('/v1/kv/x/?recurse')).index).toBe(low)
    await waiting
  })

  test('a note that changes no state reaches the catalog after five minutes', async () => {
    const clock = new ManualClock()
    const { http } = await start({ clock })
    await http.put('/v1/agent/service/register', { Name: 'web', Check: { TTL: '1h', Status: 'passing' } })
    await http.put('/v1/agent/check/pass/service:web?note=later')
    const output = async () => (await http.get('/v1/health/checks/web')).json<Check[]>()[0]?.Output
    await clock.advance('4m')
    // A full synchronisation would have brought it: the agent holds it back there too.
    expect([await output(), (await checkOf(http, 'service:web'))?.Output]).toEqual(['', 'later'])
    await clock.advance('1m')
    expect(await output()).toBe('later')
  })

  test('what others wrote about an agent’s node is undone within a minute', async () => {
    const clock = new ManualClock()
    const { agent, http } = await start({ clock })
    await http.put('/v1/agent/service/register', { Name: 'web' })
    await http.put('/v1/catalog/deregister', { Node: agent.node, ServiceID: 'web' })
    await http.put('/v1/catalog/register', { Node: agent.node, Address: '127.0.0.1', Service: { Service: 'foreign' } })
    expect((await http.get('/v1/health/service/web')).json()).toEqual([])
    await clock.advance('1m')
    expect((await http.get('/v1/health/service/web')).json()).toHaveLength(1)
    expect((await http.get('/v1/health/service/foreign')).json()).toEqual([])
  })
})

describe('restarts', () => {
  test('keep the address, and by default nothing else', async () => {
    const { agent, http } = await start()
    await http.put('/v1/agent/service/register', { Name: 'web' })
    await http.put('/v1/kv/a', '1')
    const { url } = agent
    await agent.restart()
    http.close()
    expect(agent.url).toBe(url)
    expect((await http.get('/v1/agent/services')).json()).toEqual({})
    expect((await http.get('/v1/kv/a')).status).toBe(404)
  })

  test('with their state keep services, checks, maintenance, keys and sessions', async () => {
    const clock = new ManualClock()
    const { agent, http } = await start({ clock })
    await http.put('/v1/agent/service/register', { Name: 'web', Check: { TTL: '20s', Status: 'passing' } })
    await http.put('/v1/agent/service/register', { Name: 'old', Check: { TTL: '5s', Status: 'passing' } })
    await http.put('/v1/agent/service/maintenance/web?enable=true')
    await http.put('/v1/kv/a', '1')
    const { ID } = (await http.put('/v1/session/create')).json<{ ID: string }>()
    await clock.advance('2s')
    await agent.stop()
    http.close()
    await expect(http.get('/v1/status/leader')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    await clock.advance('10s')
    await agent.start({ keepState: true })
    expect((await checkOf(http, 'service:web'))?.Status).toBe('passing')
    expect(await checkOf(http, 'service:old')).toMatchObject({ Status: 'critical', Output: '' })
    expect((await checkOf(http, '_service_maintenance:web'))?.Status).toBe('critical')
    expect((await http.get('/v1/kv/a?raw')).text).toBe('1')
    expect((await http.get(`/v1/session/info/${ID}`)).json()).toHaveLength(1)
    // The TTL started anew at its full length.
    await clock.advance('19s')
    expect((await checkOf(http, 'service:web'))?.Status).toBe('passing')
    await clock.advance('1s')
    expect((await checkOf(http, 'service:web'))?.Status).toBe('critical')
  })

  test('reset connections and blocked queries', async () => {
    const { agent, http } = await start()
    const blocked = http.get('/v1/kv/a?index=1000&wait=1m')
    blocked.catch(() => undefined)
    await eventually(() => expect(agent.blockedQueries).toBe(1))
    await agent.restart({ keepState: true })
    await expect(blocked).rejects.toThrow()
    expect(agent.blockedQueries).toBe(0)
  })
})

describe('reset', () => {
  test('empties the agent at the same address, and lets those who wait see it', async () => {
    const { agent, http } = await start()
    await http.put('/v1/agent/service/register', { Name: 'web' })
    await http.put('/v1/kv/a', '1')
    agent.faults.status(500, { path: '/v1/catalog' })
    const { index } = await http.get('/v1/health/service/web')
    const waiting = http.get(`/v1/health/service/web?index=${index}&wait=1m`)
    await eventually(() => expect(agent.blockedQueries).toBe(1))
    agent.reset()
    expect((await waiting).json()).toEqual([])
    expect((await http.get('/v1/agent/services')).json()).toEqual({})
    expect((await http.get('/v1/kv/a')).status).toBe(404)
    expect((await http.get('/v1/catalog/nodes')).status).toBe(200)
    await http.put('/v1/agent/service/register', { Name: 'web' })
    expect((await http.get('/v1/health/service/web')).index).toBeGreaterThan(index)
  })
})

describe('clusters', () => {
  test('share the catalog, and each agent keeps its own services', async () => {
    const { agent: first, http: one } = await start({ node: 'one' })
    const { http: two } = await start({ node: 'two', join: first })
    await two.put('/v1/agent/service/register', { ID: 'web-two', Name: 'web', Check: { TTL: '1h', Status: 'passing' } })
    expect((await one.get('/v1/health/service/web')).json()).toMatchObject([
      { Node: { Node: 'two' }, Service: { ID: 'web-two' } },
    ])
    expect((await one.get('/v1/agent/services')).json()).toEqual({})
    await two.put('/v1/kv/a', '1')
    expect((await one.get('/v1/kv/a?raw')).text).toBe('1')
    expect((await one.get('/v1/agent/members')).json()).toHaveLength(2)
  })

  test('deregistering through the wrong agent does nothing', async () => {
    const { agent: first, http: one } = await start({ version: '1.8' })
    const { http: two } = await start({ version: '1.8', join: first })
    await two.put('/v1/agent/service/register', { Name: 'web' })
    expect((await one.put('/v1/agent/service/deregister/web')).status).toBe(200)
    expect((await one.get('/v1/health/service/web')).json()).toHaveLength(1)
    expect((await two.put('/v1/agent/service/deregister/web')).status).toBe(200)
    expect((await one.get('/v1/health/service/web')).json()).toEqual([])
  })

  test('see an agent that crashed by its check, and one that left not at all', async () => {
    const { agent: first, http: one } = await start()
    const { agent: second, http: two } = await start({ join: first, node: 'two' })
    await two.put('/v1/agent/service/register', { Name: 'web', Check: { TTL: '1h', Status: 'passing' } })
    await second.stop()
    expect((await one.get('/v1/health/service/web?passing')).json()).toEqual([])
    expect((await one.get('/v1/health/node/two')).json()).toContainEqual(
      expect.objectContaining({ CheckID: 'serfHealth', Status: 'critical' }),
    )
    expect((await one.get('/v1/catalog/service/web')).json()).toHaveLength(1)
    await second.start({ keepState: true })
    expect((await one.get('/v1/health/service/web')).json()).toHaveLength(1)
    await second.leave()
    expect((await one.get('/v1/catalog/service/web')).json()).toEqual([])
    expect((await one.get('/v1/catalog/nodes')).json()).toHaveLength(1)
  })

  test('a session ends with the agent of its node', async () => {
    const { agent: first, http: one } = await start()
    const { agent: second, http: two } = await start({ join: first })
    const { ID } = (await two.put('/v1/session/create')).json<{ ID: string }>()
    expect((await one.get(`/v1/session/info/${ID}`)).json()).toHaveLength(1)
    await second.stop()
    expect((await one.get(`/v1/session/info/${ID}`)).json()).toEqual([])
  })
})

describe('options', () => {
  test('are refused by name when they make no sense', async () => {
    const cases = [
      { port: -1 },
      { version: '2.0' },
      { host: '' },
      { prot: 1 },
      { limits: { connections: 1 } },
      { limits: { reapInterval: 'soon' } },
    ]
    for (const options of cases) {
      const promise = Promise.resolve().then(() => startEmbeddedConsul(options as never))
      await expect(promise).rejects.toMatchObject({ code: 'PROCONSUL_INVALID_OPTION' })
    }
  })

  test('set the port, the node, its metadata, the datacenter and the limits', async () => {
    const { agent } = await start()
    const { port } = new URL(agent.url)
    await agent.close()
    const { agent: second, http } = await start({
      port: Number(port),
      node: 'n',
      nodeMeta: { zone: 'z' },
      datacenter: 'dc9',
      limits: { minSessionTtl: '1s' },
    })
    expect([second.address, second.node]).toEqual([`127.0.0.1:${port}`, 'n'])
    expect((await http.get('/v1/catalog/datacenters')).json()).toEqual(['dc9'])
    expect((await http.get('/v1/catalog/nodes?node-meta=zone:z')).json()).toHaveLength(1)
    expect((await http.put('/v1/session/create', { TTL: '1s' })).status).toBe(200)
  })

  test('a listener hears of every request, without its query, and of those without an answer', async () => {
    const heard: object[] = []
    const { agent, http } = await start({
      onRequest: ({ method, path, status }) => heard.push({ method, path, status }),
    })
    await http.get('/v1/kv/x?token=secret')
    agent.faults.drop({ times: 1 })
    await http.put('/v1/kv/y', '1').catch(() => undefined)
    await eventually(() =>
      expect(heard).toEqual([
        { method: 'GET', path: '/v1/kv/x', status: 404 },
        { method: 'PUT', path: '/v1/kv/y', status: undefined },
      ]),
    )
  })

  test('a taken port is told as the system tells it', async () => {
    const { agent } = await start()
    await expect(startEmbeddedConsul({ port: Number(new URL(agent.url).port) })).rejects.toMatchObject({
      code: 'EADDRINUSE',
    })
  })
})

describe('the end', () => {
  test('leaves no timer, socket or listener behind', async () => {
    using leaks = new LeakCheck()
    const agent = await startEmbeddedConsul({ limits: { reapInterval: '1s' } })
    const http = new WireClient(() => agent)
    await http.put('/v1/agent/service/register', {
      Name: 'web',
      Checks: [
        { TTL: '1h' },
        { HTTP: `${agent.url}/v1/status/leader`, Interval: '10ms' },
        { TCP: agent.address, Interval: '10ms' },
      ],
    })
    await http.put('/v1/session/create', { TTL: '10s' })
    await http.put('/v1/kv/a', '1')
    await http.delete('/v1/kv/a')
    agent.faults.spuriousWakeUps({ every: '1h' })
    agent.faults.hang({ path: '/v1/catalog' })
    const pending = [http.get('/v1/kv/a?index=1000&wait=10m'), http.get('/v1/catalog/nodes')]
    for (const request of pending) request.catch(() => undefined)
    await eventually(() => expect(agent.blockedQueries).toBe(1))
    await agent.close()
    await agent.close()
    await Promise.allSettled(pending)
    http.close()
    await leaks.assertNone()
  })

  test('comes by itself with await using', async () => {
    let url = ''
    {
      await using agent = await startEmbeddedConsul()
      url = agent.url
    }
    const http = new WireClient(() => ({ url }))
    await expect(http.get('/v1/status/leader')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    http.close()
  })
})

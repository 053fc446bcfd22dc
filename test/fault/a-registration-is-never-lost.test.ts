import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { formatBoot, ownBoot } from '../../src/registration/identity/boot.js'
import type { Registration } from '../../src/registration/registration.js'
import type { ConsulAgent } from '../support/consul-agent.js'
import { eventually } from '../support/eventually.js'
import { afterTest, client, consulAgent } from '../support/opened.js'
import { FaultProxy } from '../support/fault-proxy.js'

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  afterTest(() => server.close())
  return (server.address() as AddressInfo).port
}

async function passing(agent: ConsulAgent, service: string): Promise<number> {
  return (await agent.read<unknown[]>(`/v1/health/service/${service}?passing`)).length
}

function heard(registration: Registration): string[] {
  const events: string[] = []
  for (const name of ['lost', 'restored', 'repaired', 'conflict', 'heartbeatFailed'] as const) {
    registration.on(name, () => void events.push(name))
  }
  return events
}

/** Milliseconds until the service is passing. */
async function timeToPassing(agent: ConsulAgent, service: string, within: number): Promise<number> {
  const startedAt = performance.now()
  await eventually(async () => expect(await passing(agent, service)).toBe(1), { within })
  return performance.now() - startedAt
}

describe('an agent that restarts without its state', () => {
  it('has a TTL service passing again within a beat interval and a second', async () => {
    const agent = await consulAgent()
    const registration = await client(agent.url).registerService({ name: 'ttl', check: { ttl: '6s' } })
    const events = heard(registration)
    await agent.restart()
    expect(await timeToPassing(agent, 'ttl', 3_000)).toBeLessThan(3_000)
    await eventually(() => expect(registration.state).toBe('registered'))
    expect(events.filter((name) => name !== 'heartbeatFailed')).toEqual(['lost', 'restored'])
  })

  it('has an HTTP-checked service passing again within two seconds of its first answer', async () => {
    const agent = await consulAgent()
    const port = await listening(createServer((_request, response) => response.end()))
    const check = { type: 'http', url: `http://127.0.0.1:${port}/`, interval: '1s' } as const
    const registration = await client(agent.url).registerService({ name: 'http', port, check })
    await eventually(() => expect(registration.health.status).toBe('passing'), { within: 10_000 })
    await agent.restart()
    expect(await timeToPassing(agent, 'http', 2_000)).toBeLessThan(2_000)
  })

  it('is put into maintenance again', async () => {
    const agent = await consulAgent()
    const registration = await client(agent.url).registerService({ name: 'kept-out', check: { ttl: '2s' } })
    await registration.maintenance(true, 'migration')
    const restored = next(registration, 'restored')
    await agent.restart()
    await restored
    const checks = await agent.read<{ CheckID: string }[]>('/v1/health/checks/kept-out')
    expect(checks.map(({ CheckID }) => CheckID)).toContain(`_service_maintenance:${registration.id}`)
  })
})

function next(registration: Registration, name: 'restored' | 'lost' | 'repaired' | 'conflict'): Promise<unknown> {
  return new Promise((resolve) => registration.once(name as 'lost', resolve))
}

describe('an agent that is not there', () => {
  it('gets the service in the background, whenever it comes', async () => {
    const agent = await consulAgent()
    await agent.kill()
    const registration = await client(agent.url).registerService(
      { name: 'late', check: { ttl: '3s' } },
      { background: true },
    )
    expect(registration.state).toBe('registering')
    await eventually(() => expect(registration.lastFailure?.code).toBe('PROCONSUL_UNAVAILABLE'))
    await agent.start()
    await timeToPassing(agent, 'late', 4_000)
    await eventually(() => expect(registration.state).toBe('registered'))
  })

  it('fails the registration at its deadline, saying why, and leaves nothing behind', async () => {
    const agent = await consulAgent()
    await agent.kill()
    const consul = client(agent.url)
    await expect(consul.registerService({ name: 'never' }, { timeout: '500ms' })).rejects.toMatchObject({
      code: 'PROCONSUL_TIMEOUT',
      message: expect.stringContaining('ECONNREFUSED') as string,
      cause: { code: 'PROCONSUL_UNAVAILABLE' },
    })
    expect(consul.registrations).toEqual([])
    await agent.start()
    expect(await agent.read('/v1/agent/services')).toEqual({})
  })

  it('ends the attempt with the signal', async () => {
    const agent = await consulAgent()
    await agent.kill()
    const abort = new AbortController()
    const registering = client(agent.url).registerService({ name: 'stopped' }, { signal: abort.signal })
    abort.abort()
    await expect(registering).rejects.toMatchObject({ code: 'PROCONSUL_ABORTED' })
  })

  it('holds up nobody at the end: it is in time, and says what stayed', async () => {
    const agent = await consulAgent()
    const consul = client(agent.url)
    const registration = await consul.registerService({ name: 'stuck', check: { ttl: '3s' } })
    await agent.pause()
    const startedAt = performance.now()
    const report = await consul.close({ timeout: '1s' })
    expect(performance.now() - startedAt).toBeLessThan(3_000)
    expect(report.leftBehind).toMatchObject([{ id: registration.id, error: { code: 'PROCONSUL_TIMEOUT' } }])
    await agent.resume()
  })
})

describe('others that change the record', () => {
  it('do not get rid of a service by deregistering it or its check', async () => {
    const agent = await consulAgent()
    const registration = await client(agent.url).registerService({ name: 'kept', check: { ttl: '3s' } })
    await agent.request('PUT', `/v1/agent/service/deregister/${registration.id}`)
    await timeToPassing(agent, 'kept', 2_000)
    await agent.request('PUT', `/v1/agent/check/deregister/service:${registration.id}`)
    const check = await eventually(async () => {
      const checks = await agent.read<Record<string, { Status: string }>>('/v1/agent/checks')
      return checks[`service:${registration.id}`] ?? Promise.reject(new Error('no check'))
    })
    expect(check.Status).toMatch(/passing|critical/)
    await eventually(async () => expect(await passing(agent, 'kept')).toBe(1))
  })

  it('do not change its tags, port or checks for long, and are told of', async () => {
    const agent = await consulAgent()
    const registration = await client(agent.url).registerService({
      name: 'drifting',
      port: 80,
      tags: ['ours'],
      checks: [{ type: 'tcp', address: agent.address, interval: '1s', status: 'passing' }],
    })
    const repaired = next(registration, 'repaired')
    const record = { ID: registration.id, Name: 'drifting', Port: 81, Tags: ['theirs'] }
    await agent.request('PUT', '/v1/agent/service/register?replace-existing-checks', { body: record })
    expect(await repaired).toHaveProperty('fields')
    const kept = { Port: 80, Tags: ['ours'] }
    await eventually(async () => {
      expect(await agent.read<object>(`/v1/agent/service/${registration.id}`)).toMatchObject(kept)
    })
    await eventually(async () => expect(await passing(agent, 'drifting')).toBe(1))
  })

  it('are put back in its addresses for other places and in who may change its tags, and once is enough', async () => {
    const agent = await consulAgent()
    const given = { wan: { address: '203.0.113.7', port: 443 }, vpn: { address: 'orders.vpn', port: 0 } }
    const registration = await client(agent.url).registerService({
      name: 'reached',
      address: '10.0.0.7',
      port: 80,
      taggedAddresses: given,
      enableTagOverride: true,
    })
    const path = `/v1/agent/service/${registration.id}`
    const { Meta } = await agent.read<{ Meta: object }>(path)
    const repaired = next(registration, 'repaired')
    const record = { ID: registration.id, Name: 'reached', Address: '10.0.0.7', Port: 80, Meta }
    await agent.request('PUT', '/v1/agent/service/register', { body: record })
    expect(await repaired).toEqual({ fields: ['taggedAddresses', 'enableTagOverride'] })
    const kept = { wan: { Address: '203.0.113.7', Port: 443 }, vpn: { Address: 'orders.vpn', Port: 0 } }
    expect(await agent.read<object>(path)).toMatchObject({ TaggedAddresses: kept, EnableTagOverride: true })
    const events = heard(registration)
    const repairedAgain = next(registration, 'repaired')
    await agent.request('PUT', '/v1/agent/service/register', {
      body: { ...record, Port: 81, TaggedAddresses: kept, EnableTagOverride: true },
    })
    expect(await repairedAgain).toEqual({ fields: ['port'] })
    expect(events).toEqual(['repaired'])
  })

  it('are not fought when they are another live process with the same id: the newer one keeps it', async () => {
    const agent = await consulAgent()
    const [older, newer] = [client(agent.url), client(agent.url)]
    const first = await older.registerService({ name: 'both', id: 'both-1', tags: ['first'], check: { ttl: '2s' } })
    const conflict = next(first, 'conflict')
    // Whether a process on another host lives cannot be told: it is not judged dead.
    const record = await agent.read<{ Meta: Record<string, string> }>('/v1/agent/service/both-1')
    const boot = '33333333-3333-4333-8333-333333333333.1.elsewhere'
    const taken = { ID: 'both-1', Name: 'both', Tags: ['second'], Meta: { ...record.Meta, 'proconsul-boot': boot } }
    await agent.request('PUT', '/v1/agent/service/register', { body: taken })
    expect(await conflict).toMatchObject({ id: 'both-1', other: { pid: 1, hostname: 'elsewhere' }, isOurs: false })
    expect(first.state).toBe('lost')
    await first.deregister()
    expect(await agent.read<object>('/v1/agent/service/both-1')).toMatchObject({ Tags: ['second'] })
    const second = newer.registerService({ name: 'both', id: 'both-1', tags: ['third'], check: { ttl: '2s' } })
    expect((await second).state).toBe('registered')
  })

  it('leave no ghost under another id when they are dead runs of the same service', async () => {
    const agent = await consulAgent()
    const dead = spawnSync(process.execPath, ['-e', ''])
    const boot = formatBoot({ ...ownBoot(), pid: dead.pid })
    const ghost = { ID: 'sweep-old', Name: 'sweep', Port: 80, Meta: { 'proconsul-boot': boot } }
    const other = { ...ghost, ID: 'sweep-other-port', Port: 81 }
    for (const record of [ghost, other]) {
      await agent.request('PUT', '/v1/agent/service/register', { body: record })
    }
    const registration = await client(agent.url).registerService({ name: 'sweep', port: 80 })
    expect(Object.keys(await agent.read<object>('/v1/agent/services')).sort()).toEqual(
      [registration.id, 'sweep-other-port'].sort(),
    )
  })
})

describe('a wall clock that jumps', () => {
  it.each([
    ['an hour ahead', 3_600_000],
    ['an hour back', -3_600_000],
  ])(
    '%s makes no service look dead, no heartbeat come late or early, and no loss go unrepaired',
    async (_where, byMs) => {
      const agent = await consulAgent()
      const check = { ttl: '3s' } as const
      const eventLoop = { criticalAfter: '1m' } as const
      const registration = await client(agent.url).registerService({ name: 'timely', check, eventLoop })
      const events = heard(registration)
      const { now } = Date
      afterTest(() => void (Date.now = now))
      const jumpedAt = performance.now()
      Date.now = () => now() + byMs
      let beats = 0
      registration.on('heartbeat', () => (beats += 1))
      const counts = new Set<number>()
      await eventually(
        async () => {
          counts.add(await passing(agent, 'timely'))
          expect(beats).toBeGreaterThanOrEqual(6)
        },
        { within: 12_000 },
      )
      expect(performance.now() - jumpedAt).toBeGreaterThan(3_000)
      expect([[...counts], events]).toEqual([[1], []])
      const restored = next(registration, 'restored')
      await agent.request('PUT', `/v1/agent/service/deregister/${registration.id}`)
      await restored
    },
  )
})

describe('a network on a bad day', () => {
  it('cuts the connection in the middle of the registration, and the service is there all the same', async () => {
    const agent = await consulAgent()
    const proxy = await FaultProxy.start(agent)
    afterTest(() => proxy.close())
    proxy.pause('toClient')
    const registering = client(`http://127.0.0.1:${proxy.port}`, { timeout: '1s' }).registerService({
      name: 'cut',
      check: { ttl: '3s' },
    })
    await eventually(() => expect(proxy.counters.requests.length).toBeGreaterThan(0))
    proxy.cut()
    proxy.resume('toClient')
    expect((await registering).state).toBe('registered')
    expect(await passing(agent, 'cut')).toBe(1)
  })
})

const RULES =
  'service_prefix "" { policy = "write" } node_prefix "" { policy = "read" } agent_prefix "" { policy = "read" }'

describe('a token that is revoked', () => {
  it('is followed by its successor: the service is registered again under that', async () => {
    const agent = await consulAgent({ acl: true })
    const first = await agent.acl.createToken(RULES)
    const second = await agent.acl.createToken(RULES)
    let token = first.secret
    const registration = await client(agent.url, { token: () => token }).registerService({
      name: 'secured',
      check: { ttl: '3s' },
    })
    await agent.acl.deleteToken(first)
    token = second.secret
    await eventually(async () => {
      const registrations = (await agent.logs()).match(/PUT url=\/v1\/agent\/service\/register/g)
      // A third one where the second was on its way when the change was noticed: it may have gone out under either.
      expect(registrations?.length).toBeGreaterThanOrEqual(2)
    })
    await registration.deregister()
    // With the old token at the agent the catalog would keep the service.
    expect(await agent.read<unknown[]>('/v1/catalog/service/secured')).toEqual([])
  })

  it('keeps nothing in the catalog of a dead run that had it, when a successor sweeps', async () => {
    const agent = await consulAgent({ acl: true })
    const [first, second] = [await agent.acl.createToken(RULES), await agent.acl.createToken(RULES)]
    const dead = formatBoot({ ...ownBoot(), pid: spawnSync(process.execPath, ['-e', '']).pid })
    const check = { TTL: '2s', Status: 'passing' }
    const ghost = { ID: 'leased-old', Name: 'leased', Port: 80, Meta: { 'proconsul-boot': dead }, Check: check }
    await agent.request('PUT', '/v1/agent/service/register', { body: ghost, token: first.secret })
    const ids = async (): Promise<readonly string[]> =>
      (await agent.read<{ ServiceID: string }[]>('/v1/catalog/service/leased')).map(({ ServiceID }) => ServiceID)
    await eventually(async () => expect(await ids()).toEqual(['leased-old']))
    await agent.acl.deleteToken(first)
    await eventually(async () => {
      expect(await agent.request('GET', '/v1/agent/checks', { token: first.secret })).toMatchObject({ status: 403 })
    })
    const definition = { name: 'leased', id: 'leased-new', port: 80 } as const
    await client(agent.url, { token: second.secret }).registerService(definition)
    await eventually(async () => expect(await ids()).toEqual(['leased-new']))
  })

  it('keeps no check in the catalog that the dead run had and its successor has not', async () => {
    const agent = await consulAgent({ acl: true })
    const [first, second] = [await agent.acl.createToken(RULES), await agent.acl.createToken(RULES)]
    const checks = ['service:leased', 'service:leased:2'].map((id) => ({ CheckID: id, TTL: '1h', Status: 'critical' }))
    const ghost = { ID: 'leased', Name: 'leased', Port: 80, Checks: checks }
    await agent.request('PUT', '/v1/agent/service/register', { body: ghost, token: first.secret })
    const listed = async (): Promise<readonly string[]> =>
      (await agent.read<{ CheckID: string }[]>('/v1/health/checks/leased')).map(({ CheckID }) => CheckID).sort()
    await eventually(async () => expect(await listed()).toEqual(['service:leased', 'service:leased:2']))
    await agent.acl.deleteToken(first)
    await eventually(async () => {
      expect(await agent.request('GET', '/v1/agent/checks', { token: first.secret })).toMatchObject({ status: 403 })
    })
    const definition = { name: 'leased', id: 'leased', port: 80, check: { ttl: '5s' } } as const
    await client(agent.url, { token: second.secret }).registerService(definition)
    await eventually(async () => {
      expect(await agent.read<unknown[]>('/v1/health/service/leased?passing')).toHaveLength(1)
    })
    expect(await listed()).toEqual(['service:leased'])
  })
})

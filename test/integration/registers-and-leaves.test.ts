import { hostname } from 'node:os'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { Proconsul } from '../../src/proconsul.js'
import type { ProconsulOptions } from '../../src/options/client-options.js'
import { startConsul, type ConsulAgent } from '../support/consul-agent.js'
import { eventually } from '../support/eventually.js'
import { expectNoLeaks } from '../support/leak-check.js'

let agent: ConsulAgent
const clients: Proconsul[] = []
beforeAll(async () => {
  agent = await startConsul()
})
afterAll(() => agent.close())
afterEach(async () => {
  for (const client of clients.splice(0)) await client.close()
})

function client(options: ProconsulOptions = {}): Proconsul {
  const made = new Proconsul({ address: agent.url, ...options })
  clients.push(made)
  return made
}

interface WireCheck {
  readonly CheckID: string
  readonly Type: string
  readonly Status: string
  readonly Output: string
}
const checksOf = async (service: string): Promise<readonly WireCheck[]> => agent.read(`/v1/health/checks/${service}`)
const passingIds = async (service: string): Promise<readonly string[]> => {
  const entries = await agent.read<{ Service: { ID: string } }[]>(`/v1/health/service/${service}?passing`)
  return entries.map(({ Service }) => Service.ID)
}

describe('a registration', () => {
  it('is passing in the catalog when registerService resolves, under a stable id', async () => {
    const registration = await client().registerService({ name: 'orders', port: 3000, tags: ['v2'], meta: { v: '1' } })
    expect(registration.id).toBe(`orders-${hostname()}-3000`)
    expect(registration.state).toBe('registered')
    expect(await passingIds('orders')).toEqual([registration.id])
    const service = await agent.read<object>(`/v1/agent/service/${registration.id}`)
    expect(service).toMatchObject({ Service: 'orders', Port: 3000, Tags: ['v2'], Meta: { v: '1' } })
    await registration.deregister()
    expect(registration.state).toBe('deregistered')
    expect(await passingIds('orders')).toEqual([])
  })

  it('is never passing while a probe fails, and says so within the moment', async () => {
    let isUp = false
    const registration = await client().registerService({
      name: 'ghost',
      check: {
        ttl: '3s',
        probes: {
          database: { run: () => (isUp ? undefined : Promise.reject(new Error('refused'))), interval: '50ms' },
        },
      },
    })
    expect(await passingIds('ghost')).toEqual([])
    const [check] = await checksOf('ghost')
    expect(check).toMatchObject({ Status: 'critical', CheckID: `service:${registration.id}` })
    isUp = true
    await eventually(async () => expect(await passingIds('ghost')).toHaveLength(1), { within: 1_000 })
    expect(registration.health).toMatchObject({ status: 'passing', probes: { database: { status: 'passing' } } })
    isUp = false
    await eventually(
      async () => {
        const checks = await agent.read<Record<string, WireCheck>>('/v1/agent/checks')
        expect(checks[`service:${registration.id}`]?.Output).toMatch(/^database: critical \(refused\)\n\{/)
      },
      { within: 1_000 },
    )
    expect(await passingIds('ghost')).toEqual([])
  })

  it('outlives its TTL many times over', async () => {
    const registration = await client().registerService({ name: 'beating', check: { ttl: '1s' } })
    let beats = 0
    registration.on('heartbeat', () => (beats += 1))
    await eventually(() => expect(beats).toBeGreaterThan(8), { within: 6_000 })
    expect(await passingIds('beating')).toHaveLength(1)
  })

  it('carries checks of every kind, and none when told so', async () => {
    const server = createServer((_request, response) => response.end()).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    try {
      const consul = client()
      await consul.registerService({ name: 'bare', checks: [] })
      expect(await checksOf('bare')).toEqual([])
      const registration = await consul.registerService({
        name: 'web',
        port,
        checks: [
          { type: 'http', url: `http://127.0.0.1:${port}/`, interval: '1s', timeout: '1s', headers: { a: 'b' } },
          { type: 'tcp', address: `127.0.0.1:${port}`, interval: '1s' },
          { type: 'grpc', address: `127.0.0.1:${port}`, interval: '1h', status: 'passing', useTls: false },
          { type: 'alias', service: `bare-${hostname()}` },
          { type: 'ttl', ttl: '5s', deregisterCriticalServiceAfter: '1m' },
        ],
      })
      await eventually(async () => {
        const statuses = (await checksOf('web')).map(({ Status }) => Status)
        expect(statuses).toEqual(['passing', 'passing', 'passing', 'passing', 'passing'])
      })
      await eventually(() => expect(registration.health.status).toBe('passing'), { within: 10_000 })
    } finally {
      server.close()
    }
  })

  it('tells of every status that a check of the agent gives it, from the first on', async () => {
    let code = 200
    const server = createServer((_request, response) => response.writeHead(code).end()).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    try {
      const check = { type: 'http', url: `http://127.0.0.1:${port}/`, interval: '1s' } as const
      const registration = await client().registerService({ name: 'asked', port, check })
      const heard: string[][] = []
      registration.on('health', (health, previous) =>
        heard.push([previous.status, health.status, registration.health.status]),
      )
      expect(registration.health.status).toBe('critical')
      for (const [answer, status] of [
        [200, 'passing'],
        [429, 'warning'],
        [500, 'critical'],
      ] as const) {
        code = answer
        await eventually(() => expect(heard.at(-1)?.at(-1)).toBe(status), { within: 10_000 })
      }
      expect(heard).toEqual([
        ['critical', 'passing', 'passing'],
        ['passing', 'warning', 'warning'],
        ['warning', 'critical', 'critical'],
      ])
    } finally {
      server.close()
    }
  }, 30_000)

  it('updates tags, meta, weights and checks without leaving discovery for a moment, and keeps a maintenance', async () => {
    const registration = await client().registerService({ name: 'changing', port: 1, check: { ttl: '5s' } })
    const seen: number[] = []
    const over = new AbortController()
    const watching = (async () => {
      while (!over.signal.aborted) seen.push((await passingIds('changing')).length)
    })()
    await registration.update({ tags: ['blue'], meta: { build: '7' }, weights: { passing: 9 } })
    await registration.update({
      checks: [{ ttl: '5s' }, { type: 'tcp', address: agent.address, interval: '1h', name: 'port' }],
    })
    await registration.update({ checks: [{ ttl: '5s' }] })
    over.abort()
    await watching
    expect(new Set(seen)).toEqual(new Set([1]))
    expect(await checksOf('changing')).toHaveLength(1)
    expect(await agent.read<object>(`/v1/agent/service/${registration.id}`)).toMatchObject({
      Tags: ['blue'],
      Meta: { build: '7' },
      Weights: { Passing: 9, Warning: 1 },
    })
    await registration.maintenance(true, 'migration')
    await registration.update({ tags: ['green'] })
    expect(await passingIds('changing')).toEqual([])
    await registration.maintenance(false)
    expect(await passingIds('changing')).toHaveLength(1)
  })

  it('changes its TTL in an update without a moment of being critical, and beats at the new pace', async () => {
    const registration = await client().registerService({ name: 'pace', check: { ttl: '60s' } })
    const seen: number[] = []
    const over = new AbortController()
    const watching = (async () => {
      while (!over.signal.aborted) seen.push((await passingIds('pace')).length)
    })()
    await registration.update({ check: { ttl: '1s' } })
    let beats = 0
    registration.on('heartbeat', () => (beats += 1))
    await eventually(() => expect(beats).toBeGreaterThan(6), { within: 5_000 })
    await registration.update({ tags: ['kept'] })
    over.abort()
    await watching
    expect(new Set(seen)).toEqual(new Set([1]))
  })

  it.each(['main', 'worker'] as const)(
    'takes new probes and a new TTL in an update, beating from %s',
    async (thread) => {
      const check = { ttl: '30s', probes: { a: () => true } } as const
      const registration = await client().registerService({ name: 'probing', check, heartbeat: { thread } })
      const refuse = () => Promise.reject(new Error('refused'))
      await registration.update({ check: { probes: { b: refuse } } })
      expect(registration.health).toMatchObject({ status: 'critical', probes: { b: { output: 'refused' } } })
      expect(registration.health.probes).not.toHaveProperty('a')
      await eventually(async () => expect(await passingIds('probing')).toEqual([]))
      await registration.update({ check: { ttl: '2s', probes: { c: () => true } } })
      await eventually(async () => expect(await passingIds('probing')).toHaveLength(1), { within: 1_000 })
      let beats = 0
      registration.on('heartbeat', () => (beats += 1))
      await eventually(() => expect(beats).toBeGreaterThan(3), { within: 5_000 })
      await registration.update({ check: { ttl: '3s' } })
      expect(Object.keys(registration.health.probes)).toEqual(['c'])
      expect(await passingIds('probing')).toHaveLength(1)
      await registration.update({ check: { probes: {} } })
      expect(registration.health).toEqual({ status: 'passing', probes: {} })
    },
  )

  it.each(['main', 'worker'] as const)(
    'takes another kind of check in an update without a moment of being away, beating from %s',
    async (thread) => {
      const registration = await client().registerService({ name: 'kind', check: { ttl: '2s' }, heartbeat: { thread } })
      const told: string[] = []
      for (const name of ['lost', 'repaired', 'heartbeatFailed'] as const) {
        registration.on(name, () => told.push(name))
      }
      const seen: number[] = []
      const over = new AbortController()
      const watching = (async () => {
        while (!over.signal.aborted) seen.push((await passingIds('kind')).length)
      })()
      const types = async (): Promise<unknown> => (await checksOf('kind')).map(({ Type }) => Type)
      await registration.update({ check: { type: 'tcp', address: agent.address, interval: '1s' } })
      expect(await types()).toEqual(['tcp'])
      await registration.update({ check: { id: 'of-its-own', ttl: '2s' } })
      expect(await types()).toEqual(['ttl'])
      await registration.update({ check: { id: 'of-another', ttl: '2s' } })
      let beats = 0
      registration.on('heartbeat', () => (beats += 1))
      await eventually(() => expect(beats).toBeGreaterThan(2), { within: 8_000 })
      await registration.update({ checks: [] })
      expect(await types()).toEqual([])
      await registration.update({ check: { ttl: '1s' } })
      await eventually(() => expect(beats).toBeGreaterThan(5), { within: 8_000 })
      over.abort()
      await watching
      expect(new Set(seen)).toEqual(new Set([1]))
      expect(told).toEqual([])
    },
  )

  it('carries out updates that are asked for together, one after the other', async () => {
    const registration = await client().registerService({ name: 'together', tags: ['a'], meta: { a: '1' } })
    await Promise.all([
      registration.update({ tags: ['b'] }),
      expect(registration.update({ weights: { passing: -1 } })).rejects.toMatchObject({
        code: 'PROCONSUL_INVALID_OPTION',
      }),
      registration.update({ meta: { b: '2' } }),
      registration.update({ weights: { passing: 7 } }),
    ])
    expect(await agent.read<object>(`/v1/agent/service/${registration.id}`)).toMatchObject({
      Tags: ['b'],
      Meta: { b: '2' },
      Weights: { Passing: 7, Warning: 1 },
    })
  })

  it('keeps nothing running after deregister, and never comes back', async () => {
    await expectNoLeaks(async () => {
      const consul = new Proconsul({ address: agent.url })
      const probes = { a: () => true }
      const registration = await consul.registerService({
        name: 'gone',
        check: { ttl: '1s', probes },
        eventLoop: true,
        heartbeat: { thread: 'worker' },
      })
      await Promise.all([registration.deregister({ drain: 10 }), registration.deregister()])
      await expect(registration.update({ tags: [] })).rejects.toMatchObject({ code: 'PROCONSUL_CLOSED' })
      expect(registration.state).toBe('deregistered')
      expect(await checksOf('gone')).toEqual([])
      await consul.close()
    })
  })

  it('deregisters any id by name, and one that is unknown without complaint', async () => {
    const consul = client()
    const registration = await consul.registerService({ name: 'named', id: 'named-1' })
    await consul.deregisterService('named-1')
    expect(registration.state).toBe('deregistered')
    await agent.request('PUT', '/v1/agent/service/register', { body: { Name: 'foreign' } })
    await consul.deregisterService('foreign')
    await consul.deregisterService('never-there')
    expect(Object.keys(await agent.read<object>('/v1/agent/services'))).toEqual([])
  })

  it('refuses the same id twice in one client, and what the agent would refuse', async () => {
    const consul = client()
    await consul.registerService({ name: 'twice' })
    await expect(consul.registerService({ name: 'twice' })).rejects.toMatchObject({ code: 'PROCONSUL_CONFLICT' })
    await expect(consul.registerService({ name: 'many', ports: [{ name: 'http', port: 80 }] })).rejects.toMatchObject({
      code: 'PROCONSUL_INVALID_OPTION',
    })
    expect(consul.registrations).toHaveLength(1)
  })

  it('refuses the id of a check that another registration of the client has, and goes on undisturbed', async () => {
    const consul = client()
    const check = { id: 'alive', ttl: '3s' } as const
    const first = await consul.registerService({ name: 'http', id: 'http', check })
    const conflict = { code: 'PROCONSUL_CONFLICT', message: /check with the id alive already, of http/ }
    await expect(consul.registerService({ name: 'grpc', id: 'grpc', check })).rejects.toMatchObject(conflict)
    const second = await consul.registerService({ name: 'grpc', id: 'grpc' })
    await expect(second.update({ check })).rejects.toMatchObject(conflict)
    expect((await checksOf('grpc')).map(({ CheckID }) => CheckID)).toEqual(['service:grpc'])
    expect(await checksOf('http')).toMatchObject([{ CheckID: 'alive', Status: 'passing' }])
    await first.update({ check: { id: 'other' } })
    await second.update({ check })
    expect(await checksOf('grpc')).toMatchObject([{ CheckID: 'alive', Status: 'passing' }])
  })

  it('refuses a signal that is none and a reason that is no text, naming them, before any request', async () => {
    const consul = client({ address: 'http://127.0.0.1:1' })
    const signal = {} as AbortSignal
    const refused = { code: 'PROCONSUL_INVALID_OPTION', message: expect.stringContaining('signal') as string }
    await expect(consul.registerService({ name: 'unsent' }, { signal })).rejects.toMatchObject(refused)
    await expect(consul.deregisterService('unsent', { signal })).rejects.toMatchObject(refused)
    const registration = await consul.registerService({ name: 'unsent' }, { background: true })
    await expect(registration.maintenance(true, 5 as unknown as string)).rejects.toMatchObject({
      code: 'PROCONSUL_INVALID_OPTION',
      message: expect.stringContaining('reason') as string,
    })
    await expect(registration.deregister({ signal })).rejects.toMatchObject(refused)
  })

  it('raises the weight of a fresh instance step by step', async () => {
    const registration = await client().registerService({
      name: 'slow',
      weights: { passing: 10 },
      slowStart: '1s',
      check: { ttl: '5s' },
    })
    const weight = async (): Promise<number> =>
      (await agent.read<{ Weights: { Passing: number } }>(`/v1/agent/service/${registration.id}`)).Weights.Passing
    expect(await weight()).toBeLessThan(5)
    await eventually(async () => expect(await weight()).toBe(10), { within: 3_000 })
    expect(await passingIds('slow')).toHaveLength(1)
  })

  it('warns in time of a name that DNS cannot carry, and registers it', async () => {
    const warned: string[] = []
    const logger = { debug: () => 0, info: () => 0, warn: (_f: object, m: string) => warned.push(m), error: () => 0 }
    await client({ logger }).registerService({ name: 'my_orders' })
    expect(warned).toEqual(['a service of this name cannot be found through DNS'])
  })
})

describe('probes over HTTP', () => {
  it('serves /healthz, /livez and /readyz from what Consul is told', async () => {
    const consul = client()
    let status = 'passing'
    const handler = consul.healthHandler()
    const server = createServer((request, response) => handler(request, response)).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const ask = async (path: string) => {
      const answer = await fetch(base + path)
      return { status: answer.status, body: await answer.json() }
    }
    try {
      expect((await ask('/readyz')).status).toBe(503)
      const probes = { db: { run: () => status, interval: 20 } }
      const registration = await consul.registerService({ name: 'handled', check: { ttl: '5s', probes } })
      expect(await ask('/readyz')).toMatchObject({ status: 200, body: { ready: true } })
      expect(await ask('/healthz?verbose')).toMatchObject({
        status: 200,
        body: { status: 'passing', services: [{ id: registration.id, probes: { db: { status: 'passing' } } }] },
      })
      status = 'warning'
      await eventually(async () => expect((await ask('/healthz')).status).toBe(429))
      expect((await ask('/readyz')).status).toBe(200)
      status = 'critical'
      await eventually(async () => expect((await ask('/healthz')).status).toBe(503))
      expect((await ask('/readyz')).status).toBe(503)
      expect((await ask('/livez')).status).toBe(200)
      expect((await ask('/other')).status).toBe(404)
      status = 'passing'
      await eventually(async () => expect((await ask('/readyz')).status).toBe(200))
      const leaving = registration.deregister({ drain: '100ms' })
      expect((await ask('/readyz')).status).toBe(503)
      await leaving
    } finally {
      server.close()
    }
  })
})

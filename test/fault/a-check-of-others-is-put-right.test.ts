import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { createServer as createTcpServer, type AddressInfo, type Server } from 'node:net'
import { describe, expect, it } from 'vitest'
import type { Registration } from '../../src/registration/registration.js'
import { startEmbeddedConsul } from '../../src/testing/index.js'
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

/** A server that answers every request, and counts what it is asked and how often someone connects. */
async function answering(status = 200) {
  const asked = { requests: 0, connections: 0 }
  const server = createHttpServer((_request, response) => {
    asked.requests += 1
    response.writeHead(status, { connection: 'close' }).end()
  })
  server.on('connection', () => (asked.connections += 1))
  const port = await listening(server)
  return { port, url: `http://127.0.0.1:${port}/`, asked }
}

interface ShownCheck {
  readonly Type: string
  readonly Name: string
  readonly Notes: string
  readonly Status: string
}

async function shown(agent: ConsulAgent, id: string): Promise<ShownCheck | undefined> {
  return (await agent.read<Record<string, ShownCheck>>('/v1/agent/checks'))[id]
}

async function replaceCheck(agent: ConsulAgent, registration: Registration, check: object): Promise<void> {
  const body = { ID: `service:${registration.id}`, ServiceID: registration.id, Name: 'theirs', ...check }
  expect((await agent.request('PUT', '/v1/agent/check/register', { body })).status).toBe(200)
}

function repaired(registration: Registration): Promise<readonly string[]> {
  return new Promise((resolve) => registration.once('repaired', ({ fields }) => resolve(fields)))
}

/** A way to the agent that counts what is asked. */
async function counted(target: { readonly host: string; readonly port: number }) {
  const proxy = await FaultProxy.start(target)
  afterTest(() => proxy.close())
  const count = (request: string): number => proxy.counters.requests.filter((line) => line.startsWith(request)).length
  /** Resolves when the records have been compared so many times more. */
  const looks = async (more: number): Promise<void> => {
    const before = count('GET /v1/agent/checks')
    const compared = () => expect(count('GET /v1/agent/checks')).toBeGreaterThanOrEqual(before + more)
    await eventually(compared, { within: more * 10_000, every: 100 })
  }
  return { url: `http://127.0.0.1:${proxy.port}`, count, looks }
}

describe('a check that another process replaced', { timeout: 60_000 }, () => {
  it('by one of another kind is put right, and the other is not carried out any more', async () => {
    const agent = await consulAgent()
    const [ours, theirs] = [await answering(), await answering(500)]
    const registration = await client(agent.url).registerService({
      name: 'kind',
      check: { type: 'tcp', address: `127.0.0.1:${ours.port}`, interval: '1s', notes: 'ours' },
    })
    const id = `service:${registration.id}`
    await eventually(() => expect(registration.health.status).toBe('passing'), { within: 10_000 })
    const fields = repaired(registration)
    await replaceCheck(agent, registration, { HTTP: theirs.url, Interval: '1s' })
    await eventually(() => expect(theirs.asked.requests).toBeGreaterThan(0))
    expect(await fields).toEqual([`check ${id} type`, `check ${id} name`, `check ${id} notes`])
    // What the others' check found has not come to be the status of ours.
    expect(await shown(agent, id)).toMatchObject({ Type: 'tcp', Notes: 'ours', Status: 'passing' })
    const [before, connections] = [theirs.asked.requests, ours.asked.connections]
    await eventually(() => expect(ours.asked.connections).toBeGreaterThan(connections + 2), { within: 10_000 })
    expect(theirs.asked.requests).toBe(before)
    expect(await shown(agent, id)).toMatchObject({ Type: 'tcp', Status: 'passing' })
  })

  it('by an HTTP check gives way to the heartbeats again, and the service stays passing', async () => {
    const agent = await consulAgent()
    const theirs = await answering(500)
    const registration = await client(agent.url).registerService({ name: 'beating', check: { ttl: '3s' } })
    const id = `service:${registration.id}`
    const fields = repaired(registration)
    await replaceCheck(agent, registration, { HTTP: theirs.url, Interval: '1s' })
    expect(await fields).toEqual([`check ${id} type`, `check ${id} name`])
    await eventually(async () => expect(await shown(agent, id)).toMatchObject({ Type: 'ttl', Status: 'passing' }))
    const before = theirs.asked.requests
    let beats = 0
    registration.on('heartbeat', () => (beats += 1))
    await eventually(() => expect(beats).toBeGreaterThan(3), { within: 10_000 })
    expect(theirs.asked.requests).toBe(before)
    expect(registration.state).toBe('registered')
  })

  it('by one of the same kind gets its name and notes back', async () => {
    const agent = await consulAgent()
    const registration = await client(agent.url).registerService({
      name: 'named',
      check: { ttl: '3s', name: 'alive', notes: 'told by heartbeats' },
    })
    const id = `service:${registration.id}`
    const fields = repaired(registration)
    await replaceCheck(agent, registration, { TTL: '3s', Notes: 'theirs' })
    expect(await fields).toEqual([`check ${id} name`, `check ${id} notes`])
    expect(await shown(agent, id)).toMatchObject({ Name: 'alive', Notes: 'told by heartbeats', Status: 'passing' })
  })

  it('by one with another interval or timeout is put right, where the agent shows these', async () => {
    await using agent = await startEmbeddedConsul({ version: '1.22' })
    const ours = await answering()
    const registration = await client(agent.url).registerService({
      name: 'timed',
      check: { type: 'http', url: ours.url, interval: '90s', timeout: '1500ms', status: 'passing' },
    })
    const id = `service:${registration.id}`
    const fields = repaired(registration)
    const body = { ID: id, ServiceID: registration.id, Name: "Service 'timed' check", HTTP: ours.url }
    const response = await fetch(`${agent.url}/v1/agent/check/register`, {
      method: 'PUT',
      body: JSON.stringify({ ...body, Interval: '10s', Timeout: '5s' }),
    })
    expect(response.status).toBe(200)
    expect(await fields).toEqual([`check ${id} interval`, `check ${id} timeout`])
    const checks = (await (await fetch(`${agent.url}/v1/agent/checks`)).json()) as Record<string, object>
    expect(checks[id]).toMatchObject({ Interval: '1m30s', Timeout: '1.5s', Status: 'passing' })
  })
})

describe('a service that nobody touches', { timeout: 60_000 }, () => {
  it('is never repaired, whatever kinds of checks it has, nor after a restart of the agent with its state', async () => {
    const agent = await consulAgent({ durable: true })
    const { port, url } = await answering()
    const tcp = await listening(createTcpServer((socket) => socket.destroy()))
    const way = await counted(agent)
    const consul = client(way.url)
    const first = await consul.registerService({ name: 'one', check: { ttl: '90s', notes: ' <&> "ü"\n' } })
    const second = await consul.registerService({
      name: 'many',
      checks: [
        { ttl: '3s', name: 'ttl' },
        { type: 'http', url, interval: '61s', timeout: '1.5s' },
        { type: 'tcp', address: `127.0.0.1:${tcp}`, timeout: '250ms' },
        { type: 'grpc', address: `127.0.0.1:${port}/health`, interval: 1_500 },
        { type: 'alias', service: first.id },
      ],
    })
    const events: unknown[] = []
    for (const registration of [first, second]) {
      registration.on('repaired', (details) => void events.push(details))
      registration.on('lost', (details) => void events.push(details))
    }
    await way.looks(3)
    await agent.restart()
    await way.looks(2)
    expect(events).toEqual([])
    expect(way.count('PUT /v1/agent/service/register')).toBe(2)
    expect(way.count('PUT /v1/agent/check/deregister')).toBe(0)
  })

  it('is never repaired by an agent that shows intervals and timeouts either', async () => {
    await using agent = await startEmbeddedConsul({ version: '1.22' })
    const { port, url } = await answering()
    const { hostname: host, port: agentPort } = new URL(agent.url)
    const way = await counted({ host, port: Number(agentPort) })
    const registration = await client(way.url).registerService({
      name: 'many',
      checks: [
        { ttl: '3s' },
        { type: 'http', url, interval: '90s', timeout: '1.5s' },
        { type: 'tcp', address: `127.0.0.1:${port}`, timeout: '250ms' },
        { type: 'grpc', address: `127.0.0.1:${port}`, interval: 1_500 },
        { type: 'alias', service: 'other' },
      ],
    })
    const events: unknown[] = []
    registration.on('repaired', (details) => void events.push(details))
    await way.looks(2)
    expect(events).toEqual([])
    expect(way.count('PUT /v1/agent/service/register')).toBe(1)
  })
})

describe('what an earlier run left under the id', { timeout: 60_000 }, () => {
  it('is not carried out any more beside a check of another kind', async () => {
    const agent = await consulAgent()
    const theirs = await answering(500)
    const check = { CheckID: 'service:inherited', HTTP: theirs.url, Interval: '1s' }
    const body = { ID: 'inherited', Name: 'inherited', Checks: [check] }
    await agent.request('PUT', '/v1/agent/service/register', { body })
    await eventually(() => expect(theirs.asked.requests).toBeGreaterThan(0))
    const registration = await client(agent.url).registerService({
      name: 'inherited',
      id: 'inherited',
      check: { ttl: '3s' },
    })
    const before = theirs.asked.requests
    let beats = 0
    registration.on('heartbeat', () => (beats += 1))
    await eventually(() => expect(beats).toBeGreaterThan(3), { within: 10_000 })
    expect(theirs.asked.requests).toBe(before)
    expect(await shown(agent, 'service:inherited')).toMatchObject({ Type: 'ttl', Status: 'passing' })
  })
  it('does not hold the service critical with a check that it has no more', async () => {
    const agent = await consulAgent()
    const checks = [{ TTL: '60s' }, { TTL: '60s' }, { CheckID: 'by-hand', TTL: '60s', Status: 'passing' }]
    const body = { ID: 'fewer', Name: 'fewer', Checks: checks }
    await agent.request('PUT', '/v1/agent/service/register', { body })
    await agent.request('PUT', '/v1/agent/service/maintenance/fewer?enable=true')
    await client(agent.url).registerService({ name: 'fewer', id: 'fewer', check: { ttl: '3s' } })
    const left = Object.keys(await agent.read<object>('/v1/agent/checks')).sort()
    expect(left).toEqual(['_service_maintenance:fewer', 'by-hand', 'service:fewer'])
    await agent.request('PUT', '/v1/agent/service/maintenance/fewer?enable=false')
    expect(await agent.read<unknown[]>('/v1/health/service/fewer?passing')).toHaveLength(1)
  })
})

describe('an update to another kind of check', { timeout: 60_000 }, () => {
  it('ends the old one and keeps the status', async () => {
    const agent = await consulAgent()
    const [old, next] = [await answering(), await answering()]
    const registration = await client(agent.url).registerService({
      name: 'updated',
      check: { type: 'http', url: old.url, interval: '1s' },
    })
    const id = `service:${registration.id}`
    await eventually(() => expect(registration.health.status).toBe('passing'), { within: 10_000 })
    await registration.update({ check: { type: 'tcp', address: `127.0.0.1:${next.port}`, interval: '1s' } })
    expect(await shown(agent, id)).toMatchObject({ Type: 'tcp', Status: 'passing' })
    const before = old.asked.requests
    await eventually(() => expect(next.asked.connections).toBeGreaterThan(2), { within: 10_000 })
    expect(old.asked.requests).toBe(before)
  })
})

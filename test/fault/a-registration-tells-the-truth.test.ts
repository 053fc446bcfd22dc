import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { Proconsul } from '../../src/proconsul.js'
import { startConsul, type ConsulAgent } from '../support/consul-agent.js'
import { startConsulCluster } from '../support/consul-cluster.js'
import { eventually } from '../support/eventually.js'
import { afterTest, client, consulAgent } from '../support/opened.js'

const VICTIM = fileURLToPath(new URL('../../bench/registration/victim.ts', import.meta.url))
async function passing(agent: ConsulAgent, service: string): Promise<number> {
  return (await agent.read<unknown[]>(`/v1/health/service/${service}?passing`)).length
}

describe('a process that is killed', () => {
  it('is critical within its TTL', async () => {
    const agent = await consulAgent()
    const args = ['ours', agent.host, String(agent.port), '2000']
    const child = fork(VICTIM, args, { execArgv: ['--import', 'tsx'] })
    await once(child, 'message')
    expect(await passing(agent, 'ours')).toBe(1)
    child.kill('SIGKILL')
    const killedAt = performance.now()
    await eventually(async () => expect(await passing(agent, 'ours')).toBe(0))
    expect(performance.now() - killedAt).toBeLessThan(4_000)
  })
})

describe('an agent that stands still', () => {
  it('has the service passing within a second after it goes on, though the TTL ran out meanwhile', async () => {
    const agent = await consulAgent()
    const registration = await client(agent.url).registerService({ name: 'still', check: { ttl: '2s' } })
    let failures = 0
    registration.on('heartbeatFailed', () => (failures += 1))
    await agent.pause()
    await eventually(() => expect(failures).toBeGreaterThan(3), { within: 10_000 })
    await agent.resume()
    await eventually(async () => expect(await passing(agent, 'still')).toBe(1), { within: 1_000 })
    expect(registration.state).toBe('registered')
  })
})

describe('a cluster that loses its leader', { timeout: 60_000 }, () => {
  it('keeps the service passing, for steady heartbeats need no leader', async () => {
    await using cluster = await startConsulCluster()
    const consul = new Proconsul({ address: cluster.client.url })
    const registration = await consul.registerService({ name: 'led', check: { ttl: '2s' } })
    const failures: string[] = []
    registration.on('heartbeatFailed', ({ code }) => failures.push(code))
    await cluster.killLeader()
    await cluster.leader()
    let beats = 0
    registration.on('heartbeat', () => (beats += 1))
    await eventually(() => expect(beats).toBeGreaterThan(2))
    await eventually(async () => expect(await passing(cluster.client, 'led')).toBe(1))
    const [check] = await cluster.client.read<{ Status: string; Output: string }[]>('/v1/health/checks/led')
    expect(check).toMatchObject({ Status: 'passing', Output: expect.not.stringContaining('TTL') as string })
    // An answer may wait while the agent syncs an earlier change: that beat has counted all the same.
    expect(failures.filter((code) => code !== 'PROCONSUL_TIMEOUT')).toEqual([])
    await consul.close()
  })
})

describe('an agent that refuses', () => {
  it('fails the registration at once, where trying again is of no use, and goes on trying in the background', async () => {
    const agent = await startConsul({ acl: true })
    afterTest(() => agent.close())
    const weak = await agent.acl.createToken('node_prefix "" { policy = "read" }')
    const consul = client(agent.url, { token: weak.secret })
    const startedAt = performance.now()
    await expect(consul.registerService({ name: 'denied' })).rejects.toMatchObject({
      code: 'PROCONSUL_PERMISSION_DENIED',
    })
    expect(performance.now() - startedAt).toBeLessThan(3_000)
    const background = await consul.registerService({ name: 'denied' }, { background: true })
    let tries = 0
    background.on('registerFailed', () => (tries += 1))
    await eventually(() => expect(tries).toBeGreaterThan(2))
    await background.deregister().catch(() => undefined)
  })
})

describe('a registration that does not come about in time', () => {
  it('names the probes that it waits for', async () => {
    const agent = await consulAgent()
    const hang = () => new Promise(() => undefined)
    const check = { probes: { database: hang, queue: hang, cache: () => true } }
    await expect(client(agent.url).registerService({ name: 'late', check }, { timeout: 200 })).rejects.toMatchObject({
      code: 'PROCONSUL_TIMEOUT',
      message: expect.stringMatching(/within 200ms; no result yet from its probes: database, queue$/) as string,
    })
    expect(await agent.read('/v1/agent/services')).toEqual({})
  })
})

describe('several registrations', () => {
  it('leave in parallel, under one deadline', async () => {
    const agent = await consulAgent()
    const consul = client(agent.url)
    await Promise.all(
      Array.from({ length: 20 }, (_, index) => consul.registerService({ name: `s${index}`, check: { ttl: '10s' } })),
    )
    const startedAt = performance.now()
    const { leftBehind } = await consul.close({ timeout: '5s' })
    expect(leftBehind).toEqual([])
    expect(performance.now() - startedAt).toBeLessThan(2_000)
    expect(await agent.read('/v1/agent/services')).toEqual({})
  })

  it('do not hold up the end with a drain that is under way already', async () => {
    const agent = await consulAgent()
    const consul = client(agent.url)
    const registration = await consul.registerService({ name: 'draining', check: { ttl: '10s' } })
    const leaving = registration.deregister({ drain: '60s' }).catch(() => undefined)
    await eventually(async () => expect(await passing(agent, 'draining')).toBe(0))
    const startedAt = performance.now()
    await consul.close({ timeout: '1s' })
    await leaving
    expect(performance.now() - startedAt).toBeLessThan(2_000)
  })
})

describe('an update that fails', () => {
  it('has no effect, and the next one starts from what is registered', async () => {
    const agent = await consulAgent()
    const consul = client(agent.url)
    const registration = await consul.registerService({ name: 'changed', tags: ['a'], check: { ttl: '10s' } })
    await agent.kill()
    await expect(registration.update({ tags: ['b'], meta: { x: '1' } })).rejects.toMatchObject({
      code: 'PROCONSUL_UNAVAILABLE',
    })
    await agent.start()
    await eventually(async () => expect(await passing(agent, 'changed')).toBe(1), { within: 5_000 })
    await registration.update({ meta: { y: '2' } })
    const record = await agent.read<{ Tags: string[]; Meta: object }>(`/v1/agent/service/${registration.id}`)
    expect(record).toMatchObject({ Tags: ['a'], Meta: { y: '2' } })
    expect(record.Meta).not.toHaveProperty('x')
  })

  it('leaves the heartbeats as they were when it was to another kind of check', async () => {
    const agent = await consulAgent()
    const registration = await client(agent.url).registerService({ name: 'kept', check: { ttl: '2s' } })
    await agent.kill()
    await expect(
      registration.update({ check: { type: 'tcp', address: agent.address, interval: '1s' } }),
    ).rejects.toMatchObject({ code: 'PROCONSUL_UNAVAILABLE' })
    await agent.start()
    let beats = 0
    registration.on('heartbeat', () => (beats += 1))
    await eventually(() => expect(beats).toBeGreaterThan(4), { within: 10_000 })
    expect(await passing(agent, 'kept')).toBe(1)
  })
})

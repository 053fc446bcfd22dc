/**
 * The client on an embedded agent that has a bad day: the quick twins of tests in `test/fault`, which have the same days on a real Consul.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Proconsul } from '../../src/proconsul.js'
import { startEmbeddedConsul, type EmbeddedConsul } from '../../src/testing/index.js'
import { eventually } from '../support/eventually.js'
import { WireClient } from './support/wire-client.js'

let agent: EmbeddedConsul
let http: WireClient
let consul: Proconsul

beforeEach(async () => {
  agent = await startEmbeddedConsul()
  http = new WireClient(() => agent)
  consul = new Proconsul({ address: agent.url, timeout: '1s' })
})

afterEach(async () => {
  await consul.close({ timeout: '500ms' })
  http.close()
  await agent.close()
})

const startUser = (id: string) =>
  http.put('/v1/agent/service/register', { ID: id, Name: 'users', Port: 80, Check: { TTL: '1h', Status: 'passing' } })

describe('the client on an agent that', () => {
  test('restarts without its state: is registered and passing again, and sees the new instances', async () => {
    await consul.registerService({ name: 'orders', port: 3000, check: { ttl: '3s' } })
    await startUser('a')
    const users = consul.watchService('users')
    await users.ready()
    await agent.restart()
    http.close()
    await startUser('b')
    await eventually(() => expect(users.instances.map(({ id }) => id)).toEqual(['b']))
    await eventually(async () => expect((await http.get('/v1/health/service/orders?passing')).json()).toHaveLength(1))
  })

  test('loses its leader: keeps what it knew, marked stale, and recovers', async () => {
    await startUser('a')
    const users = consul.watchService('users')
    await users.ready()
    await eventually(() => expect(agent.blockedQueries).toBeGreaterThan(0))
    const fault = agent.faults.noLeader({ failBlocked: true })
    await eventually(() => expect(users.snapshot.stale).toBe(true))
    expect(users.instances.map(({ id }) => id)).toEqual(['a'])
    await startUser('b')
    fault.remove()
    await eventually(() => expect(users.instances.map(({ id }) => id).sort()).toEqual(['a', 'b']))
    expect(users.snapshot.stale).toBe(false)
  })

  test('hangs: gives up in time with a typed error, and goes on afterwards', async () => {
    const fault = agent.faults.hang({ path: '/v1/kv' })
    const began = performance.now()
    await expect(consul.kv.get('a')).rejects.toMatchObject({ code: 'PROCONSUL_TIMEOUT' })
    expect(performance.now() - began).toBeLessThan(3_000)
    fault.remove()
    await consul.kv.set('a', '1')
    expect(await consul.kv.get('a')).toBeDefined()
  })

  test('answers garbage, cuts bodies and counts backwards: keeps the last good list', async () => {
    await startUser('a')
    const users = consul.watchService('users')
    await users.ready()
    for (const fault of [
      agent.faults.garbage({ path: '/v1/health', times: 1 }),
      agent.faults.cut({ path: '/v1/health', times: 1 }),
      agent.faults.indexBackwards({ path: '/v1/health', times: 1 }),
    ]) {
      agent.wakeBlockedQueries()
      await eventually(() => expect(fault.hits).toBe(1), { within: 10_000 })
      expect(users.instances.map(({ id }) => id)).toEqual(['a'])
    }
    await startUser('b')
    await eventually(() => expect(users.instances).toHaveLength(2), { within: 10_000 })
  })
})

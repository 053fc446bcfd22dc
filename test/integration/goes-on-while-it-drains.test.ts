import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Proconsul } from '../../src/index.js'
import { startConsul, type ConsulAgent } from '../support/consul-agent.js'
import { eventually } from '../support/eventually.js'
import { afterTest } from '../support/opened.js'

let agent: ConsulAgent
beforeAll(async () => {
  agent = await startConsul()
})
afterAll(() => agent.close())

const ORDERS = { name: 'orders', id: 'orders-1', address: '127.0.0.1', port: 3000, check: { ttl: '10s' } } as const

/** A client that drains until the test lets it go on; it stands in its own hook then. */
async function draining(): Promise<{ consul: Proconsul; settings: { value: { level: string } } }> {
  const consul = new Proconsul({ address: agent.url })
  await agent.request('PUT', '/v1/kv/config/drained/level', { body: 'info' })
  const settings = await consul.config<{ level: string }>({ layers: ['config/drained'] })
  await consul.registerService(ORDERS)
  let finish = (): void => undefined
  const finished = new Promise<void>((resolve) => (finish = resolve))
  const closing = consul.close({
    drain: '100ms',
    timeout: '20s',
    onDrained: () => finished,
  })
  afterTest(async () => {
    finish()
    expect(await closing).toEqual({ leftBehind: [] })
  })
  await eventually(async () => expect(Object.keys(await agent.read<object>('/v1/agent/services'))).toEqual([]))
  return { consul, settings }
}

describe('a client that drains', () => {
  it('finds instances, and follows those that come', async () => {
    const { consul } = await draining()
    const users = consul.watchService('users')
    expect(await users.ready()).toMatchObject({ instances: [] })
    await agent.request('PUT', '/v1/agent/service/register', { body: { Name: 'users', ID: 'users-1', Port: 80 } })
    afterTest(() => agent.request('PUT', '/v1/agent/service/deregister/users-1'))
    await eventually(() => expect(users.instances).toHaveLength(1))
    expect(await consul.discover('users')).toHaveLength(1)
  })

  it('follows its configuration, opens another, and reads and writes keys', async () => {
    const { consul, settings } = await draining()
    await consul.kv.set('config/drained/level', 'debug')
    await eventually(() => expect(settings.value.level).toBe('debug'))
    const other = await consul.config<{ level: string }>({ layers: ['config/drained'] })
    expect(other.value.level).toBe('debug')
    expect((await consul.kv.get('config/drained/level'))?.value).toBe('debug')
  })

  it('deregisters a service of others', async () => {
    const { consul } = await draining()
    await agent.request('PUT', '/v1/agent/service/register', { body: { Name: 'foreign' } })
    await consul.deregisterService('foreign')
    expect(Object.keys(await agent.read<object>('/v1/agent/services'))).toEqual([])
  })

  it('registers nothing, and takes no new order to leave', async () => {
    const { consul } = await draining()
    const closed = { code: 'PROCONSUL_CLOSED' }
    await expect(consul.registerService({ ...ORDERS, id: 'orders-2' })).rejects.toMatchObject(closed)
    await expect(consul.registerService(ORDERS, { background: true })).rejects.toMatchObject(closed)
    expect(() => consul.shutdownOnSignals()).toThrow(expect.objectContaining(closed))
  })

  it('keeps closed what was closed', async () => {
    const { consul } = await draining()
    const users = consul.watchService('users')
    await users.close()
    await expect(users.ready()).rejects.toMatchObject({ code: 'PROCONSUL_CLOSED' })
  })
})

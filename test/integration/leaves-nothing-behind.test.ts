import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Proconsul } from '../../src/index.js'
import { startConsul, type ConsulAgent } from '../support/consul-agent.js'
import { expectNoLeaks } from '../support/leak-check.js'

let agent: ConsulAgent
beforeAll(async () => {
  agent = await startConsul()
})
afterAll(() => agent.close())

async function useEverything(consul: Proconsul): Promise<void> {
  await consul.registerService({
    name: 'everything',
    address: '127.0.0.1',
    port: 3000,
    check: { type: 'ttl', ttl: '10s' },
  })
  const watcher = consul.watchService('everything')
  await watcher.ready()
  expect(watcher.instances).toHaveLength(1)
  consul.watchServices()
  consul.kv.watch('everything/key')
  const settings = await consul.config({ layers: ['config/everything'], defaults: {} })
  settings.on('change', () => undefined)
  consul.shutdownOnSignals()
}

const registered = async (): Promise<readonly string[]> => Object.keys(await agent.read<object>('/v1/agent/services'))

describe('after the end', () => {
  it('of close, no timer, socket or listener is left, and the service is gone from Consul', async () => {
    const signalListeners = process.listenerCount('SIGTERM')
    await expectNoLeaks(async () => {
      const consul = new Proconsul({ address: agent.address })
      await useEverything(consul)
      const closing = consul.close()
      expect(consul.close()).toBe(closing)
      expect(await closing).toEqual({ leftBehind: [] })
    })
    expect(await registered()).toEqual([])
    expect(process.listenerCount('SIGTERM')).toBe(signalListeners)
  })

  it('of an `await using` block, neither', async () => {
    await expectNoLeaks(async () => {
      await using consul = new Proconsul({ address: agent.address })
      await useEverything(consul)
      expect(await registered()).toHaveLength(1)
    })
    expect(await registered()).toEqual([])
  })

  it('of a client that did nothing, neither', async () => {
    await expectNoLeaks(async () => {
      await using consul = new Proconsul({ address: agent.address })
      expect(consul).toBeInstanceOf(Proconsul)
    })
  })

  it('a hook that closes the client itself, or waits for that, holds up nobody', async () => {
    const consul = new Proconsul({ address: agent.address })
    const report = await consul.close({ timeout: '5s', onDrained: async () => await consul.close() })
    expect(report).toEqual({ leftBehind: [] })
  })

  it('every call is refused with PROCONSUL_CLOSED', async () => {
    const consul = new Proconsul({ address: agent.address })
    await consul.close()
    const closed = { code: 'PROCONSUL_CLOSED' }
    const definition = { name: 'late', address: '127.0.0.1', port: 1, check: { type: 'ttl', ttl: '10s' } } as const
    await expect(consul.registerService(definition)).rejects.toMatchObject(closed)
    await expect(consul.deregisterService('late')).rejects.toMatchObject(closed)
    await expect(consul.discover('late')).rejects.toMatchObject(closed)
    await expect(consul.config({ layers: ['late'] })).rejects.toMatchObject(closed)
    await expect(consul.kv.get('late')).rejects.toMatchObject(closed)
    await expect(consul.status.leader()).rejects.toMatchObject(closed)
    expect(() => consul.watchService('late')).toThrow(expect.objectContaining(closed))
    expect(() => consul.watchServices()).toThrow(expect.objectContaining(closed))
    expect(() => consul.shutdownOnSignals()).toThrow(expect.objectContaining(closed))
  })
})

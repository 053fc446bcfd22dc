import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startConsul, type ConsulAgent } from '../support/consul-agent.js'
import { askConsul, type HttpAnswer } from '../support/consul-http.js'
import { eventually } from '../support/eventually.js'
import { FaultProxy } from '../support/fault-proxy.js'
import { expectNoLeaks } from '../support/leak-check.js'

const LEADER = '/v1/status/leader'
const BIG = '/v1/kv/big?raw'

describe('the fault proxy before a real Consul', () => {
  let agent: ConsulAgent

  beforeAll(async () => {
    agent = await startConsul()
    await agent.request('PUT', '/v1/kv/big', { body: 'x'.repeat(200_000) })
  })
  afterAll(() => agent.close())

  const throughProxy = (body: (proxy: FaultProxy, get: Get) => Promise<void>): Promise<void> =>
    expectNoLeaks(async () => {
      await using proxy = await FaultProxy.start(agent)
      await body(proxy, (path, within = 5_000) => askConsul(proxy, 'GET', path, { within }))
    })

  it('passes everything on, and counts it', () =>
    throughProxy(async (proxy, get) => {
      expect((await get(BIG)).text).toHaveLength(200_000)
      expect((await get(LEADER)).status).toBe(200)
      const { connections, bytesToClient, requests } = proxy.counters
      expect(connections).toBe(2)
      expect(bytesToClient).toBeGreaterThan(200_000)
      expect(requests).toEqual([`GET ${BIG}`, `GET ${LEADER}`])
      await eventually(() => expect(proxy.counters.open).toBe(0))
    }))

  it.each(['toServer', 'toClient'] as const)('holds back one direction until it resumes: %s', (direction) =>
    throughProxy(async (proxy, get) => {
      proxy.pause(direction)
      await expect(get(LEADER, 150)).rejects.toThrow('no answer')
      const answer = get(BIG)
      await eventually(() => expect(proxy.counters.requests).toHaveLength(2))
      proxy.resume(direction)
      expect((await answer).text).toHaveLength(200_000)
    }),
  )

  it('delays, in order', () =>
    throughProxy(async (proxy, get) => {
      proxy.delay(120, 'toClient')
      const before = performance.now()
      const answer = get(BIG)
      expect((await answer).text).toHaveLength(200_000)
      expect(performance.now() - before).toBeGreaterThan(110)
    }))

  it.each(['rst', 'fin'] as const)('cuts open connections and serves later ones: %s', (kind) =>
    throughProxy(async (proxy, get) => {
      const { headers } = await get(BIG)
      const blocked = get(`/v1/kv/big?index=${String(headers['x-consul-index'])}&wait=10s`)
      const failed = expect(blocked).rejects.toThrow(kind === 'rst' ? 'ECONNRESET' : 'socket hang up')
      await eventually(() => expect(proxy.counters.requests).toHaveLength(2))
      proxy.cut(kind)
      await failed
      expect((await get(LEADER)).status).toBe(200)
    }),
  )

  it.each(['rst', 'fin'] as const)('cuts within a body: %s', (kind) =>
    throughProxy(async (proxy, get) => {
      proxy.cutInBody(1_000, kind)
      await expect(get(BIG)).rejects.toThrow(/aborted|ECONNRESET/)
      expect((await get(LEADER)).status).toBe(200)
      proxy.cutInBody(undefined)
      expect((await get(BIG)).text).toHaveLength(200_000)
    }),
  )

  it('swallows everything like a pulled cable', () =>
    throughProxy(async (proxy, get) => {
      proxy.blackHole()
      await expect(get(LEADER, 150)).rejects.toThrow('no answer')
      proxy.blackHole(false)
      expect((await get(LEADER)).status).toBe(200)
    }))

  it('refuses, and accepts again on the same port', () =>
    throughProxy(async (proxy, get) => {
      const { port } = proxy
      await proxy.refuse()
      await expect(get(LEADER)).rejects.toThrow('ECONNREFUSED')
      await proxy.accept()
      expect(proxy.port).toBe(port)
      expect((await get(LEADER)).status).toBe(200)
    }))
})

type Get = (path: string, within?: number) => Promise<HttpAnswer>

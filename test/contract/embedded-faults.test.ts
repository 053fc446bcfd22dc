/** What the embedded agent can do that no real one does on demand. */
import { connect } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ManualClock, startEmbeddedConsul, type EmbeddedConsul } from '../../src/testing/index.js'
import { eventually } from '../support/eventually.js'
import { WireClient } from './support/wire-client.js'

let agent: EmbeddedConsul
let http: WireClient

beforeEach(async () => {
  agent = await startEmbeddedConsul()
  http = new WireClient(() => agent)
})

afterEach(async () => {
  http.close()
  await agent.close()
})

describe('the faults of an embedded agent', () => {
  test('refuse closes the port and resets open connections, until it is removed', async () => {
    await http.get('/v1/status/leader')
    const blocked = http.get('/v1/kv/x?index=1000&wait=1m')
    blocked.catch(() => undefined)
    await eventually(() => expect(agent.blockedQueries).toBe(1))
    const fault = agent.faults.refuse()
    await agent.ready()
    await expect(blocked).rejects.toThrow()
    await expect(http.get('/v1/status/leader')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    fault.remove()
    await agent.ready()
    expect((await http.get('/v1/status/leader')).status).toBe(200)
  })

  test('refuse with a match resets only those requests', async () => {
    agent.faults.refuse({ path: '/v1/kv' })
    await expect(http.get('/v1/kv/x')).rejects.toMatchObject({ code: 'ECONNRESET' })
    expect((await http.get('/v1/catalog/nodes')).status).toBe(200)
  })

  test('drop closes the connection without an answer, before or after the request took effect', async () => {
    const before = agent.faults.drop({ times: 1 })
    await expect(http.put('/v1/kv/a', '1')).rejects.toThrow()
    expect(before.isActive).toBe(false)
    expect((await http.get('/v1/kv/a')).status).toBe(404)
    agent.faults.drop({ times: 1, afterHandling: true })
    await expect(http.put('/v1/kv/a', '1')).rejects.toThrow()
    expect((await http.get('/v1/kv/a')).status).toBe(200)
  })

  test('delay holds answers back, and several delays add up', async () => {
    agent.faults.delay('100ms')
    agent.faults.delay(100, { method: 'put' })
    const begun = performance.now()
    await http.get('/v1/status/leader')
    const read = performance.now() - begun
    await http.put('/v1/kv/a', '1')
    const written = performance.now() - begun - read
    expect(read).toBeGreaterThan(95)
    expect(written).toBeGreaterThan(195)
  })

  test('hang holds requests, and removing it lets them through', async () => {
    const fault = agent.faults.hang({ path: /^\/v1\/kv\// })
    let isAnswered = false
    const held = http.put('/v1/kv/a', '1').then(() => (isAnswered = true))
    await eventually(() => expect(fault.hits).toBe(1))
    expect((await http.get('/v1/status/leader')).status).toBe(200)
    expect(isAnswered).toBe(false)
    fault.remove()
    await held
    expect((await http.get('/v1/kv/a?raw')).text).toBe('1')
  })

  test('cut ends the connection in mid-body', async () => {
    agent.faults.cut({ times: 1 })
    await expect(http.get('/v1/catalog/nodes')).rejects.toThrow()
    agent.faults.cut({ times: 1, afterBytes: 10 })
    const socket = connect(Number(new URL(agent.url).port), '127.0.0.1')
    let text = ''
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()))
    socket.on('error', () => undefined)
    socket.write('GET /v1/catalog/nodes HTTP/1.1\r\nHost: x\r\n\r\n')
    await eventually(() => expect(socket.closed).toBe(true))
    expect(text.split('\r\n\r\n')[1]).toHaveLength(10)
  })

  test('status answers in place of the endpoint, with the body and headers of choice', async () => {
    agent.faults.status(503, { times: 1, body: 'busy', headers: { 'Retry-After': '3' } })
    const busy = await http.put('/v1/kv/a', '1')
    expect([busy.status, busy.text, busy.headers['retry-after']]).toEqual([503, 'busy', '3'])
    expect((await http.get('/v1/kv/a')).status).toBe(404)
    agent.faults.rateLimited({ times: 1, retryAfterSeconds: 2 })
    const limited = await http.get('/v1/kv/a')
    expect([limited.status, limited.headers['retry-after']]).toEqual([429, '2'])
    expect(limited.text).toContain('rate limit exceeded')
    agent.faults.forbidden({ times: 1 })
    expect((await http.get('/v1/kv/a')).text).toBe('Permission denied')
  })

  test('noLeader fails what needs one, and lets the rest go on', async () => {
    await http.put('/v1/agent/service/register', { Name: 'web', Check: { TTL: '1h', Status: 'passing' } })
    const fault = agent.faults.noLeader()
    for (const path of ['/v1/health/service/web', '/v1/kv/x', '/v1/session/list', '/v1/catalog/nodes']) {
      const answer = await http.get(path)
      expect([answer.status, answer.text]).toEqual([500, 'No cluster leader'])
    }
    expect((await http.put('/v1/kv/x', '1')).status).toBe(500)
    expect((await http.put('/v1/session/create')).status).toBe(500)
    const stale = await http.get('/v1/health/service/web?stale')
    expect([stale.status, stale.headers['x-consul-knownleader']]).toEqual([200, 'false'])
    expect((await http.get('/v1/status/leader')).json()).toBe('')
    expect((await http.put('/v1/agent/check/fail/service:web')).status).toBe(200)
    expect((await http.put('/v1/agent/service/register', { Name: 'late' })).status).toBe(200)
    expect((await http.get('/v1/health/service/late?stale')).json()).toEqual([])
    fault.remove()
    expect((await http.get('/v1/health/service/late')).json()).toHaveLength(1)
    expect((await http.get('/v1/health/service/web?passing')).json()).toEqual([])
  })

  test('noLeader leaves copies to those who take cached answers', async () => {
    await http.get('/v1/health/service/consul?cached')
    agent.faults.noLeader()
    const cached = await http.get('/v1/health/service/consul?cached')
    expect([cached.status, cached.headers['x-cache']]).toEqual([200, 'HIT'])
  })

  test('noLeader leaves queries that wait alone, or fails them as a dying leader does', async () => {
    const { index } = await http.get('/v1/health/service/consul')
    const waiting = http.get(`/v1/health/service/consul?index=${index}&wait=1m`)
    await eventually(() => expect(agent.blockedQueries).toBe(1))
    agent.faults.noLeader().remove()
    expect(agent.blockedQueries).toBe(1)
    agent.faults.noLeader({ failBlocked: true })
    const failed = await waiting
    expect([failed.status, failed.text, failed.index]).toEqual([500, 'rpc error making call: EOF', 1])
  })

  test('noLeader with a match fails only those requests', async () => {
    agent.faults.noLeader({ path: '/v1/kv', times: 1 })
    expect((await http.get('/v1/kv/x')).text).toBe('No cluster leader')
    expect((await http.get('/v1/kv/x')).status).toBe(404)
  })

  test('garbage is no JSON though it says so', async () => {
    agent.faults.garbage({ times: 1 })
    const answer = await http.get('/v1/health/service/web')
    expect(answer.headers['content-type']).toBe('application/json')
    expect(() => answer.json()).toThrow(SyntaxError)
  })

  test('indexes go backwards, or to zero', async () => {
    agent.faults.indexBackwards({ times: 1, to: 3 })
    expect((await http.get('/v1/catalog/nodes')).index).toBe(3)
    agent.faults.indexZero({ times: 1 })
    expect((await http.get('/v1/catalog/nodes')).index).toBe(0)
    expect((await http.get('/v1/catalog/nodes')).index).toBeGreaterThan(3)
  })

  test('blocked queries wake for nothing', async () => {
    const { index } = await http.get('/v1/catalog/nodes')
    const fault = agent.faults.spuriousWakeUps({ every: '20ms' })
    expect((await http.get(`/v1/catalog/nodes?index=${index}&wait=1m`)).index).toBe(index)
    fault.remove()
    const blocked = http.get(`/v1/catalog/nodes?index=${index}&wait=1m`)
    await eventually(() => expect(agent.blockedQueries).toBe(1))
    agent.wakeBlockedQueries()
    expect((await blocked).index).toBe(index)
  })

  test('a revoked token is refused at once', async () => {
    await using guarded = await startEmbeddedConsul({ acl: {} })
    const client = new WireClient(() => guarded)
    const { secretId } = guarded.acl.createToken('key_prefix "" { policy = "read" }')
    expect((await client.get('/v1/kv/x', { token: secretId })).status).toBe(404)
    expect(guarded.acl.revoke(secretId)).toBe(true)
    expect((await client.get('/v1/kv/x', { token: secretId })).text).toBe('ACL not found')
    expect(guarded.acl.revoke(secretId)).toBe(false)
    client.close()
  })

  test('an expired session releases its lock', async () => {
    const { ID } = (await http.put('/v1/session/create', { TTL: '10s', LockDelay: '0s' })).json<{ ID: string }>()
    await http.put(`/v1/kv/lock?acquire=${ID}`, 'x')
    expect(agent.expireSession(ID)).toBe(true)
    expect((await http.get('/v1/kv/lock')).text).not.toContain('Session')
    expect(agent.expireSession(ID)).toBe(false)
  })

  test('clear removes all of them', async () => {
    agent.faults.refuse()
    agent.faults.status(500)
    agent.faults.noLeader()
    agent.faults.clear()
    await agent.ready()
    expect((await http.get('/v1/kv/x')).status).toBe(404)
  })

  test('the first in force decides, and a handle counts its hits', async () => {
    const first = agent.faults.status(503)
    const second = agent.faults.status(500)
    expect((await http.get('/v1/kv/x')).status).toBe(503)
    first.remove()
    expect((await http.get('/v1/kv/x')).status).toBe(500)
    expect([first.hits, second.hits]).toEqual([1, 2])
  })
})

describe('delays on a manual clock', () => {
  test('pass when it is told to', async () => {
    const clock = new ManualClock()
    await using timed = await startEmbeddedConsul({ clock })
    const client = new WireClient(() => timed)
    timed.faults.delay('1h')
    const answer = client.get('/v1/status/leader')
    await eventually(() => expect(clock.pendingTimers).toBeGreaterThan(3))
    await clock.advance('1h')
    expect((await answer).status).toBe(200)
    client.close()
  })
})

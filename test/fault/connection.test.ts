import { getEventListeners, once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { inspect } from 'node:util'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ConsulHttpClient } from '../../src/http/consul-http-client.js'
import type { HttpRequest } from '../../src/http/request.js'
import { resolveOptions, type ProconsulOptions } from '../../src/options/client-options.js'
import { eventually } from '../support/eventually.js'
import { FakeClock } from '../support/fake-clock.js'
import { answers, scriptedAgent, type Answerer, type ScriptedAgent } from '../support/scripted-agent.js'

const READ: HttpRequest = { operation: 'kv.get', method: 'GET', path: '/kv/a', idempotent: true }
const CAS: HttpRequest = {
  operation: 'kv.set',
  method: 'PUT',
  path: '/kv/a',
  query: { cas: 1 },
  body: Buffer.from('x'),
  idempotent: false,
}
const WATCH: HttpRequest = { ...READ, query: { index: 1, wait: '30s' }, blocking: { waitMs: 30_000 } }

const hang: Answerer = () => undefined
const reset: Answerer = (request) => void request.socket.resetAndDestroy()
const cutMidway: Answerer = (request, response) => {
  response.writeHead(200, { 'content-length': '100' })
  response.write('[1,2', () => request.socket.destroy())
}

const opened: { close(): unknown }[] = []
afterEach(async () => {
  for (const resource of opened.splice(0).reverse()) await resource.close()
})

async function agent(...script: Answerer[]): Promise<ScriptedAgent> {
  const scripted = await scriptedAgent(...script)
  opened.push(scripted)
  return scripted
}

function client(address: string, options: ProconsulOptions = {}): ConsulHttpClient {
  const resolved = resolveOptions({ address, ...options }, {})
  const http = new ConsulHttpClient(resolved.connection, resolved.runtime)
  opened.push(http)
  return http
}

describe('a request', () => {
  it('asks for gzip and undoes it, small and large', async () => {
    const large = Buffer.from(JSON.stringify(Array.from({ length: 20_000 }, (_, index) => `${index * 7919}`)))
    const headers = { 'content-encoding': 'gzip', 'x-consul-index': '7' }
    const { url, requests } = await agent(
      answers(200, gzipSync('"small"'), headers),
      answers(200, gzipSync(large), headers),
    )
    const http = client(url)
    expect(await http.request(READ)).toMatchObject({ status: 200, body: Buffer.from('"small"'), meta: { index: 7 } })
    expect((await http.request(READ)).body.equals(large)).toBe(true)
    expect(requests[0]?.headers['accept-encoding']).toBe('gzip')
  })

  it('carries token, tenancy, basic authentication and a path in front', async () => {
    const { url, requests } = await agent(answers(200, '1'))
    const http = client(`${url}/consul/eu`, {
      token: 't1',
      auth: 'user:pw',
      datacenter: 'dc2',
      namespace: 'team',
      partition: 'p',
    })
    await http.request(READ)
    await http.request({ ...READ, token: 't2', datacenter: 'dc3' })
    expect(requests[0]).toMatchObject({
      url: '/consul/eu/v1/kv/a?dc=dc2&ns=team&partition=p',
      headers: { 'x-consul-token': 't1', authorization: `Basic ${Buffer.from('user:pw').toString('base64')}` },
    })
    expect(requests[1]).toMatchObject({
      url: expect.stringContaining('dc=dc3') as string,
      headers: { 'x-consul-token': 't2' },
    })
  })

  it('reaches an agent on IPv6', async () => {
    const server = createServer((socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1')).listen(
      0,
      '::1',
    )
    await once(server, 'listening')
    opened.push(server)
    const http = client(`http://[::1]:${(server.address() as AddressInfo).port}`)
    expect((await http.request(READ)).body.toString()).toBe('1')
  })

  it('takes a status it was told of for an answer', async () => {
    const { url } = await agent(answers(404, '', { 'x-consul-index': '9' }))
    expect(await client(url).request({ ...READ, answers: [404] })).toMatchObject({ status: 404, meta: { index: 9 } })
  })
})

describe('an outage is a typed error', () => {
  it('when nobody listens', async () => {
    const gone = await agent(hang)
    await gone.close()
    await expect(client(gone.url).request(READ)).rejects.toMatchObject({
      code: 'PROCONSUL_UNAVAILABLE',
      retryable: true,
    })
  })

  it('when the agent never answers: the deadline holds', async () => {
    const { url } = await agent(hang)
    await expect(client(url, { timeout: '50ms' }).request(READ)).rejects.toMatchObject({
      code: 'PROCONSUL_TIMEOUT',
      message: `kv.get: no answer from ${url} within 50ms`,
    })
  })

  it('when there is no leader, also when the agent takes longer to say so again than there is time', async () => {
    const { url } = await agent(answers(500, 'No cluster leader'), hang)
    await expect(client(url, { timeout: '500ms' }).request(READ)).rejects.toMatchObject({
      code: 'PROCONSUL_NO_LEADER',
      message: expect.stringMatching(/within 500ms; before that: .*No cluster leader/) as string,
    })
  })

  it('when the agent closes the connection at accept, as it does above its connection limit', async () => {
    const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1')
    await once(server, 'listening')
    opened.push(server)
    const { port } = server.address() as AddressInfo
    await expect(client(`http://127.0.0.1:${port}`).request(READ)).rejects.toMatchObject({
      code: 'PROCONSUL_UNAVAILABLE',
    })
  })

  it('when the body is cut midway: at once, not at the deadline', async () => {
    const { url, requests } = await agent(cutMidway)
    await expect(client(url, { timeout: '1h' }).request(READ)).rejects.toMatchObject({ code: 'PROCONSUL_BAD_RESPONSE' })
    expect(requests).toHaveLength(3)
  })

  it('when the answer is no HTTP, or not the gzip it claims to be', async () => {
    const server = createServer((socket) => socket.end('SSH-2.0-OpenSSH\r\n')).listen(0, '127.0.0.1')
    await once(server, 'listening')
    opened.push(server)
    const { port } = server.address() as AddressInfo
    await expect(client(`http://127.0.0.1:${port}`).request(READ)).rejects.toMatchObject({
      code: 'PROCONSUL_BAD_RESPONSE',
    })
    const { url } = await agent(answers(200, 'plain', { 'content-encoding': 'gzip' }))
    await expect(client(url).request(READ)).rejects.toMatchObject({ code: 'PROCONSUL_BAD_RESPONSE' })
  })

  it.each([
    ['as it is', 'x'.repeat(5_000), {}],
    ['once unpacked', gzipSync('x'.repeat(5_000)), { 'content-encoding': 'gzip' }],
  ])('when the answer is larger than allowed, %s', async (_how, body, headers) => {
    const { url, requests } = await agent(answers(200, body, headers))
    await expect(client(url, { maxResponseBytes: 1_000 }).request(READ)).rejects.toMatchObject({
      code: 'PROCONSUL_RESPONSE_TOO_LARGE',
    })
    expect(requests).toHaveLength(1)
    await expect(client(url).request({ ...READ, maxBytes: 1_000 })).rejects.toMatchObject({
      code: 'PROCONSUL_RESPONSE_TOO_LARGE',
    })
  })
})

describe('a request is repeated', () => {
  it('when a kept connection turns out to be dead', async () => {
    const { url, requests } = await agent(answers(200, '1'), reset, answers(200, '2'))
    const http = client(url)
    await http.request(READ)
    expect((await http.request(READ)).body.toString()).toBe('2')
    expect(requests).toHaveLength(3)
  })

  it('when there is no leader for a moment, and never more than twice', async () => {
    const { url, requests } = await agent(answers(500, 'No cluster leader'))
    await expect(client(url).request(READ)).rejects.toMatchObject({ code: 'PROCONSUL_NO_LEADER' })
    expect(requests).toHaveLength(3)
  })

  it.each<[string, Answerer, number]>([
    ['not at all when there is no leader', answers(500, 'No cluster leader'), 1],
    ['not at all when the agent wants fewer requests', answers(429, '', { 'retry-after': '1' }), 1],
    ['not at all when the answer is cut', cutMidway, 1],
    ['once when the connection is lost', reset, 2],
  ])('below a loop with a back-off of its own %s', async (_when, answer, count) => {
    const { url, requests } = await agent(answer)
    await expect(client(url).request({ ...READ, repeat: false })).rejects.toMatchObject({ retryable: true })
    expect(requests).toHaveLength(count)
  })

  it.each([429, 503])('after as long as the agent asks for with %d', async (status) => {
    const times: number[] = []
    const { url } = await agent(
      (request, response) => {
        times.push(performance.now())
        answers(status, 'rate limit exceeded', { 'retry-after': '1' })(request, response)
      },
      (request, response) => {
        times.push(performance.now())
        answers(200, '1')(request, response)
      },
    )
    await client(url).request(CAS)
    expect(Number(times[1]) - Number(times[0])).toBeGreaterThanOrEqual(1_000)
  })

  it('but not when the agent asks to wait beyond the deadline', async () => {
    const { url, requests } = await agent(answers(429, '', { 'retry-after': '60' }))
    await expect(client(url).request(READ)).rejects.toMatchObject({
      code: 'PROCONSUL_RATE_LIMITED',
      retryAfterMs: 60_000,
    })
    expect(requests).toHaveLength(1)
  })

  it.each<[string, Answerer, string]>([
    ['was refused', answers(403, 'Permission denied'), 'PROCONSUL_PERMISSION_DENIED'],
    ['was malformed', answers(400, 'Missing service name'), 'PROCONSUL_REJECTED'],
  ])('but not when it %s', async (_what, answer, code) => {
    const { url, requests } = await agent(answer)
    await expect(client(url).request(READ)).rejects.toMatchObject({ code })
    expect(requests).toHaveLength(1)
  })

  it.each<[string, Answerer, string]>([
    ['the connection is lost', reset, 'PROCONSUL_UNAVAILABLE'],
    ['the answer is cut', cutMidway, 'PROCONSUL_BAD_RESPONSE'],
    ['leadership is lost', answers(500, 'leadership lost while committing log'), 'PROCONSUL_NO_LEADER'],
  ])('but not when it may have had an effect: a CAS write after which %s', async (_what, answer, code) => {
    const { url, requests } = await agent(answer)
    await expect(client(url).request(CAS)).rejects.toMatchObject({ code })
    expect(requests).toHaveLength(1)
  })

  it('and a CAS write never goes over a kept connection, which may be dead', async () => {
    const { url, requests } = await agent(answers(200, '1'))
    const http = client(url)
    await http.request(READ)
    await http.request(CAS)
    await http.request(READ)
    expect(requests[1]?.socket).not.toBe(requests[0]?.socket)
    expect(requests[2]?.socket).toBe(requests[0]?.socket)
  })
})

describe('a blocking query', () => {
  it('can never take the connection of a short request', async () => {
    const { url } = await agent((request, response) => {
      if (request.url?.includes('index') !== true) answers(200, '1')(request, response)
    })
    const http = client(url, { maxBlockingQueries: 2, maxConnections: 1 })
    const queries = Array.from({ length: 20 }, () => http.request(WATCH).catch((error: unknown) => error))
    await eventually(() => expect(http.watchLane).toMatchObject({ free: 0, waiting: 18 }))
    expect((await http.request(READ)).body.toString()).toBe('1')
    http.close()
    for (const error of await Promise.all(queries)) expect(error).toMatchObject({ code: 'PROCONSUL_CLOSED' })
  })

  it('never has more connections than its lane has places', async () => {
    const { url, requests, server } = await agent((_request, response) => void setImmediate(() => response.end('1')))
    let most = 0
    server.on('request', () => {
      server.getConnections((_error, count) => (most = Math.max(most, count)))
    })
    const http = client(url, { maxBlockingQueries: 3 })
    await Promise.all(Array.from({ length: 30 }, () => http.request(WATCH)))
    expect(requests).toHaveLength(30)
    expect(most).toBeLessThanOrEqual(3)
  })

  it('that is aborted keeps its place, for the agent keeps the connection too', async () => {
    const { url, requests } = await agent(hang)
    const http = client(url, { maxBlockingQueries: 1 })
    const controller = new AbortController()
    const query = http.request({ ...WATCH, signal: controller.signal })
    await eventually(() => expect(requests).toHaveLength(1))
    controller.abort()
    await expect(query).rejects.toMatchObject({ code: 'PROCONSUL_ABORTED' })
    expect(http.watchLane.free).toBe(0)
  })

  it('may be held a sixteenth longer than asked before its time to answer begins', async () => {
    const { url, requests } = await agent(hang)
    const clock = new FakeClock()
    const resolved = resolveOptions({ address: url, timeout: '10s', clock }, {})
    const http = new ConsulHttpClient(resolved.connection, resolved.runtime)
    opened.push(http)
    const settled = vi.fn()
    const query = http
      .request({ ...WATCH, blocking: { waitMs: 32_000 } })
      .catch((error: unknown) => void settled(error))
    await eventually(() => expect(requests).toHaveLength(1))
    await clock.advance(43_999)
    expect(settled).not.toHaveBeenCalled()
    await clock.advance(1)
    await query
    expect(settled).toHaveBeenCalledWith(expect.objectContaining({ code: 'PROCONSUL_TIMEOUT' }))
  })

  it('is not repeated: its loop knows better', async () => {
    const { url, requests } = await agent(reset)
    await expect(client(url).request(WATCH)).rejects.toMatchObject({ code: 'PROCONSUL_UNAVAILABLE' })
    expect(requests).toHaveLength(1)
  })
})

describe('an aborted or closed client', () => {
  it('leaves no listener on the signal of its caller, however many calls it is used for, and no warning comes', async () => {
    const warned = vi.fn()
    process.on('warning', warned)
    opened.push({ close: () => process.off('warning', warned) })
    const { url } = await agent(answers(200, '1'))
    const { signal } = new AbortController()
    const http = client(url)
    await Promise.all(Array.from({ length: 30 }, () => http.request({ ...READ, signal })))
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
    expect(warned).not.toHaveBeenCalled()
  })

  it('ends a request at once and closes its connection', async () => {
    const { url, requests } = await agent(hang)
    const controller = new AbortController()
    const request = client(url).request({ ...READ, signal: controller.signal })
    await eventually(() => expect(requests).toHaveLength(1))
    controller.abort(new Error('enough'))
    await expect(request).rejects.toMatchObject({ code: 'PROCONSUL_ABORTED', cause: new Error('enough') })
    await eventually(() => expect(requests[0]?.socket.destroyed).toBe(true))
  })

  it('sends nothing when the signal is aborted already, nor after it was closed', async () => {
    const { url, requests } = await agent(answers(200, '1'))
    const http = client(url)
    await expect(http.request({ ...READ, signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'PROCONSUL_ABORTED',
    })
    http.close()
    await expect(http.request(READ)).rejects.toMatchObject({ code: 'PROCONSUL_CLOSED', retryable: false })
    expect(requests).toHaveLength(0)
  })
})

describe('no token is to be seen', () => {
  const SECRETS = ['hunter2', Buffer.from('user:hunter2').toString('base64')]
  let echo: Answerer
  beforeEach(() => {
    echo = (request, response) =>
      void response.writeHead(403).end(`no: ${JSON.stringify(request.headers)} ${encodeURIComponent('hunter2')}`)
  })

  it.each<[string, Answerer]>([
    ['an answer that repeats the request', (request, response) => echo(request, response)],
    ['a lost connection', reset],
    ['a cut body', cutMidway],
  ])('in the error of %s, nor in the client', async (_what, answer) => {
    const { url } = await agent(answer)
    const http = client(url, { token: 'hunter2', auth: 'user:hunter2' })
    const error = await http.request(READ).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(Error)
    const shown = [
      String(error),
      (error as Error).stack ?? '',
      inspect(error, { depth: 20, showHidden: true, getters: true }),
      inspect(http, { depth: 20, showHidden: true, getters: true }),
      JSON.stringify(error),
      JSON.stringify(http),
    ]
    for (const text of shown) for (const secret of SECRETS) expect(text).not.toContain(secret)
  })
})

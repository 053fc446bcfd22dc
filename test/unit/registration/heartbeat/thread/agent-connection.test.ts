import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { AgentConnection } from '../../../../../src/registration/heartbeat/thread/agent-connection.js'
import type { ThreadTarget } from '../../../../../src/registration/heartbeat/thread/messages.js'
import { eventually } from '../../../../support/eventually.js'

type Handler = (request: IncomingMessage, response: ServerResponse, body: string) => void

const stops: (() => unknown)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
})

/** An agent that remembers who came over which connection. */
async function agentThat(handle: Handler, listen: { path: string } | { host: string } = { host: '127.0.0.1' }) {
  const sockets = new Set<Socket>()
  const server: Server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (part: string) => (body += part))
    request.on('end', () => handle(request, response, body))
  })
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  server.listen('path' in listen ? listen : { port: 0, ...listen })
  await once(server, 'listening')
  stops.push(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port, family, address } = server.address() as AddressInfo
  return { server, sockets, url: `http://${family === 'IPv6' ? `[${address}]` : address}:${port}` }
}

function target(baseUrl: string, more: Partial<ThreadTarget> = {}): ThreadTarget {
  return { baseUrl, socketPath: undefined, tls: {}, headers: {}, query: '', ...more }
}

function request(more: Partial<Parameters<AgentConnection['send']>[0]> = {}) {
  return { path: '/v1/x', body: '{}', timeoutMs: 5_000, signal: new AbortController().signal, ...more }
}

/** Closes what the connection keeps open. */
function connect(to: ThreadTarget): AgentConnection {
  const connection = new AgentConnection(to)
  stops.push(() => connection.renew({ ...to, socketPath: '/gone' }))
  return connection
}

describe('a request of the heartbeat thread', () => {
  it('goes where the agent is, with everything that it asks for', async () => {
    const seen: unknown[] = []
    const { url } = await agentThat((got, response, body) => {
      const { method, headers } = got
      seen.push({ method, url: got.url, token: headers['x-consul-token'], type: headers['content-type'], body })
      response.end('ignored')
    })
    const connection = connect(target(`${url}/behind/`, { headers: { 'x-consul-token': 't' }, query: '?ns=team' }))
    expect(await connection.send(request({ body: '{"Output":"ü"}' }))).toEqual({ ok: true })
    expect(seen).toEqual([
      { method: 'PUT', url: '/behind/v1/x?ns=team', token: 't', type: 'application/json', body: '{"Output":"ü"}' },
    ])
  })

  it('reaches an agent at an IPv6 address and at a unix socket', async () => {
    const { url } = await agentThat((_, response) => response.end(), { host: '::1' })
    expect(await connect(target(url)).send(request())).toEqual({ ok: true })
    const folder = await mkdtemp(join(tmpdir(), 'proconsul-'))
    stops.push(() => rm(folder, { recursive: true }))
    const path = join(folder, 'agent.sock')
    await agentThat((_, response) => response.end(), { path })
    expect(await connect(target('http://localhost', { socketPath: path })).send(request())).toEqual({ ok: true })
  })

  it('tells a refusal with the begin of its text', async () => {
    const { url } = await agentThat((_, response) => response.writeHead(403).end('Permission denied '.repeat(1_000)))
    const answer = await connect(target(url)).send(request())
    expect(answer).toMatchObject({ ok: false, httpStatus: 403 })
    expect(answer.body).toBe('Permission denied '.repeat(1_000).slice(0, 300))
  })

  it('tells why the agent was not reached, and one that never answers', async () => {
    const { url, server } = await agentThat(() => undefined)
    expect(await connect(target(url)).send(request({ timeoutMs: 30 }))).toEqual({ ok: false, timedOut: true })
    server.closeAllConnections()
    server.close()
    expect(await connect(target(url)).send(request())).toMatchObject({ ok: false, code: 'ECONNREFUSED' })
  })

  it('tells of a connection that ends before or within the answer', async () => {
    const { url } = await agentThat((got, response) => {
      if (got.url === '/v1/within') response.writeHead(200, { 'content-length': 10 }).write('half')
      setImmediate(() => response.destroy())
    })
    const connection = connect(target(url))
    for (const path of ['/v1/before', '/v1/within']) {
      expect(await connection.send(request({ path }))).toMatchObject({ ok: false, code: 'ECONNRESET' })
    }
  })

  it('is taken back with its signal', async () => {
    let isClosed = false
    const { url } = await agentThat((_, response) => response.on('close', () => (isClosed = true)))
    const controller = new AbortController()
    const answer = connect(target(url)).send(request({ signal: controller.signal }))
    await eventually(() => expect(isClosed).toBe(false))
    setTimeout(() => controller.abort(), 20)
    expect(await answer).toMatchObject({ ok: false })
    await eventually(() => expect(isClosed).toBe(true))
  })

  it.each<[string, Partial<ThreadTarget>]>([
    ['a header that no request can have', { headers: { 'x-consul-token': 'a\nb' } }],
    ['an address that is none', { baseUrl: 'nowhere' }],
    ['a certificate that is none', { baseUrl: 'https://127.0.0.1:1', tls: { cert: 'x', key: 'y' } }],
  ])('fails, and the thread goes on, with %s', async (_what, wrong) => {
    const answer = await connect(target('http://127.0.0.1:1', wrong)).send(request())
    expect(answer).toMatchObject({ ok: false, message: expect.any(String) as string })
  })
})

describe('renewed credentials', () => {
  it('go with the next request over the connection that there is, where only the token is new', async () => {
    const tokens: unknown[] = []
    const { url, sockets } = await agentThat((got, response) => {
      tokens.push(got.headers['x-consul-token'])
      response.end()
    })
    const connection = connect(target(url, { headers: { 'x-consul-token': 'old' } }))
    await connection.send(request())
    connection.renew(target(url, { headers: { 'x-consul-token': 'new' } }))
    await connection.send(request())
    expect(tokens).toEqual(['old', 'new'])
    expect(sockets.size).toBe(1)
  })

  it('get connections of their own where the certificate is new, and what is under way ends over the old one', async () => {
    const waiting: ServerResponse[] = []
    const { url, sockets } = await agentThat((_, response) => void waiting.push(response))
    const connection = connect(target(url, { tls: { cert: 'old' } }))
    const underWay = connection.send(request())
    await eventually(() => expect(waiting).toHaveLength(1))
    connection.renew(target(url, { tls: { cert: 'new' } }))
    const next = connection.send(request())
    await eventually(() => expect(waiting).toHaveLength(2))
    expect(sockets.size).toBe(2)
    for (const response of waiting) response.end()
    expect(await Promise.all([underWay, next])).toEqual([{ ok: true }, { ok: true }])
    await eventually(() => expect(sockets.size).toBe(1))
  })

  it('close a connection of the old ones that nobody uses', async () => {
    const { url, sockets } = await agentThat((_, response) => response.end())
    const connection = connect(target(url, { tls: { cert: 'old' } }))
    await connection.send(request())
    expect(sockets.size).toBe(1)
    connection.renew(target(url, { tls: { cert: 'new' } }))
    await eventually(() => expect(sockets.size).toBe(0))
  })
})

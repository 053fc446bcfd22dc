import { connect, type Socket } from 'node:net'
import { gunzipSync } from 'node:zlib'
import { expect } from 'vitest'
import { eventually } from '../support/eventually.js'
import { contract } from './support/contract.js'

contract('the protocol', ({ must, since, before, http, unique, agent }) => {
  must('names the methods that a path knows', async () => {
    const get = await http.post('/v1/agent/services')
    expect([get.status, get.text, get.headers.allow]).toEqual([405, 'method POST not allowed', 'OPTIONS,GET'])
    const put = await http.get('/v1/agent/service/register')
    expect([put.status, put.headers.allow]).toEqual([405, 'OPTIONS,PUT'])
    expect((await http.send('HEAD', '/v1/agent/services')).status).toBe(405)
    expect((await http.send('OPTIONS', '/v1/kv/x')).headers.allow).toBe('OPTIONS,GET,PUT,DELETE')
  })

  must('answers 404 without a body for a path that is none', async () => {
    const answer = await http.get('/v1/nope')
    expect([answer.status, answer.text]).toEqual([404, ''])
  })

  must('refuses consistencies that contradict each other', async () => {
    for (const weaker of ['stale', 'cached']) {
      const answer = await http.get(`/v1/health/service/x?${weaker}&consistent`)
      expect([answer.status, answer.text]).toEqual([
        400,
        `Cannot specify ?${weaker} with ?consistent, conflicting semantics.`,
      ])
    }
  })

  must('refuses namespaces and other datacenters', async () => {
    const namespace = await http.get('/v1/health/service/x?ns=x')
    expect(namespace.status).toBe(400)
    expect(namespace.text).toContain('Namespaces are a Consul Enterprise feature')
    for (const path of ['/v1/health/service/x?dc=nope', '/v1/catalog/nodes?dc=nope', '/v1/kv/x?dc=nope']) {
      const answer = await http.get(path)
      expect([answer.status, answer.text]).toEqual([500, 'No path to datacenter'])
    }
  })

  must('takes parameters that it does not know', async () => {
    expect((await http.get('/v1/health/service/x?foo=1&merge-central-config')).status).toBe(200)
  })

  must('zips answers for those who can read it', async () => {
    const plain = await http.get('/v1/catalog/nodes')
    const zipped = await http.get('/v1/catalog/nodes', { headers: { 'accept-encoding': 'gzip' } })
    expect(zipped.headers['content-encoding']).toBe('gzip')
    expect(gunzipSync(zipped.bytes).toString()).toBe(plain.text)
    expect(plain.headers['content-encoding']).toBeUndefined()
  })

  must('prints JSON over several lines when asked', async () => {
    expect((await http.get('/v1/catalog/nodes?pretty')).text).toMatch(/^\[\n {4}\{\n/)
  })

  before('1.17.0', 'JSON comes on one line since')('prints JSON over several lines unasked', async () => {
    expect((await http.get('/v1/catalog/nodes')).text.startsWith('[\n')).toBe(true)
  })

  since('1.17.0', 'JSON came over several lines before')('prints JSON on one line unless asked', async () => {
    expect((await http.get('/v1/catalog/nodes')).text.startsWith('[{')).toBe(true)
  })

  must('escapes what HTML could misread', async () => {
    const folder = unique('html')
    await http.put(`/v1/kv/${folder}/%3C%26%3E`, '1')
    expect((await http.get(`/v1/kv/${folder}/?keys`)).text).toContain('\\u003c\\u0026\\u003e')
  })

  since('1.10.0', 'the header came with 1.10')('tells how a query was answered', async () => {
    expect((await http.get('/v1/health/service/x')).headers['x-consul-query-backend']).toBe('blocking-query')
  })

  must('keeps connections open', async () => {
    const socket = connectTo(agent().url)
    const answers = collect(socket)
    const ask = 'GET /v1/status/leader HTTP/1.1\r\nHost: localhost\r\n\r\n'
    socket.write(ask)
    await eventually(() => expect(answers().match(/HTTP\/1\.1 200/g)).toHaveLength(1))
    socket.write(ask)
    await eventually(() => expect(answers().match(/HTTP\/1\.1 200/g)).toHaveLength(2))
    socket.destroy()
  })
})

contract(
  'the limit of connections',
  ({ since, before, must, agent }) => {
    /** Opens idle connections that the agent has taken: each has answered once. */
    const open = async (count: number) => {
      const sockets: Socket[] = []
      for (let i = 0; i < count; i++) {
        const socket = connectTo(agent().url)
        const answers = collect(socket)
        socket.write('GET /v1/status/leader HTTP/1.1\r\nHost: localhost\r\n\r\n')
        await eventually(() => expect(answers()).toContain('200 OK'))
        sockets.push(socket)
      }
      return sockets
    }
    const outcome = async () => {
      const socket = connectTo(agent().url)
      const answers = collect(socket)
      socket.write('GET /v1/status/leader HTTP/1.1\r\nHost: localhost\r\n\r\n')
      await eventually(() => expect(socket.closed || answers().includes('\r\n\r\n')).toBe(true))
      socket.destroy()
      return answers()
    }
    const freed = () => eventually(async () => expect(await outcome()).toContain('200 OK'))

    before('1.9.0', '429 came with 1.9')('closes a connection too many without a word', async () => {
      const sockets = await open(3)
      expect(await outcome()).toBe('')
      for (const socket of sockets) socket.destroy()
      await freed()
    })

    since('1.9.0', 'it was closed without a word before')('answers 429 on a connection too many', async () => {
      const sockets = await open(3)
      expect(await outcome()).toMatch(
        /^HTTP\/1\.1 429 Too Many Requests[^]*Connection: close[^]*too many concurrent connections/,
      )
      for (const socket of sockets) socket.destroy()
      await freed()
    })

    must('counts an aborted blocking query until its wait ends', async () => {
      const sockets = await open(3)
      for (const socket of sockets) {
        socket.write('GET /v1/kv/never?index=100000&wait=1s HTTP/1.1\r\nHost: localhost\r\n\r\n')
      }
      const begun = performance.now()
      await eventually(() => expect(sockets.every((socket) => socket.bytesWritten > 100)).toBe(true))
      // Only what has reached the agent can hold a slot there.
      await new Promise((resolve) => setImmediate(resolve))
      await outcome()
      for (const socket of sockets) socket.destroy()
      expect(await outcome()).not.toContain('200 OK')
      await freed()
      expect(performance.now() - begun).toBeGreaterThan(800)
    })
  },
  { connectionsPerClient: 3 },
)

function connectTo(url: string): Socket {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  socket.on('error', () => socket.destroy())
  return socket
}

function collect(socket: Socket): () => string {
  let text = ''
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
  return () => text
}

import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { KvApi } from '../../src/api/kv.js'
import { HealthApi } from '../../src/api/health.js'
import { StatusApi } from '../../src/api/status.js'
import { ConsulHttpClient } from '../../src/http/consul-http-client.js'
import { resolveOptions } from '../../src/options/client-options.js'

let server: Server
let port: number
let asked: (string | undefined)[]
/** What the server answers, packed when it is asked to. */
let body = '[]'

beforeEach(async () => {
  asked = []
  server = createServer((request, response) => {
    const encoding = request.headers['accept-encoding']
    asked.push(encoding)
    if (encoding === 'gzip') response.setHeader('content-encoding', 'gzip')
    response.end(encoding === 'gzip' ? gzipSync(body) : body)
  }).listen(0)
  await once(server, 'listening')
  const address = server.address()
  port = typeof address === 'object' && address !== null ? address.port : 0
})

afterEach(() => {
  server.closeAllConnections()
  server.close()
})

async function withClient<T>(host: string, use: (http: ConsulHttpClient) => Promise<T>): Promise<T> {
  const { connection, runtime } = resolveOptions({ address: `http://${host}:${port}` }, {})
  const http = new ConsulHttpClient(connection, runtime)
  try {
    return await use(http)
  } finally {
    http.close()
  }
}

async function ask(host: string): Promise<readonly string[]> {
  return await withClient(host, async (http) => {
    const { value } = await new KvApi(http).keys('a/')
    await new StatusApi(http).peers()
    return value
  })
}

describe('an answer', () => {
  it.each(['127.0.0.1', 'localhost', '127.9.9.9'])(
    'of keys comes unpacked from an agent at %s, any other packed',
    async (host) => {
      await ask(host)
      expect(asked).toEqual(['identity', 'gzip'])
    },
  )

  // Systems take 0.0.0.0 for this host; the client does not.
  it('of keys comes packed from another host, and is whole however large it is', async () => {
    body = JSON.stringify(Array.from({ length: 50_000 }, (_, index) => `a/key-${index}-${Math.sin(index)}`))
    expect(JSON.stringify(await ask('0.0.0.0'))).toBe(body)
    expect(asked).toEqual(['gzip', 'gzip'])
  })

  it('comes as the caller asks for it', async () => {
    body = '[]'
    await withClient('127.0.0.1', async (http) => {
      await new KvApi(http).keys('a/', { compress: true })
      await new HealthApi(http).service('a', { compress: false })
    })
    expect(asked).toEqual(['gzip', 'identity'])
  })
})

import { once } from 'node:events'
import { createServer as createHttpServer, type RequestListener } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { describe, expect, it } from 'vitest'
import type { Proconsul } from '../../src/index.js'
import { afterTest, client, consulAgent } from '../support/opened.js'
import { CERT_A, KEY_A } from '../unit/http/certificates.js'

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  afterTest(() => server.close())
  return (server.address() as AddressInfo).port
}

const web = async (answer: RequestListener): Promise<string> =>
  `http://127.0.0.1:${await listening(createHttpServer({ keepAlive: false }, answer))}`

const CALLS: readonly [string, (consul: Proconsul) => Promise<unknown>][] = [
  ['kv.get', (consul) => consul.kv.get('a')],
  ['agent.self', (consul) => consul.agent.self()],
  ['health.service', (consul) => consul.health.service('a')],
  ['kv.set', (consul) => consul.kv.set('a', '1')],
  ['discover', (consul) => consul.discover('a')],
]

describe.each(CALLS)('%s', (_name, call) => {
  it('with https on a port of plain HTTP is told that the port does not speak TLS', async () => {
    const agent = await consulAgent()
    const consul = client(`https://${agent.address}`)
    await expect(call(consul)).rejects.toMatchObject({
      code: 'PROCONSUL_TLS',
      message: expect.stringContaining('does not speak TLS: the address needs http://') as string,
    })
  })

  it('with plain HTTP on a port of https is told that the port speaks TLS', async () => {
    const agent = await consulAgent({ tls: true })
    await expect(call(client(`http://${agent.address}`))).rejects.toMatchObject({
      code: 'PROCONSUL_TLS',
      message: expect.stringContaining('speaks TLS: the address needs https://') as string,
    })
  })

  it('with plain HTTP on a port of https that is no agent is told the same', async () => {
    const port = await listening(createHttpsServer({ cert: CERT_A, key: KEY_A }))
    await expect(call(client(`http://127.0.0.1:${port}`))).rejects.toMatchObject({
      message: expect.stringMatching(/speaks TLS|the connection was lost/) as string,
    })
  })

  it.each<[string, RequestListener]>([
    ['a page', (_request, response) => response.setHeader('content-type', 'text/html').end('<html>hello</html>')],
    [
      'a page that is missing',
      (_request, response) => response.writeHead(404, { 'content-type': 'text/html' }).end('<h1>Not Found</h1>'),
    ],
    ['404 in plain text', (_request, response) => response.writeHead(404).end('404 page not found\n')],
    ['404 in JSON', (_request, response) => response.writeHead(404).end('{"error":"Not Found"}')],
  ])('of something that answers with %s is told that it is no agent', async (_what, answer) => {
    await expect(call(client(await web(answer)))).rejects.toMatchObject({
      code: 'PROCONSUL_BAD_RESPONSE',
      message: expect.stringContaining('it is no Consul agent: check the address') as string,
    })
  })

  it('of something that answers with text is asked whether an agent is there', async () => {
    const address = await web((_request, response) => response.end('OK'))
    await expect(call(client(address))).rejects.toMatchObject({
      code: 'PROCONSUL_BAD_RESPONSE',
      message: expect.stringContaining('is there a Consul agent at this address?') as string,
    })
  })
})

describe('a lost connection', () => {
  it('is no doubt about a write when nothing was to be written', async () => {
    const port = await listening(createServer((socket) => socket.on('data', () => socket.resetAndDestroy())))
    const consul = client(`http://127.0.0.1:${port}`)
    const doubt = /a write may have happened/
    for (const read of [
      () => consul.kv.get('a'),
      () => consul.health.service('a'),
      () => consul.kv.transaction([{ type: 'get', key: 'a' }]),
    ]) {
      const error: unknown = await read().catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ code: 'PROCONSUL_UNAVAILABLE' })
      expect(String(error)).not.toMatch(doubt)
    }
    await expect(consul.kv.set('a', '1')).rejects.toThrow(doubt)
    await expect(consul.kv.transaction([{ type: 'delete', key: 'a' }])).rejects.toThrow(doubt)
  })
})

it('an address without a port that cannot be reached is told which port Consul has', async () => {
  // Nobody listens on port 80 of this loopback address.
  await expect(client('http://127.0.99.1').kv.get('a')).rejects.toMatchObject({
    code: 'PROCONSUL_UNAVAILABLE',
    message: expect.stringContaining("the address names no port, so it was 80: Consul's own is 8500") as string,
  })
})

it('an old agent is not asked for a filter or a peer that it would ignore', async () => {
  const agent = await consulAgent()
  const consul = client(agent.address)
  for (const call of [
    () => consul.catalog.services({ filter: 'ServiceName == "nobody"' }),
    () => consul.health.service('a', { peer: 'east' }),
    () => consul.watchServices({ filter: 'ServiceName == "nobody"' }).ready(),
    () => consul.watchService('a', { peer: 'east' }).ready(),
    () => consul.discover('a', { peer: 'east' }),
  ]) {
    await expect(call()).rejects.toMatchObject({
      code: 'PROCONSUL_UNSUPPORTED',
      message: expect.stringMatching(/needs an agent of Consul 1\..* this one is 1\.8/) as string,
    })
  }
})

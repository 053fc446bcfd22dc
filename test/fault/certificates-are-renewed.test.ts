import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TLSSocket } from 'node:tls'
import { describe, expect, it, vi } from 'vitest'
import { ConsulHttpClient } from '../../src/http/consul-http-client.js'
import type { HttpRequest } from '../../src/http/request.js'
import { resolveOptions } from '../../src/options/client-options.js'
import { eventually } from '../support/eventually.js'
import { afterTest } from '../support/opened.js'
import { recordingLogger } from '../support/recording-logger.js'
import { CERT_A, CERT_B, KEY_A, KEY_B } from '../unit/http/certificates.js'

const READ: HttpRequest = { operation: 'kv.get', method: 'GET', path: '/kv/a', idempotent: true }
const WATCH: HttpRequest = { ...READ, path: '/kv/held', blocking: { waitMs: 60_000 } }

/** An agent that asks for certificates, notes whose each request was, and holds requests for `/kv/held`. */
async function tlsAgent() {
  const seen: string[] = []
  const held: ServerResponse[] = []
  const options = { cert: CERT_A, key: KEY_A, requestCert: true, rejectUnauthorized: false }
  const server = createServer(options, (request, response) => {
    if (!(request.socket instanceof TLSSocket)) throw new Error('not over TLS')
    seen.push(String(request.socket.getPeerCertificate().subject.CN))
    if (request.url?.includes('held') === true) held.push(response)
    else response.end('[]')
  })
  let connections = 0
  server.on('secureConnection', (socket: TLSSocket) => {
    connections += 1
    socket.on('close', () => (connections -= 1)).on('error', () => undefined)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  afterTest(() => {
    server.close().closeAllConnections()
  })
  const { port } = server.address() as AddressInfo
  return { url: `https://127.0.0.1:${port}`, seen, held, connections: () => connections }
}

async function connected() {
  const agent = await tlsAgent()
  const folder = await mkdtemp(join(tmpdir(), 'proconsul-tls-'))
  afterTest(() => rm(folder, { recursive: true }))
  const [certFile, keyFile] = [join(folder, 'client.crt'), join(folder, 'client.key')]
  await Promise.all([writeFile(certFile, CERT_A), writeFile(keyFile, KEY_A)])
  const logger = recordingLogger()
  const tls = { certFile, keyFile, rejectUnauthorized: false }
  const { connection, runtime } = resolveOptions({ address: agent.url, tls, logger }, {})
  const http = new ConsulHttpClient(connection, runtime)
  afterTest(() => http.close())
  const changed = vi.fn()
  http.onCredentialsChange(changed)
  const told = (): unknown[] => logger.entries.map(({ fields }) => fields['event'])
  const ask = async (): Promise<string | undefined> => {
    await http.request(READ)
    return agent.seen.at(-1)
  }
  return { agent, http, changed, told, ask, certFile, keyFile }
}

describe('a certificate that is renewed in its file', () => {
  it('is shown by every request that begins after it, and those under way end with the one they began with', async () => {
    const { agent, http, changed, told, ask, certFile, keyFile } = await connected()
    expect(await ask()).toBe('test-a')
    const watch = http.request(WATCH)
    await eventually(() => expect(agent.held).toHaveLength(1))
    await Promise.all([writeFile(certFile, CERT_B), writeFile(keyFile, KEY_B)])
    await eventually(async () => expect(await ask()).toBe('test-b'), { within: 5_000 })
    expect(changed).toHaveBeenCalledOnce()
    expect(told()).toContain('credentials-changed')
    agent.held[0]?.end('[]')
    expect((await watch).status).toBe(200)
    // The kept connections of the old certificate are gone: only that of the last request is left.
    await eventually(() => expect(agent.connections()).toBe(1))
    http.close()
    await eventually(() => expect(agent.connections()).toBe(0))
  })

  it('reaches a thread of its own with the next target, though no request was sent meanwhile', async () => {
    const { http, certFile, keyFile } = await connected()
    expect(String(Reflect.get((await http.plainTarget()).tls, 'cert'))).toBe(CERT_A)
    await Promise.all([writeFile(certFile, CERT_B), writeFile(keyFile, KEY_B)])
    await eventually(async () => expect(String(Reflect.get((await http.plainTarget()).tls, 'cert'))).toBe(CERT_B), {
      within: 5_000,
    })
    structuredClone(await http.plainTarget())
  })

  it('is not used before its key is there as well: the last good pair goes on, and that is said once', async () => {
    const { changed, told, ask, certFile, keyFile } = await connected()
    await ask()
    await writeFile(certFile, CERT_B)
    await eventually(
      async () => {
        expect(await ask()).toBe('test-a')
        expect(told()).toEqual(['credentials-unusable'])
      },
      { within: 5_000 },
    )
    expect(changed).not.toHaveBeenCalled()
    await writeFile(keyFile, KEY_B)
    await eventually(async () => expect(await ask()).toBe('test-b'), { within: 5_000 })
    expect(told()).toEqual(['credentials-unusable', 'credentials-changed'])
  })

  it('ends with the client, also a connection of an earlier certificate that is in use yet', async () => {
    const { agent, http, ask, certFile, keyFile } = await connected()
    const watch = http.request(WATCH).catch((error: unknown) => error)
    await eventually(() => expect(agent.held).toHaveLength(1))
    await Promise.all([writeFile(certFile, CERT_B), writeFile(keyFile, KEY_B)])
    await eventually(async () => expect(await ask()).toBe('test-b'), { within: 5_000 })
    http.close()
    expect(await watch).toMatchObject({ code: 'PROCONSUL_CLOSED' })
    await eventually(() => expect(agent.connections()).toBe(0))
  })
})

describe('a certificate that cannot be used', () => {
  it('fails the first request by the name of its option, and sends nothing', async () => {
    const { agent, http, keyFile } = await connected()
    await writeFile(keyFile, KEY_B)
    await expect(http.request(READ)).rejects.toMatchObject({
      code: 'PROCONSUL_TLS',
      retryable: false,
      message: expect.stringContaining(`tls.keyFile is ${JSON.stringify(keyFile)}`) as string,
    })
    expect(agent.seen).toEqual([])
  })
})

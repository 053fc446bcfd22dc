import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { request as requestHttp } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TLSSocket } from 'node:tls'
import { expect, it } from 'vitest'
import { Proconsul } from '../../src/proconsul.js'
import { startConsul, type ConsulAgent } from '../support/consul-agent.js'
import { eventually } from '../support/eventually.js'
import { afterTest } from '../support/opened.js'
import { CERT_A, CERT_B, KEY_A, KEY_B } from '../unit/http/certificates.js'

/** Stands before an agent, asks for certificates, and notes whose each heartbeat was, with its token. */
async function tlsFrontOf(agent: ConsulAgent) {
  const beats: string[] = []
  const options = { cert: CERT_A, key: KEY_A, requestCert: true, rejectUnauthorized: false }
  const server = createServer(options, (request, response) => {
    const { url = '', method, headers, socket } = request
    if (!(socket instanceof TLSSocket)) throw new Error('not over TLS')
    if (url.includes('/check/update/')) {
      beats.push(`${String(socket.getPeerCertificate().subject.CN)} ${String(headers['x-consul-token'])}`)
    }
    // The agent knows neither of the tokens.
    const onward = requestHttp(
      `${agent.url}${url}`,
      { method, headers: { ...headers, 'x-consul-token': '' } },
      (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers)
        answer.pipe(response)
      },
    )
    onward.on('error', () => response.destroy())
    request.pipe(onward)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  afterTest(() => {
    server.close().closeAllConnections()
  })
  return { beats, url: `https://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

it('beats from a thread under a certificate and a token that are renewed in their files, and loses no beat by it', async () => {
  await using agent = await startConsul()
  const front = await tlsFrontOf(agent)
  const folder = await mkdtemp(join(tmpdir(), 'proconsul-thread-'))
  afterTest(() => rm(folder, { recursive: true }))
  const [certFile, keyFile, tokenFile] = ['cert', 'key', 'token'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ]
  await Promise.all([writeFile(certFile, CERT_A), writeFile(keyFile, KEY_A), writeFile(tokenFile, 'first')])
  const tls = { certFile, keyFile, rejectUnauthorized: false }
  await using consul = new Proconsul({ address: front.url, tls, tokenFile })
  const heartbeat = { thread: 'worker' } as const
  const registration = await consul.registerService({ name: 'renewed', check: { ttl: '2s' }, heartbeat })
  const failures: string[] = []
  registration.on('heartbeatFailed', ({ message }) => failures.push(message))
  await eventually(() => expect(front.beats.at(-1)).toBe('test-a first'))
  await Promise.all([writeFile(certFile, CERT_B), writeFile(keyFile, KEY_B)])
  await eventually(() => expect(front.beats.at(-1)).toBe('test-b first'), { within: 15_000 })
  await writeFile(tokenFile, 'second')
  await eventually(() => expect(front.beats.at(-1)).toBe('test-b second'), { within: 15_000 })
  expect(failures).toEqual([])
})

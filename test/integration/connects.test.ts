import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { Proconsul, type ProconsulOptions } from '../../src/index.js'
import { startConsul } from '../support/consul-agent.js'
import { eventually } from '../support/eventually.js'

const opened: AsyncDisposable[] = []
afterEach(async () => {
  for (const resource of opened.splice(0).reverse()) await resource[Symbol.asyncDispose]()
})

function connect(options: ProconsulOptions): Proconsul {
  const consul = new Proconsul(options)
  opened.push(consul)
  return consul
}

describe('a client reaches its agent', () => {
  it('over TLS with certificates of both sides, from files and from memory', async () => {
    await using agent = await startConsul({ tls: true })
    const { caFile, certFile, keyFile, ca, cert, key } = agent.tls
    for (const tls of [
      { caFile, certFile, keyFile },
      { ca, cert, key, servername: 'server.dc1.consul' },
    ]) {
      expect(await connect({ address: agent.url, tls }).status.leader()).toMatch(/:\d+$/)
    }
  })

  it.each<[string, (tls: { ca: string; cert: string; key: string }) => NonNullable<ProconsulOptions['tls']>, RegExp]>([
    ['the authority is not known', ({ cert, key }) => ({ cert, key }), /certificate|CERT|VERIFY|SELF_SIGNED/],
    ['the name is another', ({ ca, cert, key }) => ({ ca, cert, key, servername: 'example.org' }), /ALTNAME/],
    ['the client shows no certificate', ({ ca }) => ({ ca }), /./],
  ])('but not when %s, and says so', async (_what, tlsFor, said) => {
    await using agent = await startConsul({ tls: true })
    const error = await connect({ address: agent.url, tls: tlsFor(agent.tls), timeout: '5s' })
      .status.leader()
      .catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ name: 'ProconsulError', message: expect.stringMatching(said) as string })
  })

  it('over a unix socket', async () => {
    await using agent = await startConsul({ unixSocket: true })
    expect(await connect({ address: `unix://${agent.socketPath}` }).status.leader()).toMatch(/:\d+$/)
  })

  it('with plain HTTP on an HTTPS port is told that the address needs https', async () => {
    await using agent = await startConsul({ tls: true })
    await expect(connect({ address: agent.url.replace('https', 'http') }).status.leader()).rejects.toMatchObject({
      code: 'PROCONSUL_TLS',
      message: expect.stringContaining('the address needs https://') as string,
    })
  })
})

describe('a token', () => {
  it('of a file is followed when the file changes, and one without rights is refused by name', async () => {
    await using agent = await startConsul({ acl: true })
    const weak = await agent.acl.createToken('service "other" { policy = "read" }')
    const strong = await agent.acl.createToken('key_prefix "" { policy = "write" }')
    const folder = await mkdtemp(join(tmpdir(), 'proconsul-token-'))
    opened.push({ [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) })
    const tokenFile = join(folder, 'token')
    await writeFile(tokenFile, `${weak.secret}\n`)
    const consul = connect({ address: agent.address, tokenFile })
    await expect(consul.kv.set('a', '1')).rejects.toMatchObject({ code: 'PROCONSUL_PERMISSION_DENIED', status: 403 })
    await writeFile(tokenFile, `${strong.secret}\n\n`)
    await eventually(async () => expect(await consul.kv.set('a', '1')).toBe(true))
  })
})

describe('a namespace', () => {
  it('is refused by an agent that has none, with what the agent says', async () => {
    await using agent = await startConsul()
    await expect(connect({ address: agent.address, namespace: 'team' }).kv.get('a')).rejects.toMatchObject({
      code: 'PROCONSUL_REJECTED',
      message: expect.stringContaining('Namespaces are a Consul Enterprise feature') as string,
    })
  })
})

describe('the connection limit of an agent', () => {
  it('is never reached, however many keys are watched, and writes go on', async () => {
    await using agent = await startConsul({ limits: { http_max_conns_per_client: 100 } })
    const consul = connect({ address: agent.address })
    const watchers = Array.from({ length: 150 }, (_, index) => consul.kv.watch(`many/${index}`))
    await Promise.all(watchers.map((watcher) => watcher.ready()))
    expect(await consul.kv.set('many/149', 'seen')).toBe(true)
    await eventually(() => expect(watchers[149]?.value?.value).toBe('seen'), { within: 10_000 })
  })
})

import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { ProconsulError } from '../../src/index.js'
import { client, consulAgent } from '../support/opened.js'
import type { ConsulAgent } from '../support/consul-agent.js'

const RULES = 'service_prefix "" { policy = "write" } node_prefix "" { policy = "read" }'

/** Makes a token with a secret that was chosen before. */
async function make(agent: ConsulAgent, secret: string): Promise<void> {
  const name = `policy-${secret}`
  await agent.request('PUT', '/v1/acl/policy', { body: { Name: name, Rules: RULES } })
  const answer = await agent.request('PUT', '/v1/acl/token', { body: { SecretID: secret, Policies: [{ Name: name }] } })
  expect(answer.status).toBe(200)
}

describe('a service that is registered under a token', () => {
  it('that is not known yet is registered when it is', async () => {
    const agent = await consulAgent({ acl: true })
    const secret = randomUUID()
    const heard: string[] = []
    const makeAtFirst = ({ code }: ProconsulError): void => {
      heard.push(code)
      if (heard.length === 1) void make(agent, secret)
    }
    const registering = client(agent.url, { token: secret }).registerService(
      { name: 'early', check: { ttl: '3s' } },
      { timeout: '20s', onRegisterFailed: makeAtFirst },
    )
    expect((await registering).state).toBe('registered')
    expect(new Set(heard)).toEqual(new Set(['PROCONSUL_PERMISSION_DENIED']))
  })

  it('that nobody makes is given up at the end of the time, with the reason', async () => {
    const agent = await consulAgent({ acl: true })
    const registering = client(agent.url, { token: randomUUID() }).registerService({ name: 'never' }, { timeout: '2s' })
    await expect(registering).rejects.toMatchObject({
      code: 'PROCONSUL_TIMEOUT',
      message: expect.stringContaining('ACL not found') as string,
      cause: { code: 'PROCONSUL_PERMISSION_DENIED' },
    })
  })

  it('without the permission is refused at once', async () => {
    const agent = await consulAgent({ acl: true })
    const { secret } = await agent.acl.createToken('key_prefix "" { policy = "read" }')
    const startedAt = performance.now()
    const registering = client(agent.url, { token: secret }).registerService({ name: 'denied' }, { timeout: '20s' })
    await expect(registering).rejects.toMatchObject({ code: 'PROCONSUL_PERMISSION_DENIED' })
    expect(performance.now() - startedAt).toBeLessThan(10_000)
  })
})

import { once } from 'node:events'
import { createServer, request as requestTo, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { Proconsul } from '../../src/proconsul.js'
import { startConsul, type ConsulAgent } from '../support/consul-agent.js'
import type { AclToken } from '../support/consul-acl.js'
import { eventually } from '../support/eventually.js'
import { afterTest } from '../support/opened.js'

const RULES =
  'service_prefix "" { policy = "write" } node_prefix "" { policy = "read" } agent_prefix "" { policy = "read" }'

/** An agent with two tokens behind a gate that can refuse, or hold back the answers to, requests to register. */
async function gated() {
  const agent = await startConsul({ acl: true })
  afterTest(() => agent.close())
  const [first, second] = [await agent.acl.createToken(RULES), await agent.acl.createToken(RULES)]
  const gate = {
    token: first.secret,
    refuses: undefined as number | undefined,
    refused: 0,
    /** The tokens of all requests. */
    seen: new Set<unknown>(),
    /** Those of the requests to register that got through. */
    registered: new Array<string>(),
    beforeAnswer: (): Promise<unknown> => Promise.resolve(),
  }
  const server = createServer((request, response) => {
    gate.seen.add(request.headers['x-consul-token'])
    const isRegister = request.url?.startsWith('/v1/agent/service/register') === true
    if (isRegister && gate.refuses !== undefined) {
      gate.refused += 1
      request.resume().on('end', () => response.writeHead(gate.refuses ?? 500).end('refused'))
    } else if (isRegister) {
      gate.registered.push(String(request.headers['x-consul-token']))
      pass(agent, request, response, () => gate.beforeAnswer())
    } else pass(agent, request, response, () => Promise.resolve())
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  afterTest(() => server.close().closeAllConnections())
  const consul = new Proconsul({
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    token: () => gate.token,
  })
  afterTest(() => consul.close({ timeout: '1s' }))
  return { agent, consul, first, second, gate }
}

function pass(
  agent: ConsulAgent,
  request: IncomingMessage,
  response: ServerResponse,
  beforeAnswer: () => Promise<unknown>,
): void {
  const { method, headers } = request
  const onward = requestTo(new URL(request.url ?? '/', agent.url), { method, headers }, (answer) => {
    void beforeAnswer().then(() => {
      response.writeHead(answer.statusCode ?? 500, answer.headers)
      answer.pipe(response)
    })
  })
  onward.on('error', () => response.destroy())
  response.on('close', () => onward.destroy())
  request.pipe(onward)
}

async function revoke(agent: ConsulAgent, token: AclToken): Promise<void> {
  await agent.acl.deleteToken(token)
  await eventually(async () => {
    const headers = { 'x-consul-token': token.secret }
    expect((await fetch(`${agent.url}/v1/agent/services`, { headers })).status).toBe(403)
  })
}

async function listed(agent: ConsulAgent): Promise<number> {
  return (await agent.read<unknown[]>('/v1/catalog/service/t')).length
}

describe('a new token', () => {
  it.each([503, 403])('is followed as soon as the agent no longer answers %d to it', async (status) => {
    const { agent, consul, first, second, gate } = await gated()
    const registration = await consul.registerService({ name: 't', id: 't', check: { ttl: '3s' } })
    const failures: string[] = []
    registration.on('registerFailed', ({ code }) => failures.push(code))
    gate.refuses = status
    gate.token = second.secret
    await eventually(() => expect(failures.length).toBeGreaterThan(1), { within: 15_000 })
    gate.refuses = undefined
    await eventually(() => expect(gate.registered.at(-1)).toBe(second.secret), { within: 10_000 })
    await revoke(agent, first)
    await registration.deregister()
    expect(await listed(agent)).toBe(0)
  })

  it('is followed when it comes while the first registration is under way', async () => {
    const { agent, consul, first, second, gate } = await gated()
    gate.beforeAnswer = async () => {
      gate.token = second.secret
      // Other requests are the first to see it.
      await eventually(async () => {
        await consul.agent.self()
        expect(gate.seen).toContain(second.secret)
      })
    }
    const registration = await consul.registerService({ name: 't', id: 't', check: { ttl: '3s' } })
    gate.beforeAnswer = () => Promise.resolve()
    await eventually(() => expect(gate.registered.at(-1)).toBe(second.secret), { within: 10_000 })
    await revoke(agent, first)
    await registration.deregister()
    expect(await listed(agent)).toBe(0)
  })

  it('under which the service is not registered yet is no reason to leave it listed', async () => {
    const { agent, consul, first, second, gate } = await gated()
    await consul.registerService({ name: 't', id: 't', check: { ttl: '3s' } })
    gate.refuses = 403
    gate.token = second.secret
    await eventually(() => expect(gate.refused).toBeGreaterThan(0), { within: 10_000 })
    await revoke(agent, first)
    gate.refuses = undefined
    expect(await consul.close({ timeout: '20s' })).toEqual({ leftBehind: [] })
    expect(await listed(agent)).toBe(0)
  })
})

describe('the end of a client', () => {
  it('names a registration that the catalog goes on listing', { timeout: 30_000 }, async () => {
    const { agent, consul, second } = await gated()
    await consul.registerService({ name: 't', id: 't', check: { ttl: '60s' } })
    // Somebody else registers it again under a token that is then revoked: the agent cannot tell the servers of the end.
    const headers = { 'x-consul-token': second.secret }
    const { Meta } = await agent.read<{ Meta: object }>('/v1/agent/service/t')
    const body = JSON.stringify({ ID: 't', Name: 't', Meta, Check: { CheckID: 'service:t', TTL: '60s' } })
    await fetch(`${agent.url}/v1/agent/service/register`, { method: 'PUT', headers, body })
    await revoke(agent, second)
    const { leftBehind } = await consul.close({ timeout: '20s' })
    expect(leftBehind).toMatchObject([{ id: 't', error: { code: 'PROCONSUL_TIMEOUT' } }])
    expect(await listed(agent)).toBe(1)
  })
})

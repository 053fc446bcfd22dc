import { describe, expect, it } from 'vitest'
import type { ConsulAgent } from '../support/consul-agent.js'
import { eventually } from '../support/eventually.js'
import { client, consulAgent } from '../support/opened.js'

const RULES =
  'service_prefix "" { policy = "write" } node_prefix "" { policy = "read" } agent_prefix "" { policy = "read" }'

async function passing(agent: ConsulAgent, service: string): Promise<number> {
  return (await agent.read<unknown[]>(`/v1/health/service/${service}?passing`)).length
}

async function checksOf(agent: ConsulAgent, service: string): Promise<readonly string[]> {
  const checks = await agent.read<{ readonly CheckID: string }[]>(`/v1/health/checks/${service}`)
  return checks.map(({ CheckID }) => CheckID)
}

describe('a maintenance', () => {
  it('is there again with an update that is written before the loss of all state is noticed', async () => {
    const agent = await consulAgent()
    const registration = await client(agent.url).registerService({ name: 'm', id: 'm', check: { ttl: '60s' } })
    await registration.maintenance(true, 'migration')
    await agent.restart()
    await registration.update({ tags: ['v2'] })
    expect(await checksOf(agent, 'm')).toContain('_service_maintenance:m')
    expect(await passing(agent, 'm')).toBe(0)
  })

  it('is there again when others have ended it with all checks of the service', async () => {
    const agent = await consulAgent()
    const registration = await client(agent.url).registerService({ name: 'm', id: 'm', check: { ttl: '60s' } })
    await registration.maintenance(true, 'migration')
    await agent.request('PUT', '/v1/agent/check/deregister/_service_maintenance:m')
    expect(await passing(agent, 'm')).toBe(1)
    await eventually(async () => expect(await passing(agent, 'm')).toBe(0), { within: 10_000 })
    await registration.maintenance(false)
    expect(await passing(agent, 'm')).toBe(1)
  })

  it.each(['maintenance', 'deregister'] as const)('that a revoked token began ends with %s', async (how) => {
    const agent = await consulAgent({ acl: true })
    const [first, second] = [await agent.acl.createToken(RULES), await agent.acl.createToken(RULES)]
    let token = first.secret
    const consul = client(agent.url, { token: () => token })
    const registration = await consul.registerService({ name: 'm', id: 'm', check: { ttl: '3s' } })
    await registration.maintenance(true, 'migration')
    token = second.secret
    await eventually(async () => {
      const written = (await agent.logs()).match(/PUT url=\/v1\/agent\/service\/register/g)
      expect(written?.length).toBeGreaterThan(1)
    })
    await agent.acl.deleteToken(first)
    if (how === 'maintenance') {
      await registration.maintenance(false)
      await eventually(async () => expect(await passing(agent, 'm')).toBe(1))
      expect(await checksOf(agent, 'm')).toEqual(['service:m'])
    } else {
      await registration.deregister()
      expect(await agent.read<unknown[]>('/v1/catalog/service/m')).toEqual([])
      expect(await checksOf(agent, 'm')).toEqual([])
    }
  })
})

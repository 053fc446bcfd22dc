import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startConsul, type ConsulAgent } from '../support/consul-agent.js'
import { eventually } from '../support/eventually.js'
import { discoveryClient, type DiscoveryClient } from './discovery-client.js'

let agent: ConsulAgent
let client: DiscoveryClient

beforeAll(async () => {
  agent = await startConsul()
  client = discoveryClient({ address: agent.url })
  const body = { Name: 'web', ID: 'web-1', Port: 80, Tags: ['v1'], Check: { TTL: '600s', Status: 'warning' } }
  await agent.request('PUT', '/v1/agent/service/register', { body })
  await eventually(async () => expect((await client.health.service('web')).value).toHaveLength(1))
})

afterAll(async () => {
  await client.close()
  await agent.close()
})

describe('the catalog as it is read', () => {
  it('has services with their tags, nodes, and datacenters', async () => {
    expect((await client.catalog.services()).value).toEqual({ consul: [], web: ['v1'] })
    expect((await client.catalog.nodes()).value.map(({ name }) => name)).toEqual([agent.node])
    expect(await client.catalog.datacenters()).toEqual(['dc1'])
  })

  it('has one node with what runs on it, and nothing for a node that is not there', async () => {
    const { value } = await client.catalog.node(agent.node)
    expect(value?.services.map(({ id }) => id).sort()).toEqual(['consul', 'web-1'])
    expect((await client.catalog.node('nowhere')).value).toBeUndefined()
  })

  it('has instances with and without their health', async () => {
    const [entry] = (await client.health.service('web', { tags: ['v1'] })).value
    const [listed] = (await client.catalog.service('web', { tags: ['v1'] })).value
    expect(entry?.service).toMatchObject({ id: 'web-1', port: 80, tags: ['v1'], meta: {}, ports: [] })
    expect(listed?.service).toMatchObject({ id: 'web-1', port: 80, tags: ['v1'] })
    expect(entry?.checks.map(({ status }) => status).sort()).toEqual(['passing', 'warning'])
    expect((await client.health.service('web', { passing: true })).value).toEqual([])
    expect((await client.health.connect('web')).value).toEqual([])
  })

  it('has the checks of a service, of a node, and in a state', async () => {
    const ids = (checks: readonly { readonly id: string }[]): string[] => checks.map(({ id }) => id).sort()
    expect(ids((await client.health.checks('web')).value)).toEqual(['service:web-1'])
    expect(ids((await client.health.node(agent.node)).value)).toEqual(['serfHealth', 'service:web-1'])
    expect(ids((await client.health.state('warning')).value)).toEqual(['service:web-1'])
    await expect(client.health.state('bogus' as never)).rejects.toMatchObject({ code: 'PROCONSUL_INVALID_OPTION' })
  })

  it('blocks on an index, and returns when its wait is over', async () => {
    const { meta } = await client.health.service('web')
    const at = performance.now()
    const again = await client.health.service('web', { index: meta.index, wait: '200ms' })
    expect(performance.now() - at).toBeGreaterThan(190)
    expect(again.meta.index).toBe(meta.index)
  })

  it('takes an external service in and out again', async () => {
    await client.catalog.register({ node: 'elsewhere', address: '10.0.0.9', service: { name: 'db', port: 5432 } })
    const [external] = (await client.health.service('db')).value
    expect(external).toMatchObject({
      node: { name: 'elsewhere', address: '10.0.0.9' },
      service: { id: 'db', port: 5432 },
    })
    await client.catalog.deregister({ node: 'elsewhere' })
    expect((await client.health.service('db')).value).toEqual([])
  })

  it('stores a prepared query, executes it and removes it', async () => {
    const id = await client.preparedQuery.create({ name: 'find-web', service: { name: 'web' } })
    expect(await client.preparedQuery.list()).toContainEqual({ id, name: 'find-web', service: 'web' })
    const { value } = await client.preparedQuery.execute('find-web', { limit: 1 })
    expect(value).toMatchObject({ service: 'web', datacenter: 'dc1', failovers: 0 })
    expect(value.entries.map(({ service }) => service.id)).toEqual(['web-1'])
    await client.preparedQuery.delete(id)
    await expect(client.preparedQuery.execute('find-web')).rejects.toMatchObject({ code: 'PROCONSUL_NOT_FOUND' })
  })

  it('sends a user event and lists it, and a list waits for the next one', async () => {
    const fired = await client.event.fire('deploy', { payload: Buffer.from([0, 255]), service: 'web' })
    const { value, meta } = await eventually(async () => {
      const answer = await client.event.list({ name: 'deploy' })
      expect(answer.value).toHaveLength(1)
      return answer
    })
    expect(value[0]).toMatchObject({
      id: fired.id,
      name: 'deploy',
      serviceFilter: 'web',
      payload: Buffer.from([0, 255]),
    })
    const next = client.event.list({ name: 'deploy', hash: meta.contentHash, wait: '10s' })
    await client.event.fire('deploy')
    expect((await next).value).toHaveLength(2)
  })
})

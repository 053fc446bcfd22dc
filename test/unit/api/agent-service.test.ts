import { describe, expect, it } from 'vitest'
import { AgentServiceApi } from '../../../src/api/agent-service.js'
import { ScriptedHttp } from './scripted-http.js'

describe('AgentServiceApi', () => {
  it('sends what was set and nothing else', async () => {
    const http = new ScriptedHttp()
    const services = new AgentServiceApi(http)
    await services.register({ id: 'w', name: 'web' })
    expect(http.last).toMatchObject({ method: 'PUT', path: '/agent/service/register', idempotent: true })
    expect(http.last.body).toEqual({ ID: 'w', Name: 'web' })
    await services.register(
      {
        id: 'w',
        name: 'web',
        address: '10.0.0.1',
        ports: [{ name: 'http', port: 80, isDefault: true }],
        tags: [],
        meta: { a: '1' },
        weights: { passing: 2, warning: 0 },
        taggedAddresses: { wan: { address: '1.2.3.4', port: 443 } },
        enableTagOverride: false,
        checks: [
          {
            type: 'ttl',
            id: 'c',
            name: 'n',
            ttlMs: 1_500,
            status: 'passing',
            deregisterCriticalServiceAfterMs: 60_000,
          },
          {
            type: 'http',
            id: 'h',
            name: 'h',
            url: 'http://x',
            headers: { a: ['b'] },
            intervalMs: 1_000,
            timeoutMs: 500,
          },
          { type: 'tcp', id: 't', name: 't', address: 'x:1', intervalMs: 90_000 },
          { type: 'grpc', id: 'g', name: 'g', address: 'x:1', useTls: true, intervalMs: 1_000 },
          { type: 'alias', id: 'a', name: 'a', service: 's' },
        ],
      },
      { replaceExistingChecks: true },
    )
    expect(http.last.query).toEqual({ 'replace-existing-checks': true })
    expect(http.last.body).toEqual({
      ID: 'w',
      Name: 'web',
      Address: '10.0.0.1',
      Ports: [{ Name: 'http', Port: 80, Default: true }],
      Tags: [],
      Meta: { a: '1' },
      Weights: { Passing: 2, Warning: 0 },
      TaggedAddresses: { wan: { Address: '1.2.3.4', Port: 443 } },
      EnableTagOverride: false,
      Checks: [
        { CheckID: 'c', Name: 'n', Status: 'passing', DeregisterCriticalServiceAfter: '60s', TTL: '1500ms' },
        { CheckID: 'h', Name: 'h', HTTP: 'http://x', Header: { a: ['b'] }, Interval: '1s', Timeout: '500ms' },
        { CheckID: 't', Name: 't', TCP: 'x:1', Interval: '90s' },
        { CheckID: 'g', Name: 'g', GRPC: 'x:1', GRPCUseTLS: true, Interval: '1s' },
        { CheckID: 'a', Name: 'a', AliasService: 's' },
      ],
    })
  })

  it('waits for a change of one service by its hash, and takes its absence for an answer', async () => {
    const http = new ScriptedHttp({ body: '{"ID":"w","Service":"web"}' }, { status: 404 })
    const services = new AgentServiceApi(http)
    const { value } = await services.get('w/1', { hash: 'abc', wait: '5s' })
    expect(value).toMatchObject({ id: 'w', name: 'web', tags: [], meta: {} })
    expect(http.last).toMatchObject({
      path: '/agent/service/w%2F1',
      query: { hash: 'abc', wait: '5s' },
      blocking: { waitMs: 5_000 },
    })
    expect((await services.get('w')).value).toBeUndefined()
    expect(http.last).not.toHaveProperty('blocking')
  })

  it('reads the health of one service whatever the status of the answer', async () => {
    const http = new ScriptedHttp({ status: 503, body: '{"AggregatedStatus":"maintenance","Service":{"ID":"w"}}' })
    expect(await new AgentServiceApi(http).health('w')).toMatchObject({ status: 'maintenance', service: { id: 'w' } })
  })

  it('lists services complete whatever the agent leaves out, and switches maintenance', async () => {
    const http = new ScriptedHttp({ body: '{"w":{"ID":"w","Tags":null,"Meta":null}}' })
    const services = new AgentServiceApi(http)
    expect(await services.list({ filter: 'Service == "web"' })).toMatchObject([
      { id: 'w', tags: [], meta: {}, port: 0 },
    ])
    await services.maintenance('w', true, 'why')
    expect(http.last).toMatchObject({ path: '/agent/service/maintenance/w', query: { enable: 'true', reason: 'why' } })
  })
})

import { describe, expect, it, vi } from 'vitest'
import { AgentVersion, hasFeature } from '../../../src/api/agent-version.js'
import { CatalogApi } from '../../../src/api/catalog.js'
import { HealthApi } from '../../../src/api/health.js'
import { ProconsulError, type ProconsulErrorCode } from '../../../src/errors/proconsul-error.js'
import type { HttpAnswer, HttpClient, HttpRequest } from '../../../src/http/request.js'
import { FakeClock } from '../../support/fake-clock.js'
import { ScriptedHttp } from './scripted-http.js'

const self = (version: string) => ({ body: JSON.stringify({ Config: { Version: version } }) })

/** An agent that refuses to say who it is. */
class Silent implements HttpClient {
  readonly requests: string[] = []
  readonly failure: ProconsulError
  constructor(failure: ProconsulError) {
    this.failure = failure
  }
  request({ path, operation }: HttpRequest): Promise<HttpAnswer> {
    this.requests.push(path)
    if (path === '/agent/self') return Promise.reject(this.failure)
    return Promise.resolve({ operation, status: 200, body: Buffer.from('[]'), meta: {} })
  }
}

describe('what a version of Consul has', () => {
  it.each([
    ['1.8.7', 'peer', false],
    ['1.12.9', 'peer', false],
    ['1.13.0', 'peer', true],
    ['1.13.0-beta1', 'peer', true],
    ['2.0.0', 'peer', true],
    ['0.99.0', 'peer', false],
    ['1.8.7', 'filter of services', false],
    ['1.13.9', 'filter of services', false],
    ['1.14.10', 'filter of services', false],
    ['1.14.11', 'filter of services', true],
    ['1.15.6', 'filter of services', false],
    ['1.15.7', 'filter of services', true],
    ['1.16.2+ent', 'filter of services', false],
    ['1.16.3+ent', 'filter of services', true],
    ['1.17.0', 'filter of services', true],
    ['1.18.0', 'filter of services', true],
    ['1.21.5', 'ports', false],
    ['v1.22.0', 'ports', true],
    ['1.22', 'ports', true],
    ['a build of our own', 'ports', true],
  ] as const)('%s, %s: %s', (version, feature, expected) => {
    expect(hasFeature(version, feature)).toBe(expected)
  })
})

describe('the version of an agent', () => {
  it('that is too old is refused by name, with both versions, before anything else is asked', async () => {
    const http = new ScriptedHttp(self('1.8.7'))
    await expect(new CatalogApi(http).services({ filter: 'ServiceName == "a"' })).rejects.toMatchObject({
      code: 'PROCONSUL_UNSUPPORTED',
      retryable: false,
      message:
        'the option `filter` of a list of all services needs an agent of Consul 1.14.11, 1.15.7, 1.16.3, 1.17.0 or later; ' +
        'this one is 1.8.7 and would ignore or refuse it',
    })
    expect(http.requests.map(({ path }) => path)).toEqual(['/agent/self'])
  })

  it.each([
    ['health.service', (health: HealthApi) => health.service('a', { peer: 'east' })],
    ['health.connect', (health: HealthApi) => health.connect('a', { peer: 'east' })],
    ['health.checks', (health: HealthApi) => health.checks('a', { peer: 'east' })],
    ['health.node', (health: HealthApi) => health.node('a', { peer: 'east' })],
    ['health.state', (health: HealthApi) => health.state('any', { peer: 'east' })],
  ])('that knows no peers is not asked for those of one by %s', async (_name, call) => {
    await expect(call(new HealthApi(new ScriptedHttp(self('1.12.3'))))).rejects.toMatchObject({
      code: 'PROCONSUL_UNSUPPORTED',
    })
  })

  it.each([
    ['catalog.services', (catalog: CatalogApi) => catalog.services({ peer: 'east' })],
    ['catalog.service', (catalog: CatalogApi) => catalog.service('a', { peer: 'east' })],
    ['catalog.nodes', (catalog: CatalogApi) => catalog.nodes({ peer: 'east' })],
    ['catalog.node', (catalog: CatalogApi) => catalog.node('a', { peer: 'east' })],
  ])('that knows no peers is not asked for those of one by %s', async (_name, call) => {
    await expect(call(new CatalogApi(new ScriptedHttp(self('1.12.3'))))).rejects.toMatchObject({
      code: 'PROCONSUL_UNSUPPORTED',
    })
  })

  it('is asked once, with the token of the call, where it is new enough', async () => {
    const http = new ScriptedHttp(self('1.22.0'), { body: '[]' })
    const version = new AgentVersion(http, new FakeClock())
    const health = new HealthApi(http, version)
    await health.service('a', { peer: 'east', token: 't1' })
    await new CatalogApi(http, version).nodes({ peer: 'east' })
    expect(http.requests.map(({ path }) => path)).toEqual(['/agent/self', '/health/service/a', '/catalog/nodes'])
    expect(http.requests[0]?.token).toBe('t1')
  })

  it('is asked once for calls that begin together', async () => {
    const http = new ScriptedHttp(self('1.22.0'))
    const version = new AgentVersion(http, new FakeClock())
    await Promise.all([version.require('peer'), version.require('ports')])
    expect(http.requests).toHaveLength(1)
  })

  it('is asked again ten seconds after it was too old, for the agent may have been replaced', async () => {
    const clock = new FakeClock()
    const http = new ScriptedHttp(self('1.12.0'), self('1.22.0'))
    const version = new AgentVersion(http, clock)
    await expect(version.require('peer')).rejects.toMatchObject({ code: 'PROCONSUL_UNSUPPORTED' })
    await clock.advance(9_999)
    await expect(version.require('peer')).rejects.toMatchObject({ code: 'PROCONSUL_UNSUPPORTED' })
    expect(http.requests).toHaveLength(1)
    await clock.advance(1)
    await version.require('peer')
    expect(http.requests).toHaveLength(2)
    await clock.advance(1_000_000)
    await version.require('peer')
    expect(http.requests).toHaveLength(2)
  })

  it.each<[ProconsulErrorCode, number]>([
    ['PROCONSUL_PERMISSION_DENIED', 403],
    ['PROCONSUL_NOT_FOUND', 404],
  ])('that is hidden (%s) stops nobody, and is not asked for each time', async (code, status) => {
    const http = new Silent(new ProconsulError(code, 'no', { status }))
    const health = new HealthApi(http, new AgentVersion(http, new FakeClock()))
    await health.service('a', { peer: 'east' })
    await health.service('a', { peer: 'east' })
    expect(http.requests).toEqual(['/agent/self', '/health/service/a', '/health/service/a'])
  })

  it('is hidden as well where the agent says nothing of it', async () => {
    await new AgentVersion(new ScriptedHttp({ body: '{"Config":{}}' })).require('peer')
    await new AgentVersion(new ScriptedHttp({ body: '{}' })).require('peer')
  })

  it('cannot be known while there is no connection, and is asked anew after it', async () => {
    const failure = new ProconsulError('PROCONSUL_UNAVAILABLE', 'no connection')
    const http = new Silent(failure)
    const version = new AgentVersion(http, new FakeClock())
    await expect(version.require('peer')).rejects.toBe(failure)
    await expect(version.require('peer')).rejects.toBe(failure)
    expect(http.requests).toHaveLength(2)
  })

  it('is not waited for any longer than the call itself', async () => {
    const http: HttpClient = { request: vi.fn(() => new Promise<HttpAnswer>(() => undefined)) }
    const giveUp = new AbortController()
    const waiting = new AgentVersion(http, new FakeClock()).require('peer', { signal: giveUp.signal })
    giveUp.abort()
    await expect(waiting).rejects.toMatchObject({ code: 'PROCONSUL_ABORTED' })
  })
})

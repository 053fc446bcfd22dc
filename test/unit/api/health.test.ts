import { describe, expect, it } from 'vitest'
import { CatalogApi } from '../../../src/api/catalog.js'
import { HealthApi } from '../../../src/api/health.js'
import { queryString } from '../../../src/http/query-string.js'
import { ScriptedHttp } from './scripted-http.js'

const EMPTY = { body: '[]' }
const RECENT_AGENT = { body: '{"Config":{"Version":"1.22.0"}}' }

async function asked(options: object): Promise<string> {
  const http = new ScriptedHttp(...('peer' in options ? [RECENT_AGENT] : []), EMPTY)
  await new HealthApi(http).service('web', options)
  return queryString(http.last, {})
}

describe('HealthApi', () => {
  it.each([
    [{}, ''],
    [{ tags: ['a b', 'c'] }, '?tag=a%20b&tag=c'],
    [{ passing: true }, '?passing'],
    [{ passing: false }, ''],
    [{ stale: true }, '?stale'],
    [{ consistent: true }, '?consistent'],
    [{ cached: true }, '?cached'],
    [{ filter: 'Service.Port == 80' }, '?filter=Service.Port%20%3D%3D%2080'],
    [{ near: '_agent' }, '?near=_agent'],
    [{ peer: 'east' }, '?peer=east'],
    [{ nodeMeta: { zone: 'a', rack: '1' } }, '?node-meta=zone%3Aa&node-meta=rack%3A1'],
    [{ datacenter: 'dc2', namespace: 'n', partition: 'p' }, '?dc=dc2&ns=n&partition=p'],
    [{ index: 7, wait: '1m' }, '?index=7&wait=60s'],
  ])('asks for %j with %s', async (options, expected) => {
    expect(await asked(options)).toBe(expected)
  })

  it('encodes what stands in a path', async () => {
    const http = new ScriptedHttp(EMPTY)
    const health = new HealthApi(http)
    await health.service('a/b c')
    expect(http.last.path).toBe('/health/service/a%2Fb%20c')
    await health.connect('web')
    expect(http.last.path).toBe('/health/connect/web')
    await health.state('any')
    expect(http.last.path).toBe('/health/state/any')
  })

  it('is complete where the agent leaves out, and keeps no null', async () => {
    const http = new ScriptedHttp({ body: '[{"Node":null,"Service":{"Tags":null},"Checks":[{"Status":"odd"}]}]' })
    const [entry] = (await new HealthApi(http).service('web')).value
    expect(JSON.stringify(entry)).not.toContain('null')
    expect(entry?.checks[0]).toMatchObject({ status: 'critical', serviceTags: [], output: '' })
  })

  it.each([
    ['', {}],
    ['web', { tags: 'v1' }],
    ['web', { passing: 'yes' }],
  ])('refuses %j %j', async (name, options) => {
    await expect(new HealthApi(new ScriptedHttp(EMPTY)).service(name, options as never)).rejects.toMatchObject({
      code: 'PROCONSUL_INVALID_OPTION',
    })
  })
})

describe('CatalogApi', () => {
  it('has no null lists of tags', async () => {
    const http = new ScriptedHttp({ body: '{"web":["v1"],"db":null}', index: 5 })
    expect(await new CatalogApi(http).services()).toEqual({ value: { web: ['v1'], db: [] }, meta: { index: 5 } })
  })

  it('sends only what was set', async () => {
    const http = new ScriptedHttp({ body: 'true' })
    const catalog = new CatalogApi(http)
    await catalog.register({ node: 'n', address: '10.0.0.1' })
    expect(JSON.stringify(http.last.body)).toBe('{"Node":"n","Address":"10.0.0.1"}')
    await catalog.deregister({ node: 'n', serviceId: 's' })
    expect(JSON.stringify(http.last.body)).toBe('{"Node":"n","ServiceID":"s"}')
  })
})

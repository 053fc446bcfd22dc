import { describe, expect, it } from 'vitest'
import { filter } from '../../../src/discovery/filter.js'
import { resolveServiceQuery, resolveServiceWatch } from '../../../src/discovery/service-query.js'

const key = (query: object): string => JSON.stringify(resolveServiceQuery('users', query))

describe('what is asked of a service', () => {
  it('is the same whatever the order of tags and metadata', () => {
    expect(key({ tags: ['a', 'b'], nodeMeta: { x: '1', y: '2' } })).toBe(
      key({ nodeMeta: { y: '2', x: '1' }, tags: ['b', 'a'] }),
    )
  })

  it('differs with every option that matters', () => {
    const queries = [
      {},
      { health: 'passing' },
      { health: 'any' },
      { tags: ['v1'] },
      { port: 'grpc' },
      { filter: filter.tags.includes('v1') },
      { near: '_agent' },
      { nodeMeta: { zone: 'a' } },
      { datacenter: 'dc2' },
      { namespace: 'ns' },
      { partition: 'p' },
      { peer: 'east' },
      { stale: true },
      { consistent: true },
      { cached: true },
    ]
    expect(new Set(queries.map(key)).size).toBe(queries.length)
  })

  it('does not depend on the signal', () => {
    expect(key({ signal: new AbortController().signal })).toBe(key({}))
  })

  it.each([
    ['', {}, /name is ""/],
    ['users', { tag: 'v1' }, /query\.tag is "v1"/],
    ['users', { tags: 'v1' }, /tags is "v1"; expected an array/],
    ['users', { tags: [''] }, /tags\[0\]/],
    ['users', { health: 'ok' }, /health is "ok"; expected 'serving' \| 'passing' \| 'any'/],
    ['users', { passingOnly: true }, /query\.passingOnly is true; expected health: 'passing' in its place/],
    ['users', { passingOnly: false }, /or health: 'any' for passingOnly: false/],
    ['users', { shrinkGuard: false }, /query\.shrinkGuard is false; expected lossGuard in its place/],
    ['users', null, /query is null/],
    ['users', { filter: '' }, /filter/],
    ['users', { near: '' }, /near/],
    ['users', { nodeMeta: { zone: 1 } }, /nodeMeta\.zone/],
    ['users', { consistent: true, stale: true }, /consistent/],
    ['users', { consistent: true, cached: true }, /consistent/],
    ['users', { cacheFile: '' }, /cacheFile/],
    ['users', { lossGuard: { share: 2 } }, /lossGuard\.share is 2/],
    ['users', { lossGuard: { hold: 'soon' } }, /lossGuard\.hold/],
    ['users', { failover: null }, /failover is null/],
    ['users', { failover: { sources: [] } }, /failover\.sources/],
    ['users', { failover: { datacenters: [] } }, /failover\.datacenters/],
    ['users', { failover: { datacenters: ['dc2'], minInstances: 0 } }, /failover\.minInstances/],
    ['users', { failover: { datacenters: ['dc2'], unreadableAfter: 'soon' } }, /failover\.unreadableAfter/],
  ])('is refused at once when it makes no sense: %j %j', (name, query, message) => {
    expect(() => resolveServiceWatch(name, query as never)).toThrow(message)
  })

  it('is passing and warning by default, which Consul is asked for with no parameter', () => {
    expect(resolveServiceQuery('users')).toMatchObject({ health: 'serving', read: { passing: undefined } })
    expect(resolveServiceQuery('users', { health: 'passing' }).read.passing).toBe(true)
    expect(resolveServiceQuery('users', { health: 'any' }).read.passing).toBeUndefined()
  })

  it('is refused for one read with what is for watches only, or under an old name', () => {
    expect(() => resolveServiceQuery('users', { lossGuard: false } as never)).toThrow(/query\.lossGuard/)
    expect(() => resolveServiceQuery('users', { passingOnly: true } as never)).toThrow(/health: 'passing'/)
  })

  it('has its guards with their defaults', () => {
    expect(resolveServiceWatch('users')).toMatchObject({
      lossGuard: { share: 0.5, atLeast: 4, holdMs: 10_000 },
      failover: undefined,
      cacheFile: undefined,
    })
    expect(resolveServiceWatch('users', { lossGuard: false }).lossGuard).toBeUndefined()
    expect(resolveServiceWatch('users', { failover: { datacenters: ['dc2'], after: '1s' } }).failover).toEqual({
      datacenters: ['dc2'],
      minInstances: 1,
      afterMs: 1_000,
      unreadableAfterMs: 30_000,
      backAfterMs: 30_000,
    })
  })
})

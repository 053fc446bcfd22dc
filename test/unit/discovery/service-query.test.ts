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
      { passingOnly: false },
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
    ['users', { passingOnly: 1 }, /passingOnly is 1/],
    ['users', { filter: '' }, /filter/],
    ['users', { near: '' }, /near/],
    ['users', { nodeMeta: { zone: 1 } }, /nodeMeta\.zone/],
    ['users', { consistent: true, stale: true }, /consistent/],
    ['users', { consistent: true, cached: true }, /consistent/],
    ['users', { cacheFile: '' }, /cacheFile/],
    ['users', { shrinkGuard: { share: 2 } }, /shrinkGuard\.share is 2/],
    ['users', { shrinkGuard: { hold: 'soon' } }, /shrinkGuard\.hold/],
    ['users', { failover: { datacenters: [] } }, /failover\.datacenters/],
    ['users', { failover: { datacenters: ['dc2'], minInstances: 0 } }, /failover\.minInstances/],
    ['users', { failover: { datacenters: ['dc2'], unreadableAfter: 'soon' } }, /failover\.unreadableAfter/],
  ])('is refused at once when it makes no sense: %j %j', (name, query, message) => {
    expect(() => resolveServiceWatch(name, query as never)).toThrow(message)
  })
})

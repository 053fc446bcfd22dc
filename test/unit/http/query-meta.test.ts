import { expect, it } from 'vitest'
import { queryMeta } from '../../../src/http/query-meta.js'

it('reads what the agent says of an answer', () => {
  const headers = {
    'x-consul-index': '42',
    'x-consul-contenthash': 'a1b2',
    'x-consul-knownleader': 'true',
    'x-consul-lastcontact': '17',
    'x-cache': 'HIT',
    age: '8',
    'x-consul-results-filtered-by-acls': 'true',
  }
  expect(queryMeta(headers)).toEqual({
    index: 42,
    contentHash: 'a1b2',
    knownLeader: true,
    lastContactMs: 17,
    cacheHit: true,
    cacheAgeMs: 8_000,
    filteredByAcls: true,
  })
})

it('takes what is absent for absent, not for false', () => {
  expect(queryMeta({})).toEqual({})
  expect(queryMeta({ 'x-consul-knownleader': 'false', 'x-cache': 'MISS' })).toEqual({
    knownLeader: false,
    cacheHit: false,
  })
})

it.each(['', '-1', 'abc', '1.5', '99999999999999999999999'])('takes the index %j for absent', (index) => {
  expect(queryMeta({ 'x-consul-index': index })).toEqual({})
})

it('keeps an index that is too long for a number as text, for it is the hash of a list of events', () => {
  expect(queryMeta({ 'x-consul-index': '17141026775709361702' })).toEqual({ longIndex: '17141026775709361702' })
})

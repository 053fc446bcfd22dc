import fc from 'fast-check'
import { expect, it } from 'vitest'
import { queryString } from '../../../src/http/query-string.js'

it('sends flags without a value, repeats lists, and leaves out what is not set', () => {
  const query = { stale: true, passing: false, filter: undefined, tag: ['a', 'b&c'], index: 12, flags: 2n ** 64n - 1n }
  expect(queryString({ query }, {})).toBe('?stale&tag=a&tag=b%26c&index=12&flags=18446744073709551615')
  expect(queryString({}, {})).toBe('')
})

it('takes tenancy from the request, then from the client', () => {
  const client = { datacenter: 'dc1', namespace: 'team', partition: 'eu' }
  expect(queryString({ datacenter: 'dc2' }, client)).toBe('?dc=dc2&ns=team&partition=eu')
})

it('survives any text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      expect(new URLSearchParams(queryString({ query: { filter: text } }, {})).get('filter')).toBe(text)
    }),
  )
})

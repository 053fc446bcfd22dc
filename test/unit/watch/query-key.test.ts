import { expect, it } from 'vitest'
import { queryKey } from '../../../src/watch/query-key.js'

it('tells queries apart by every part of them', () => {
  const keys = [
    queryKey('a', {}),
    queryKey('a', { datacenter: 'dc2' }),
    queryKey('b', {}),
    queryKey('a', { token: 't1' }),
    queryKey('a', { token: 't2' }),
  ]
  expect(new Set(keys).size).toBe(keys.length)
  expect(queryKey('a', { token: 't1' })).toBe(queryKey('a', { token: 't1' }))
})

it('does not show a token, for it stands in logs', () => {
  expect(queryKey('a', { token: 'hunter2', nested: [{ token: 'hunter2' }] })).not.toContain('hunter2')
})

it('is the same for equal queries, in whatever order their options come, and with some left undefined', () => {
  const key = queryKey('a', { datacenter: 'dc2', near: { node: 'x', port: 1 } })
  expect(queryKey('a', { near: { port: 1, node: 'x' }, token: undefined, datacenter: 'dc2' })).toBe(key)
})

it('tells lists in another order apart, for the order of layers matters', () => {
  expect(queryKey(['a', 'b'])).not.toBe(queryKey(['b', 'a']))
  expect(queryKey(['a', 'b'])).not.toBe(queryKey('a', 'b'))
  expect(queryKey([])).not.toBe(queryKey({}))
  expect(queryKey(null)).not.toBe(queryKey({}))
})

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

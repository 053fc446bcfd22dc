import { describe, expect, test } from 'vitest'
import { matches } from '../../../../src/testing/faults/fault-match.js'

const put = { method: 'PUT', path: '/v1/kv/a/b' }

describe('which requests a fault is for', () => {
  test.each([
    [{}, true],
    [{ method: 'put' }, true],
    [{ method: 'GET' }, false],
    [{ path: '/v1/kv' }, true],
    [{ path: '/v1/kv/' }, true],
    [{ path: '/v1/kv/a/b' }, true],
    [{ path: '/v1/k' }, false],
    [{ path: /a\/b$/ }, true],
    [{ path: /^\/v1\/health/ }, false],
    [{ method: 'PUT', path: '/v1/session' }, false],
  ])('%j', (match, expected) => {
    expect(matches(match, put)).toBe(expected)
  })

  test('an expression with a memory matches every time', () => {
    const match = { path: /kv/g }
    expect([matches(match, put), matches(match, put)]).toEqual([true, true])
  })
})

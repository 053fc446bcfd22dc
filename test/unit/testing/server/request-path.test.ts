import { describe, expect, test } from 'vitest'
import { parsePath } from '../../../../src/testing/server/request-path.js'

describe('the path of a request', () => {
  test.each([
    ['/v1/kv/a%20b', { type: 'ok', path: '/v1/kv/a b' }],
    ['/v1/kv/a%2Fb', { type: 'ok', path: '/v1/kv/a/b' }],
    ['/v1/kv/trail/', { type: 'ok', path: '/v1/kv/trail/' }],
    ['/v1/kv/a//b', { type: 'redirect', location: '/v1/kv/a/b' }],
    ['/v1/kv/a%2F%2Fb', { type: 'redirect', location: '/v1/kv/a/b' }],
    ['/v1/kv/a/../b', { type: 'redirect', location: '/v1/kv/b' }],
    ['/v1/kv/%ZZ', { type: 'malformed' }],
    ['/v1/kv/tab%09', { type: 'unprintable' }],
    ['/v1/kv/%F0%9F%94%91', { type: 'ok', path: '/v1/kv/🔑' }],
    ['/v1/kv/bad%ff', { type: 'ok', path: '/v1/kv/bad\ufffd' }],
  ])('%s', (raw, parsed) => {
    expect(parsePath(raw)).toEqual(parsed)
  })
})

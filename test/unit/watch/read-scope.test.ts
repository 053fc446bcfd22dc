import { describe, expect, it } from 'vitest'
import { AGENT_SCOPE, scopeKey, scopeOf } from '../../../src/watch/read-scope.js'

describe('the scope in which reads fail together', () => {
  it('is another for the agent itself, for each datacenter, and for each kind of server that may answer', () => {
    const scopes = [
      AGENT_SCOPE,
      scopeOf({}),
      scopeOf({ datacenter: '' }),
      scopeOf({ datacenter: 'agent' }),
      scopeOf({ datacenter: 'dc2' }),
      scopeOf({ datacenter: 'dc2 stale' }),
      scopeOf({ stale: true }),
      scopeOf({ cached: true }),
      scopeOf({ datacenter: 'dc2', stale: true }),
      scopeOf({ datacenter: 'dc2', cached: true }),
    ]
    expect(new Set(scopes.map(scopeKey)).size).toBe(scopes.length)
  })

  it('is the same for reads that the same servers answer', () => {
    const plain = { stale: false, cached: false, datacenter: undefined }
    expect(scopeKey(scopeOf(plain))).toBe(scopeKey(scopeOf({})))
    expect(scopeKey(scopeOf({ datacenter: 'dc2' }))).toBe(scopeKey(scopeOf({ datacenter: 'dc2' })))
    expect(scopeKey({ type: 'agent' })).toBe(scopeKey(AGENT_SCOPE))
  })
})

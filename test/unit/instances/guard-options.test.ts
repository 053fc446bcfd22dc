import { describe, expect, it } from 'vitest'
import { GUARD_DEFAULTS, resolveFailoverTimes } from '../../../src/instances/guard-options.js'

describe('the times of a failover', () => {
  it('have their defaults', () => {
    expect(resolveFailoverTimes({}, [])).toEqual(GUARD_DEFAULTS.failover)
    expect(GUARD_DEFAULTS.failover).toEqual({
      minInstances: 1,
      afterMs: 0,
      unreadableAfterMs: 30_000,
      backAfterMs: 30_000,
    })
  })

  it('are what was given', () => {
    const given = { minInstances: 3, after: '1s', unreadableAfter: 2_000, backAfter: '3s', sources: [] }
    expect(resolveFailoverTimes(given, ['sources'])).toEqual({
      minInstances: 3,
      afterMs: 1_000,
      unreadableAfterMs: 2_000,
      backAfterMs: 3_000,
    })
  })

  it.each([
    [{ minInstances: 0 }, /^failover\.minInstances is 0/],
    [{ after: 'x' }, /^failover\.after is "x"/],
    [{ unreadableAfter: -1 }, /^failover\.unreadableAfter is -1/],
    [{ backAfter: 'later' }, /^failover\.backAfter is "later"/],
    [{ later: 1 }, /^failover\.later/],
    [{ sources: [] }, /^failover\.sources/],
    ['x', /^failover is "x"/],
  ])('are refused as %j', (options, message) => {
    expect(() => resolveFailoverTimes(options as never, [])).toThrow(message)
  })
})

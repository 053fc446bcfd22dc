import fc from 'fast-check'
import { expect, it } from 'vitest'
import { retryAfterMs } from '../../../src/core/retry-after.js'

const NOW = Date.UTC(2030, 0, 1)

it.each([
  [undefined, undefined],
  ['', undefined],
  ['0', 0],
  ['3', 3_000],
  [' 3 ', 3_000],
  ['Tue, 01 Jan 2030 00:00:05 GMT', 5_000],
  ['Tuesday, 01-Jan-30 00:00:05 GMT', 5_000],
  ['Mon, 31 Dec 2029 00:00:00 GMT', 0],
  ['soon', undefined],
  ['in a while', undefined],
  ['-1', undefined],
  ['1.5', undefined],
  ['3s', undefined],
  ['x3', undefined],
  ['2030-01-01', undefined],
  ['Infinity', undefined],
])('Retry-After: %s', (header, expected) => {
  expect(retryAfterMs(header, NOW)).toBe(expected)
})

it.each([['60'], ['61'], ['3600'], ['9999999999'], ['9'.repeat(400)], ['Wed, 01 Jan 2031 00:00:00 GMT']])(
  'makes nobody wait for more than a minute: %s',
  (header) => {
    expect(retryAfterMs(header, NOW)).toBe(60_000)
  },
)

it('is a wait that a timer can keep, or none, whatever the header and the clock say', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.nat().map(String), fc.date().map(String)), fc.integer(), (header, now) => {
      const waitMs = retryAfterMs(header, now) ?? 0
      expect(waitMs >= 0 && waitMs <= 60_000).toBe(true)
    }),
  )
})

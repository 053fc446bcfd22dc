import { expect, it } from 'vitest'
import { retryAfterMs } from '../../../src/core/retry-after.js'

const NOW = Date.UTC(2030, 0, 1)

it.each([
  [undefined, undefined],
  ['3', 3_000],
  ['Tue, 01 Jan 2030 00:00:05 GMT', 5_000],
  ['Mon, 31 Dec 2029 00:00:00 GMT', 0],
  ['soon', undefined],
])('Retry-After: %s', (header, expected) => {
  expect(retryAfterMs(header, NOW)).toBe(expected)
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatGoDuration, GoDurationError, parseGoDuration } from '../../../../src/testing/wire/go-duration.js'

describe('durations of Go', () => {
  test.each([
    ['0', 0],
    ['1ns', 1],
    ['1.5s', 1.5e9],
    ['1m0s', 60e9],
    ['24h0m0s', 86_400e9],
    ['-5s', -5e9],
    ['+300ms', 3e8],
    ['.5s', 5e8],
    ['2us', 2e3],
    ['2µs', 2e3],
  ])('%s is read', (text, ns) => {
    expect(parseGoDuration(text)).toBe(ns)
  })

  test.each([
    ['', 'time: invalid duration ""'],
    ['abc', 'time: invalid duration "abc"'],
    ['10', 'time: missing unit in duration "10"'],
    ['10x', 'time: unknown unit "x" in duration "10x"'],
  ])('%s is refused in Go’s words', (text, message) => {
    expect(() => parseGoDuration(text)).toThrow(new GoDurationError(message))
  })

  test.each([
    [0, '0s'],
    [15e9, '15s'],
    [60e9, '1m0s'],
    [90e9, '1m30s'],
    [86_400e9, '24h0m0s'],
    [1.5e6, '1.5ms'],
    [-5e9, '-5s'],
  ])('%d ns are written as %s', (ns, text) => {
    expect(formatGoDuration(ns)).toBe(text)
  })

  test('what is written is read back the same', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 1e15 }), (ns) => parseGoDuration(formatGoDuration(ns)) === ns))
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatDuration, parseDuration } from '../../../src/core/duration.js'

describe('a duration', () => {
  it.each([
    [0, 0],
    [250, 250],
    ['500ms', 500],
    ['15s', 15_000],
    ['1.5s', 1_500],
    ['5m', 300_000],
    ['1h', 3_600_000],
    ['1m30s', 90_000],
    ['1h0m0.5s', 3_600_500],
    ['2s5ms', 2_005],
    ['720h', 2_592_000_000],
  ])('%j is %d milliseconds', (value, expected) => {
    expect(parseDuration('timeout', value, { maxMs: Infinity })).toBe(expected)
  })

  it.each([
    '',
    '15',
    '15 s',
    's',
    '-1s',
    '1d',
    '30s1m',
    '1s1s',
    '1m 30s',
    '.5s',
    '1.s',
    '1e3ms',
    NaN,
    Infinity,
    null,
    undefined,
    {},
    true,
  ])('refuses %j, naming the option and the accepted form', (value) => {
    expect(() => parseDuration('timeout', value)).toThrow(/^timeout is .*expected .*'500ms', '15s', '1m30s' or '1h'/)
  })

  it('refuses a negative number and what Node.js timers cannot wait for', () => {
    expect(() => parseDuration('ttl', -1)).toThrow('ttl is -1; expected a duration from 0ms to 596.5h')
    expect(() => parseDuration('ttl', '600h')).toThrow('expected a duration from 0ms to 596.5h')
  })

  it('keeps to the bounds it is given, both included', () => {
    const bounds = { minMs: 1_000, maxMs: 60_000 }
    expect(parseDuration('ttl', '1s', bounds)).toBe(1_000)
    expect(parseDuration('ttl', '60s', bounds)).toBe(60_000)
    expect(() => parseDuration('ttl', '999ms', bounds)).toThrow('ttl is "999ms"; expected a duration from 1s to 1m')
  })

  it('that looks like seconds is asked about, for a number is milliseconds', () => {
    const bounds = { minMs: 1_000 }
    expect(() => parseDuration('ttl', 15, bounds)).toThrow(/A number is milliseconds: did you mean '15s'\?$/)
    expect(() => parseDuration('ttl', '15ms', bounds)).toThrow(/to 596\.5h$/)
    expect(() => parseDuration('ttl', -15, bounds)).toThrow(/to 596\.5h$/)
  })

  it('in milliseconds reads back as itself', () => {
    fc.assert(fc.property(fc.nat(2_147_483_647), (valueMs) => parseDuration('x', `${valueMs}ms`) === valueMs))
  })

  it.each([
    [12, '12ms'],
    [1_000, '1s'],
    [12_340, '12.3s'],
    [90_000, '1.5m'],
    [5_400_000, '1.5h'],
  ])('of %d milliseconds is shown as %s', (valueMs, text) => {
    expect(formatDuration(valueMs)).toBe(text)
  })
})

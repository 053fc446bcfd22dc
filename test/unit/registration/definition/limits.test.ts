import { describe, expect, it } from 'vitest'
import {
  checkId,
  checkMeta,
  checkPathText,
  checkPort,
  checkWeight,
  isDnsName,
} from '../../../../src/registration/definition/limits.js'

const refusal = (message: RegExp): unknown =>
  expect.objectContaining({ code: 'PROCONSUL_INVALID_OPTION', message: expect.stringMatching(message) as string })

describe('a name by which the agent is asked', () => {
  it.each(['a', 'a b', 'a/b', 'a/', '...', '.a', 'a.', 'a..b', 'ü', 'a?b#c%d'])('may be %j', (text) => {
    expect(checkPathText('name', text)).toBe(text)
  })

  it.each([
    '',
    '.',
    '..',
    '/a',
    'a//b',
    'a/./b',
    'a/../b',
    './a',
    '../a',
    'a/..',
    'a\nb',
    'a\u0000',
    '\ud83d',
    5,
    undefined,
  ])('is not %j, which a path would lose or change', (text) => {
    expect(() => checkPathText('name', text)).toThrow(refusal(/^name is /))
  })
})

describe('an id', () => {
  it.each(['a', 'a.b', '...', 'A-z_0:~@', 'x'.repeat(255)])('may be %j', (id) => {
    expect(checkId('id', id)).toBe(id)
  })

  it.each(['', '.', '..', 'a b', 'a/b', 'ü', 'a\n', 'x'.repeat(256), 1, null])('is not %j', (id) => {
    expect(() => checkId('id', id)).toThrow(refusal(/^id is .*1 to 255 of the characters/))
  })
})

describe('metadata', () => {
  it('has as many entries as Consul allows, without those that are reserved', () => {
    const meta = Object.fromEntries(Array.from({ length: 63 }, (_, i) => [`k${i}`, '']))
    expect(checkMeta('meta', meta, 1)).toEqual(meta)
    expect(() => checkMeta('meta', meta, 2)).toThrow(refusal(/^meta is .*at most 62 entries/))
  })

  it.each([
    ['k'.repeat(128), 'v'.repeat(512)],
    ['a-b_C1', ''],
    ['my-consul-key', 'ü'.repeat(256)],
  ])('may hold %s', (key, value) => {
    expect(checkMeta('meta', { [key]: value }, 1)).toEqual({ [key]: value })
  })

  it.each<[string, unknown, RegExp]>([
    ['k'.repeat(129), '', /^meta key is .*1 to 128 of/],
    ['', '', /^meta key is ""/],
    ['a.b', '', /^meta key is "a\.b"/],
    ['ü', '', /^meta key is "ü"/],
    ['consul-x', '', /^meta key is .*does not begin with consul-/],
    ['Consul-x', '', /^meta key is .*does not begin with consul-/],
    ['proconsul-x', '', /^meta key is .*does not begin with consul-/],
    ['v', 'v'.repeat(513), /^meta\.v is .*at most 512 bytes/],
    ['v', 'ü'.repeat(257), /^meta\.v is .*at most 512 bytes/],
    ['v', 1, /^meta\.v is 1; expected a string/],
  ])('may not hold %s: %j', (key, value, message) => {
    expect(() => checkMeta('meta', { [key]: value }, 1)).toThrow(refusal(message))
  })
})

describe('numbers', () => {
  it('are ports from 1 to 65535, and 0 gets the advice to listen first', () => {
    expect([checkPort('port', 1), checkPort('port', 65_535)]).toEqual([1, 65_535])
    expect(() => checkPort('port', 0)).toThrow(
      refusal(/^port is 0; expected .*listen first.*`server\.address\(\)\.port`$/),
    )
    for (const port of [-1, 65_536, 1.5, '80', NaN]) expect(() => checkPort('port', port)).toThrow(refusal(/^port is /))
  })

  it('are weights of at least 1 while passing', () => {
    expect([checkWeight('w', 0, 0), checkWeight('w', 1, 1), checkWeight('w', 65_535, 1)]).toEqual([0, 1, 65_535])
    expect(() => checkWeight('w', 0, 1)).toThrow(refusal(/^w is 0/))
    expect(() => checkWeight('w', 65_536, 0)).toThrow(refusal(/^w is 65536/))
  })
})

it.each([
  ['orders', true],
  ['o', true],
  ['3com', true],
  ['a'.repeat(63), true],
  ['a'.repeat(64), false],
  ['-a', false],
  ['a-', false],
  ['a_b', false],
  ['a.b', false],
  ['my orders', false],
])('a service named %s can be found through DNS: %s', (name, expected) => {
  expect(isDnsName(name)).toBe(expected)
})

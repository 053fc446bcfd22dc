import { describe, expect, it } from 'vitest'
import {
  checkBoolean,
  checkInteger,
  checkObject,
  checkOneOf,
  checkSignal,
  checkString,
  checkStringMap,
  checkStrings,
} from '../../../src/core/option-check.js'

describe('a bad option fails with its name, its value and what is accepted', () => {
  it.each<[() => unknown, string]>([
    [
      () => checkObject('options', { tpyo: 1 }, ['typo']),
      'options.tpyo is 1; expected one of the options typo. Did you mean typo?',
    ],
    [() => checkObject('options', [], []), 'options is an array of 0; expected an object'],
    [() => checkString('name', ''), 'name is ""; expected a non-empty string'],
    [() => checkString('name', 5), 'name is 5; expected a non-empty string'],
    [() => checkBoolean('stale', 'yes'), 'stale is "yes"; expected true or false'],
    [() => checkInteger('port', 80.5, 1, 65_535), 'port is 80.5; expected a whole number from 1 to 65535'],
    [() => checkInteger('port', 0, 1, 65_535), 'port is 0; expected a whole number from 1 to 65535'],
    [() => checkStrings('tags', 'v1'), 'tags is "v1"; expected an array of strings'],
    [() => checkStrings('tags', ['v1', null]), 'tags[1] is null; expected a non-empty string'],
    [() => checkStringMap('meta', { a: 1 }), 'meta.a is 1; expected a string'],
    [() => checkStringMap('meta', null), 'meta is null; expected an object of strings'],
    [() => checkOneOf('format', 'xml', ['json', 'yaml']), `format is "xml"; expected 'json' | 'yaml'`],
    [() => checkSignal('signal', {}), 'signal is an object; expected an AbortSignal'],
    [() => checkString('name', Symbol('x')), 'name is Symbol(x); expected a non-empty string'],
    [() => checkString('name', 10n), 'name is 10n; expected a non-empty string'],
    [() => checkString('name', () => 1), 'name is a function; expected a non-empty string'],
    [() => checkBoolean('stale', 'x'.repeat(500)), `stale is "${'x'.repeat(120)}…"; expected true or false`],
  ])('%#', (check, message) => {
    expect(check).toThrow(expect.objectContaining({ code: 'PROCONSUL_INVALID_OPTION', message }))
  })

  it('and a good one is returned', () => {
    expect(checkStrings('tags', ['a'])).toEqual(['a'])
    expect(checkStringMap('meta', { a: 'b' })).toEqual({ a: 'b' })
    expect(checkInteger('port', 80, 1, 65_535)).toBe(80)
    const { signal } = new AbortController()
    expect(checkSignal('signal', signal)).toBe(signal)
    expect(checkOneOf('format', 'json', ['json'])).toBe('json')
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { coerceText } from '../../../../src/config/tree/coerce.js'

describe('coerceText', () => {
  it.each([
    ['true', true],
    ['false', false],
    ['0', 0],
    ['-12', -12],
    ['3.25', 3.25],
    ['9007199254740991', 9007199254740991],
    ['9007199254740993', '9007199254740993'],
    ['123456789012345.678', '123456789012345.678'],
    ['007', '007'],
    ['+1', '+1'],
    ['1e3', '1e3'],
    ['-0', '-0'],
    ['0x10', '0x10'],
    ['True', 'True'],
    ['null', 'null'],
    ['', ''],
    [' 1', ' 1'],
    ['1.', '1.'],
    ['Infinity', 'Infinity'],
  ])('makes %j %j', (text, value) => {
    expect(coerceText(text)).toBe(value)
  })

  it('gives back every number of ordinary size', () => {
    fc.assert(fc.property(fc.integer(), (number) => coerceText(String(number)) === number))
  })
})

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
    ['1.10', '1.10'],
    ['2.0', '2.0'],
    ['-1.50', '-1.50'],
    ['0.0000001', '0.0000001'],
    ['100000000000000000000', '100000000000000000000'],
    ['-0.5', -0.5],
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

  it('makes a number only of what prints back as the same text', () => {
    const digits = fc.stringMatching(/^-?\d{1,20}(\.\d{1,20})?$/)
    fc.assert(fc.property(digits, (text) => String(coerceText(text)) === text))
  })
})

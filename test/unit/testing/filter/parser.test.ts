import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FilterError } from '../../../../src/testing/filter/expression.js'
import { parseExpression } from '../../../../src/testing/filter/parser.js'

const match = (selector: string, operator: string, value: string, isNegated = false): object => ({
  type: 'match',
  selector: selector.split('.'),
  operator,
  isNegated,
  value,
})

describe('the grammar of filters', () => {
  test.each([
    ['a == b', match('a', 'Equal', 'b')],
    ['a.b["c d"] != "x y"', { ...match('', 'Equal', 'x y', true), selector: ['a', 'b', 'c d'] }],
    ['a contains `raw`', match('a', 'In', 'raw')],
    ['"x" not in a.b', match('a.b', 'In', 'x', true)],
    ['a is not empty', match('a', 'Is Empty', '', true)],
    ['a matches "^x"', match('a', 'Matches', '^x')],
    ['a == -1.5', match('a', 'Equal', '-1.5')],
  ])('%s', (text, expression) => {
    expect(parseExpression(text)).toEqual(expression)
  })

  test('"and" binds closer than "or", and "not" closest', () => {
    expect(parseExpression('not a == 1 and b == 2 or c == 3')).toEqual({
      type: 'or',
      left: { type: 'and', left: { type: 'not', operand: match('a', 'Equal', '1') }, right: match('b', 'Equal', '2') },
      right: match('c', 'Equal', '3'),
    })
  })

  test('brackets group, and two negations take each other away', () => {
    expect(parseExpression('(not not (a == 1))')).toEqual(match('a', 'Equal', '1'))
  })

  test('any text is either parsed or refused with a reason', () => {
    const words = fc.constantFrom(
      'a',
      '.',
      ' ',
      '==',
      '!=',
      '"',
      '`',
      '(',
      ')',
      'and',
      'or',
      'not',
      'in',
      'is',
      'empty',
      '0',
      '-',
      '[',
      ']',
    )
    fc.assert(
      fc.property(fc.array(words, { maxLength: 12 }), (parts) => {
        try {
          parseExpression(parts.join(''))
        } catch (error) {
          expect(error).toBeInstanceOf(FilterError)
          expect((error as Error).message).toMatch(/^\d+:\d+ \(\d+\): /)
        }
      }),
    )
  })
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodeGoJson, GoJsonError, parseGoJson } from '../../../../src/testing/wire/go-json.js'

describe('JSON of Go', () => {
  test('escapes what HTML could misread', () => {
    expect(encodeGoJson('<a & b>\u2028', false)).toBe('"\\u003ca \\u0026 b\\u003e\\u2028"')
  })

  test('prints 64-bit numbers in full', () => {
    expect(encodeGoJson({ Flags: 2n ** 64n - 1n, Port: 80 }, false)).toBe('{"Flags":18446744073709551615,"Port":80}')
  })

  test('uses four spaces and a last line feed when pretty', () => {
    expect(encodeGoJson([{ a: 1 }], true)).toBe('[\n    {\n        "a": 1\n    }\n]\n')
  })

  test.each([
    ['', 'EOF'],
    ['garbage', "invalid character 'g' looking for beginning of value"],
    ['{"a":1,', 'unexpected EOF'],
    ['[1,', 'unexpected EOF'],
  ])('%j is refused in Go’s words', (text, message) => {
    expect(() => parseGoJson(text)).toThrow(new GoJsonError(message))
  })

  test('reads one value and does not look at what follows', () => {
    expect(parseGoJson('{"a":"}"}}')).toEqual({ a: '}' })
  })

  test('any JSON comes back as it went', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.boolean(), (value, pretty) => {
        const text = encodeGoJson(value, pretty)
        expect(parseGoJson(text)).toEqual(JSON.parse(JSON.stringify(value)))
      }),
    )
  })
})

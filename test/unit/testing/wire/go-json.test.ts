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
    ['  \n', 'EOF'],
    ['{g', "invalid character 'g' looking for beginning of object key string"],
    ['{"a":1,}', "invalid character '}' looking for beginning of object key string"],
    ['{"a" 1}', "invalid character '1' after object key"],
    ['{"a":1 "b"', "invalid character '\"' after object key:value pair"],
    ['[1 2]', "invalid character '2' after array element"],
    ['[1,]', "invalid character ']' looking for beginning of value"],
    ['"a\tb"', "invalid character '\\t' in string literal"],
    ['"\\x"', "invalid character 'x' in string escape code"],
    ['"\\u00"', "invalid character '\"' in \\u hexadecimal character escape"],
    ['-a', "invalid character 'a' in numeric literal"],
    ['1.x', "invalid character 'x' after decimal point in numeric literal"],
    ['1ex', "invalid character 'x' in exponent of numeric literal"],
    ['1e', 'unexpected EOF'],
    ['nul ', "invalid character ' ' in literal null (expecting 'l')"],
    ["{'a':1}", "invalid character '\\'' looking for beginning of object key string"],
    ['\u0000', "invalid character '\\x00' looking for beginning of value"],
    ['é', "invalid character 'Ã' looking for beginning of value"],
  ])('%j is refused in Go’s words', (text, message) => {
    expect(() => parseGoJson(text)).toThrow(new GoJsonError(message))
  })

  test('reads one value and does not look at what follows', () => {
    expect(parseGoJson('{"a":"}"}}')).toEqual({ a: '}' })
    expect(parseGoJson('01')).toBe(0)
    expect(parseGoJson(' [1] x')).toEqual([1])
    expect(parseGoJson('-1.5e+3,')).toBe(-1500)
    expect(parseGoJson('"a\\u00e9\\n" ]')).toBe('aé\n')
    expect(parseGoJson('truex')).toBe(true)
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

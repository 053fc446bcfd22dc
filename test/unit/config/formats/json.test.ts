import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DocumentProblem } from '../../../../src/config/formats/document.js'
import { jsonFault } from '../../../../src/config/formats/json-fault.js'
import { parseJson, parseJsonAsWritten } from '../../../../src/config/formats/json.js'

describe('parseJson', () => {
  it.each([
    ['{', 1, 2],
    ['{"a":1,}', 1, 8],
    ['{\n  "a": hunter2\n}', 2, 8],
    ['{"a":1} x', 1, 9],
    ['[1 2]', 1, 4],
    ['{"a" 1}', 1, 6],
    ['"open', 1, 6],
    ['{"a":"x\ny"}', 1, 8],
    ['"\\x"', 1, 2],
    ['01', 1, 2],
    ['nul', 1, 1],
    ['{a:1}', 1, 2],
    ["{'a':1}", 1, 2],
    ['{"a":1', 1, 7],
    ['[[[', 1, 4],
  ])('finds the fault of %j in line %i, column %i, and does not quote it', (text, line, column) => {
    const problem = problemOf(text)
    expect(problem.position).toEqual({ line, column })
    expect(problem.message).toBe('is not JSON')
  })

  it('knows of a fault exactly when JSON.parse does', () => {
    const text = fc.oneof(
      fc.json(),
      fc.string(),
      fc
        .array(fc.constantFrom('{', '}', '[', ']', ',', ':', '"', 'a', '1', '-', '.', 'e', 'true', ' ', '\\', 'u'), {
          maxLength: 12,
        })
        .map((parts) => parts.join('')),
    )
    fc.assert(
      fc.property(text, (json) => {
        expect(jsonFault(json) === json.length && isJson(json)).toBe(isJson(json))
        if (!isJson(json) && json.trim() !== '') expect(() => parseJson(json)).toThrow(DocumentProblem)
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('an empty document', () => {
  it.each(['', ' \n', 'null', ' null '])('is an empty object: %j', (text) => {
    expect(parseJson(text)).toEqual({})
    expect(parseJsonAsWritten(text)).toEqual({})
  })
})

describe('parseJsonAsWritten', () => {
  it.each<[string, unknown]>([
    ['{"version": 1.10}', { version: '1.10' }],
    ['{"id": 9007199254740993}', { id: '9007199254740993' }],
    ['{"a": -0, "b": 1e2, "c": 1E+2, "d": -1.5e-3}', { a: '-0', b: '1e2', c: '1E+2', d: '-1.5e-3' }],
    ['{"a": true, "b": [false, 2.0]}', { a: 'true', b: ['false', '2.0'] }],
    ['{"a": "1.10 true null", "b\\"1": "\\u00e9 \\" 2"}', { a: '1.10 true null', 'b"1': 'é " 2' }],
    ['{"1": 1, "true": 2}', { 1: '1', true: '2' }],
  ])('keeps %s as it is', (text, tree) => {
    expect(parseJsonAsWritten(text)).toEqual(tree)
  })

  it.each<[string, RegExp]>([
    ['{"a": 1E400}', /is Infinity/],
    ['{"a": null}', /is null, which no key can hold/],
    ['{"a": {}}', /is an empty object/],
    ['{"a": [1, []]}', /is an empty list/],
    ['{"a": 1, "b": 2, "a": 3}', /gives a name twice/],
    ['{"a": {"b": 1, "\\u0062": 2}}', /gives a name twice/],
    ['{"__proto__": 1}', /__proto__/],
    ['{"a": 01}', /is not JSON/],
  ])('refuses %s', (text, message) => {
    expect(() => parseJsonAsWritten(text)).toThrow(message)
  })

  it('reads as texts whatever is read at all', () => {
    const asTexts = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(asTexts)
      if (typeof value === 'object' && value !== null) {
        return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, asTexts(part)]))
      }
      return typeof value === 'string' ? value : JSON.stringify(value)
    }
    fc.assert(
      fc.property(fc.json(), (json) => {
        let written: unknown
        try {
          written = parseJsonAsWritten(json)
        } catch {
          return
        }
        if (json.trim() !== 'null') expect(written).toEqual(asTexts(JSON.parse(json)))
      }),
    )
  })
})

function problemOf(text: string): DocumentProblem {
  try {
    parseJson(text)
  } catch (error) {
    if (error instanceof DocumentProblem) return error
  }
  throw new Error('there is no problem')
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

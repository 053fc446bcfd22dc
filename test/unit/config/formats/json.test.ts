import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DocumentProblem } from '../../../../src/config/formats/document.js'
import { jsonFault } from '../../../../src/config/formats/json-fault.js'
import { parseJson } from '../../../../src/config/formats/json.js'

describe('parseJson', () => {
  it.each([
    ['', 1, 1],
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
        if (!isJson(json)) expect(() => parseJson(json)).toThrow(DocumentProblem)
      }),
      { numRuns: 2_000 },
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

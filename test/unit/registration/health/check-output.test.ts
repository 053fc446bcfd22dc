import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkOutput } from '../../../../src/registration/health/check-output.js'
import { OUTPUT_LIMIT_BYTES } from '../../../../src/registration/health/output-limit.js'

const result = (status: 'passing' | 'warning' | 'critical', output = '') => ({
  status,
  output,
  durationMs: 12,
  checkedAt: 1,
})

describe('the output of a check', () => {
  it('has a line for each dependency, the worst first, and JSON at the end', () => {
    const probes = { cache: result('passing'), database: result('critical', 'connect\n refused') }
    const lines = checkOutput({ status: 'critical', probes }).split('\n')
    expect(lines.slice(0, 2)).toEqual(['database: critical (connect refused)', 'cache: passing'])
    expect(JSON.parse(lines[2] ?? '')).toEqual({
      status: 'critical',
      probes: {
        database: { status: 'critical', output: 'connect\n refused' },
        cache: { status: 'passing', output: '' },
      },
    })
  })

  it('says of a service without probes that its process lives', () => {
    expect(checkOutput({ status: 'passing', probes: {} })).toBe('the process is alive; it has no probes')
  })

  it('is in the order of the worst, whatever the order of the probes', () => {
    const probes = { a: result('passing'), b: result('warning'), c: result('critical'), d: result('warning') }
    expect(checkOutput({ status: 'critical', probes }).split('\n').slice(0, 4)).toEqual([
      'c: critical',
      'b: warning',
      'd: warning',
      'a: passing',
    ])
  })

  it('keeps the lines and leaves the JSON out where both do not fit', () => {
    const probes = { a: result('critical', 'x'.repeat(2_500)) }
    expect(checkOutput({ status: 'critical', probes })).toBe(`a: critical (${'x'.repeat(2_500)})`)
  })

  it('is the same while results are, so that Consul has nothing to store', () => {
    const at = (checkedAt: number) =>
      ({ status: 'passing', probes: { a: { ...result('passing'), checkedAt } } }) as const
    expect(checkOutput(at(1))).toBe(checkOutput(at(2)))
  })

  it('is never longer than the agent keeps, whatever probes say', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.string({ unit: 'grapheme', maxLength: 3_000 })), (outputs) => {
        const probes = Object.fromEntries(
          Object.entries(outputs).map(([name, text]) => [name, result('warning', text)]),
        )
        expect(Buffer.byteLength(checkOutput({ status: 'warning', probes }))).toBeLessThanOrEqual(OUTPUT_LIMIT_BYTES)
      }),
      { numRuns: 50 },
    )
  })
})

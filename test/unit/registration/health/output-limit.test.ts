import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cutBytes } from '../../../../src/registration/health/output-limit.js'

describe('the head of a text', () => {
  it('is cut at whole characters, counting bytes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.nat(40), (text, limit) => {
        const cut = cutBytes(text, limit)
        expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(limit)
        expect(Buffer.from(text).toString().startsWith(cut)).toBe(true)
        const rest = Buffer.from(text).toString().slice(cut.length)
        const next = String.fromCodePoint(...[rest.codePointAt(0)].filter((code) => code !== undefined))
        expect(next === '' || Buffer.byteLength(cut + next) > limit).toBe(true)
      }),
    )
    expect(cutBytes('aü', 2)).toBe('a')
    expect(cutBytes('aü', 3)).toBe('aü')
    expect(cutBytes('😀', 3)).toBe('')
  })

  it('is text that can be sent, also where it was not', () => {
    expect(cutBytes('a\ud83d', 100)).toBe('a\ufffd')
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nextPosition, POLL, START } from '../../../src/watch/wait-position.js'

describe('where a query goes on', () => {
  it('waits by the index of the answer, never by zero, and starts anew exactly when it went back', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e9 }), fc.integer({ min: 0, max: 1e9 }), (before, index) => {
        const next = nextPosition({ type: 'index', index: before }, { index })
        const counted = Math.max(1, index)
        expect(next).toEqual(counted < before ? START : { type: 'index', index: counted })
      }),
    )
  })

  it('takes any index after a plain read', () => {
    expect(nextPosition(START, { index: 12 })).toEqual({ type: 'index', index: 12 })
  })

  it('waits by the hash where there is no index, and reads at an interval where there is neither', () => {
    expect(nextPosition(START, { contentHash: 'cafe' })).toEqual({ type: 'hash', hash: 'cafe' })
    expect(nextPosition(START, {})).toBe(POLL)
  })
})

import { describe, expect, it } from 'vitest'
import { resolveLossGuard } from '../../../src/live/loss-guard-options.js'

const defaults = { share: 0.5, atLeast: 4, holdMs: 10_000 }

describe('the options of a guard against loss', () => {
  it('have the defaults of whoever has the guard', () => {
    expect(resolveLossGuard(undefined, defaults)).toEqual(defaults)
    expect(resolveLossGuard({}, defaults)).toEqual(defaults)
  })

  it('are what was given, each by itself', () => {
    expect(resolveLossGuard({ share: 0.2 }, defaults)).toEqual({ ...defaults, share: 0.2 })
    expect(resolveLossGuard({ atLeast: 1 }, defaults)).toEqual({ ...defaults, atLeast: 1 })
    expect(resolveLossGuard({ hold: '1m30s' }, defaults)).toEqual({ ...defaults, holdMs: 90_000 })
  })

  it('are off with false', () => {
    expect(resolveLossGuard(false, defaults)).toBeUndefined()
  })

  it('may have a share of 1', () => {
    expect(resolveLossGuard({ share: 1 }, defaults)?.share).toBe(1)
  })

  it.each([
    [{ share: 0 }, /^lossGuard\.share is 0; expected a number above 0 and up to 1/],
    [{ share: 1.1 }, /^lossGuard\.share is 1\.1/],
    [{ share: '0.5' }, /^lossGuard\.share is "0\.5"/],
    [{ atLeast: 0 }, /^lossGuard\.atLeast is 0/],
    [{ hold: 'soon' }, /^lossGuard\.hold is "soon"/],
    [{ holds: 1 }, /^lossGuard\.holds/],
    [true, /^lossGuard is true/],
    ['10s', /^lossGuard is "10s"/],
  ])('are refused as %j', (options, message) => {
    expect(() => resolveLossGuard(options as never, defaults)).toThrow(message)
  })
})

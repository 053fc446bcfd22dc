import { describe, expect, it } from 'vitest'
import {
  resolveDeregisterOptions,
  resolveRegisterOptions,
} from '../../../../src/registration/definition/resolve-options.js'

describe('the options of registerService', () => {
  it('have defaults', () => {
    expect(resolveRegisterOptions({})).toEqual({ timeoutMs: 30_000, background: false, signal: undefined })
  })

  it.each([
    ['timeout', 0],
    ['background', 'yes'],
    ['signal', {}],
    ['signal', null],
    ['retries', 3],
  ])('refuse %s: %j by its name', (name, value) => {
    const refused = (): unknown => resolveRegisterOptions({ [name]: value })
    expect(refused).toThrow(expect.objectContaining({ code: 'PROCONSUL_INVALID_OPTION' }))
    expect(refused).toThrow(name)
  })
})

describe('the options of deregister', () => {
  it('have defaults', () => {
    expect(resolveDeregisterOptions({})).toEqual({ drainMs: 0, timeoutMs: 10_000, signal: undefined })
  })

  it.each([
    ['drain', 'long'],
    ['timeout', -1],
    ['signal', {}],
    ['force', true],
  ])('refuse %s: %j by its name', (name, value) => {
    const refused = (): unknown => resolveDeregisterOptions({ [name]: value })
    expect(refused).toThrow(expect.objectContaining({ code: 'PROCONSUL_INVALID_OPTION' }))
    expect(refused).toThrow(name)
  })
})

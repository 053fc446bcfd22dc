import { inspect } from 'node:util'
import { expect, it } from 'vitest'
import { PROCONSUL_ERROR_CODES, ProconsulError, isProconsulError } from '../../../src/errors/proconsul-error.js'

it('carries a code, whether to try again, and its facts', () => {
  const cause = new Error('ECONNREFUSED')
  const error = new ProconsulError('PROCONSUL_RATE_LIMITED', 'slow down', { cause, status: 429, retryAfterMs: 1_000 })
  expect(error).toMatchObject({
    name: 'ProconsulError',
    code: 'PROCONSUL_RATE_LIMITED',
    retryable: true,
    status: 429,
    retryAfterMs: 1_000,
    cause,
  })
  expect(inspect(error)).toContain("code: 'PROCONSUL_RATE_LIMITED'")
})

it('leaves out what it has not', () => {
  const error = new ProconsulError('PROCONSUL_CLOSED', 'closed')
  expect(Object.keys(error).sort()).toEqual(['code', 'name', 'retryable'])
  expect('cause' in error).toBe(false)
})

it('is known by its brand, so that two copies of the package agree', () => {
  const foreign = Object.defineProperty(
    Object.assign(new Error('x'), { code: 'PROCONSUL_TIMEOUT' }),
    Symbol.for('proconsul.error'),
    {
      value: true,
    },
  )
  expect(isProconsulError(foreign)).toBe(true)
  expect(isProconsulError(foreign, 'PROCONSUL_TIMEOUT')).toBe(true)
  expect(isProconsulError(foreign, 'PROCONSUL_CLOSED')).toBe(false)
  expect(isProconsulError(new Error('x'))).toBe(false)
  expect(isProconsulError(undefined)).toBe(false)
})

it('has codes that all begin alike', () => {
  for (const code of PROCONSUL_ERROR_CODES) expect(code).toMatch(/^PROCONSUL_[A-Z_]+$/)
})

import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
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

describe('as JSON', () => {
  it('keeps name, code, message, whether to try again, status and what led to it', () => {
    const root = Object.assign(new Error('connect ECONNREFUSED'), {
      code: 'ECONNREFUSED',
      request: { token: 'hunter2' },
    })
    const before = new ProconsulError('PROCONSUL_UNAVAILABLE', 'no answer', { cause: root })
    const error = new ProconsulError('PROCONSUL_PERMISSION_DENIED', 'no', {
      status: 403,
      retryAfterMs: 5,
      reason: 'unknown-token',
      cause: before,
    })
    expect(JSON.parse(JSON.stringify({ err: error }))).toEqual({
      err: {
        name: 'ProconsulError',
        message: 'no',
        code: 'PROCONSUL_PERMISSION_DENIED',
        retryable: false,
        status: 403,
        retryAfterMs: 5,
        reason: 'unknown-token',
        cause: {
          name: 'ProconsulError',
          message: 'no answer',
          code: 'PROCONSUL_UNAVAILABLE',
          cause: { name: 'Error', message: 'connect ECONNREFUSED', code: 'ECONNREFUSED' },
        },
      },
    })
  })

  it('leaves out what it has not', () => {
    expect(new ProconsulError('PROCONSUL_CLOSED', 'closed').toJSON()).toEqual({
      name: 'ProconsulError',
      message: 'closed',
      code: 'PROCONSUL_CLOSED',
      retryable: false,
    })
  })

  it.each<[string, unknown, object]>([
    ['a text', 'odd', { name: 'Error', message: 'odd' }],
    ['a number', 5, { name: 'Error', message: '5' }],
    ['null', null, { name: 'Error', message: 'null' }],
    ['a symbol', Symbol('x'), { name: 'Error', message: 'Symbol(x)' }],
    ['a function', () => 'hunter2', { name: 'Error', message: 'a function' }],
    ['an object', { password: 'hunter2' }, { name: 'Error', message: 'an object without a message' }],
    ['an object without a prototype', Object.create(null), { name: 'Error', message: 'an object without a message' }],
    [
      'a message that is no text',
      { message: { a: 1 }, code: 5 },
      { name: 'Error', message: 'an object without a message' },
    ],
    [
      'an object that throws when it is looked at',
      new Proxy(
        {},
        {
          get() {
            throw new Error('hunter2')
          },
        },
      ),
      { name: 'Error', message: 'an object without a message' },
    ],
  ])('shows %s that was thrown, and nothing inside it', (_what, cause, shown) => {
    expect(new ProconsulError('PROCONSUL_HOOK_FAILED', 'x', { cause }).toJSON().cause).toEqual(shown)
  })

  it('ends, also where an error is its own cause', () => {
    const cause = new Error('round')
    cause.cause = cause
    const text = JSON.stringify(new ProconsulError('PROCONSUL_HOOK_FAILED', 'x', { cause }))
    expect(text.match(/round/g)).toHaveLength(5)
  })
})

it('shows message and stack to a logger that copies an error as pino does', () => {
  const error = new ProconsulError('PROCONSUL_TIMEOUT', 'too late', { cause: new Error('before') })
  const copied: Record<string, unknown> = { type: error.constructor.name, message: error.message, stack: error.stack }
  // Enumerable properties, also inherited ones: a method among them would end up in the log.
  for (const key in error) copied[key] ??= Reflect.get(error, key)
  expect(JSON.parse(JSON.stringify(copied))).toEqual({
    type: 'ProconsulError',
    message: 'too late',
    stack: expect.stringContaining('proconsul-error.test.ts') as string,
    name: 'ProconsulError',
    code: 'PROCONSUL_TIMEOUT',
    retryable: true,
  })
})

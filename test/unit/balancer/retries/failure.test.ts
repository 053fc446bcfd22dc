import { describe, expect, it } from 'vitest'
import {
  connectionFailure,
  isInstancesFault,
  pauseAskedBy,
  statusOf,
} from '../../../../src/balancer/retries/failure.js'

function coded(code: string, more: object = {}): Error {
  return Object.assign(new Error(code), { code, ...more })
}

describe('a call was not sent', () => {
  it.each([
    ['a refused connection', coded('ECONNREFUSED')],
    ['the same beneath fetch', new TypeError('fetch failed', { cause: coded('ECONNREFUSED') })],
    ['a name that is not known', coded('ENOTFOUND', { syscall: 'getaddrinfo' })],
    ['a connection that took too long', coded('UND_ERR_CONNECT_TIMEOUT')],
    ['a time-out of connect', coded('ETIMEDOUT', { syscall: 'connect' })],
    ['a socket file that is gone', coded('ENOENT', { syscall: 'connect' })],
    ['IPv6 and IPv4 both', new AggregateError([coded('ECONNREFUSED'), coded('ENETUNREACH')])],
  ])('%s', (_name, error) => {
    expect(connectionFailure(error)).toBe('unsent')
  })
})

describe('a call may have had an effect', () => {
  it.each([
    ['a connection that was reset', coded('ECONNRESET'), 'lost'],
    ['a socket that closed', new TypeError('fetch failed', { cause: coded('UND_ERR_SOCKET') }), 'lost'],
    ['one of two tries got through', new AggregateError([coded('ECONNREFUSED'), coded('ECONNRESET')]), undefined],
    ['no answer in time', coded('UND_ERR_HEADERS_TIMEOUT'), undefined],
    ['something that is no error', 'ECONNREFUSED', undefined],
    ['nothing', undefined, undefined],
  ])('%s', (_name, error, expected) => {
    expect(connectionFailure(error)).toBe(expected)
  })

  it('also when causes form a ring, or fields throw when they are looked at', () => {
    const ring: { cause?: unknown } = {}
    ring.cause = { cause: ring }
    expect(connectionFailure(ring)).toBeUndefined()
    const hostile = {
      get code(): string {
        throw new Error('no')
      },
      get status(): number {
        throw new Error('no')
      },
    }
    expect(connectionFailure(hostile)).toBeUndefined()
    expect(isInstancesFault(hostile)).toBe(true)
  })
})

it.each([
  [{ status: 404 }, 404],
  [{ statusCode: 503 }, 503],
  [{ response: { status: 502 } }, 502],
  [{ response: { statusCode: 429 } }, 429],
  [new Error('none'), undefined],
  [{ status: 'bad' }, undefined],
])('finds the status of %o', (error, expected) => {
  expect(statusOf(error)).toBe(expected)
})

it.each([
  [{ headers: { 'retry-after': '3' } }, 3_000],
  [{ headers: new Headers({ 'Retry-After': '3' }) }, 3_000],
  [{ response: { headers: { get: () => 'Thu, 01 Jan 1970 00:00:05 GMT' } } }, 5_000],
  [{ retryAfterMs: 1_500 }, 1_500],
  [{ headers: { 'retry-after': 'soon' } }, undefined],
  [
    {
      headers: {
        get: () => {
          throw new Error('no')
        },
      },
    },
    undefined,
  ],
  [undefined, undefined],
])('finds how long %o asks to wait', (error, expected) => {
  expect(pauseAskedBy(error, 0)).toBe(expected)
})

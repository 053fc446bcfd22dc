import { expect, it } from 'vitest'
import { lostConnection, networkFailure, neverConnected } from '../../../src/errors/network-failure.js'

const failure = (code: string | undefined, message = 'it broke') =>
  networkFailure(
    'kv.get',
    'http://127.0.0.1:8500',
    Object.assign(new Error(message), code === undefined ? {} : { code }),
  )

it.each([
  ['ECONNREFUSED', 'PROCONSUL_UNAVAILABLE', true],
  ['ENOENT', 'PROCONSUL_UNAVAILABLE', true],
  ['ENOTFOUND', 'PROCONSUL_UNAVAILABLE', true],
  ['ECONNRESET', 'PROCONSUL_UNAVAILABLE', false],
  ['EPIPE', 'PROCONSUL_UNAVAILABLE', false],
  ['HPE_INVALID_CONSTANT', 'PROCONSUL_BAD_RESPONSE', false],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'PROCONSUL_TLS', false],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'PROCONSUL_TLS', false],
  ['ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE', 'PROCONSUL_TLS', false],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'PROCONSUL_TLS', false],
  [undefined, 'PROCONSUL_UNAVAILABLE', false],
])('%s is %s, and whether the request can have had an effect is known', (systemCode, code, isUnsent) => {
  const error = failure(systemCode)
  expect(error.code).toBe(code)
  expect(neverConnected(error)).toBe(isUnsent)
})

it.each([
  ['ECONNRESET', true],
  ['EPIPE', true],
  ['ECONNREFUSED', false],
  [undefined, false],
])('tells after %s whether there was a connection', (systemCode, wasConnected) => {
  expect(lostConnection(failure(systemCode))).toBe(wasConnected)
})

it('names what was asked of whom, and keeps nothing of the original error but its code and message', () => {
  const original = Object.assign(new Error('connect ECONNREFUSED'), {
    code: 'ECONNREFUSED',
    request: { token: 'hunter2' },
  })
  const error = networkFailure('kv.get', 'http://127.0.0.1:8500', original)
  expect(error.message).toBe(
    'kv.get: no answer from http://127.0.0.1:8500 (ECONNREFUSED); is the agent running at this address?',
  )
  expect(error.cause).not.toBe(original)
  expect(JSON.stringify(error.cause)).not.toContain('hunter2')
})

import { describe, expect, it } from 'vitest'
import { lostConnection, networkFailure, neverConnected, portHint } from '../../../src/errors/network-failure.js'

const failure = (code: string | undefined, message = 'it broke') =>
  networkFailure(
    'kv.get',
    'http://127.0.0.1:8500',
    Object.assign(new Error(message), code === undefined ? {} : { code }),
  )

it.each([
  ['ECONNREFUSED', 'PROCONSUL_UNAVAILABLE', true],
  ['EAI_AGAIN', 'PROCONSUL_UNAVAILABLE', true],
  ['EHOSTUNREACH', 'PROCONSUL_UNAVAILABLE', true],
  ['ENETUNREACH', 'PROCONSUL_UNAVAILABLE', true],
  ['EACCES', 'PROCONSUL_UNAVAILABLE', true],
  ['ETIMEDOUT', 'PROCONSUL_UNAVAILABLE', false],
  ['EPROTO', 'PROCONSUL_TLS', false],
  ['CERT_HAS_EXPIRED', 'PROCONSUL_TLS', false],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'PROCONSUL_TLS', false],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'PROCONSUL_TLS', false],
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
  expect(error.reason).toBe(isUnsent ? 'without-effect' : undefined)
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

describe('a lost connection', () => {
  it('may have written, unless it was a read', () => {
    const original = Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' })
    expect(networkFailure('kv.set', 'http://a:1', original).message).toBe(
      'kv.set: no answer from http://a:1 (ECONNRESET); the connection was lost; a write may have happened all the same',
    )
    expect(networkFailure('kv.get', 'http://a:1', original, true).message).toBe(
      'kv.get: no answer from http://a:1 (ECONNRESET); the connection was lost',
    )
  })

  it('that was none of ours, or no error at all, is named by its text', () => {
    expect(networkFailure('kv.get', 'http://a:1', 'odd', true)).toMatchObject({
      code: 'PROCONSUL_UNAVAILABLE',
      message: 'kv.get: no answer from http://a:1 (odd); the connection was lost',
      cause: { message: 'odd' },
    })
  })
})

describe('the wrong one of HTTP and HTTPS', () => {
  it.each([
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'wrong version number'],
    ['ERR_SSL_PACKET_LENGTH_TOO_LONG', 'packet length too long'],
    ['EPROTO', 'write EPROTO 0A00010B:SSL routines:ssl3_get_record:wrong version number'],
    ['ERR_SSL_HTTP_REQUEST', 'http request'],
    ['ERR_SSL_UNKNOWN_PROTOCOL', 'unknown protocol'],
  ])('is told when TLS meets a port without it: %s', (code, text) => {
    expect(failure(code, text)).toMatchObject({
      code: 'PROCONSUL_TLS',
      message: expect.stringContaining('what answers there does not speak TLS: the address needs http://') as string,
    })
  })

  it.each(['ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE', 'CERT_HAS_EXPIRED', 'ERR_TLS_CERT_ALTNAME_INVALID'])(
    'is not what %s is about',
    (code) => expect(failure(code).message).toContain('check the CA, the client certificate and the server name'),
  )

  it('is told when HTTP meets a TLS alert', () => {
    const rawPacket = Buffer.from([0x15, 0x03, 0x01, 0x00, 0x02, 0x02, 0x46])
    const met = Object.assign(new Error('Parse Error'), { code: 'HPE_INVALID_CONSTANT', rawPacket })
    expect(networkFailure('kv.get', 'http://a:1', met)).toMatchObject({
      code: 'PROCONSUL_TLS',
      message:
        'kv.get: no answer from http://a:1 (HPE_INVALID_CONSTANT); what answers there speaks TLS: the address needs https://',
    })
  })

  it.each([
    ['SSH', Buffer.from('SSH-2.0')],
    ['nothing', Buffer.alloc(0)],
    ['no bytes', 'text'],
  ])('is not what %s in the place of HTTP is about', (_what, rawPacket) => {
    const met = Object.assign(new Error('Parse Error'), { code: 'HPE_INVALID_CONSTANT', rawPacket })
    expect(networkFailure('kv.get', 'http://a:1', met)).toMatchObject({
      code: 'PROCONSUL_BAD_RESPONSE',
      message: expect.stringContaining('what answers there does not speak HTTP') as string,
    })
  })
})

describe('an address without a port', () => {
  it.each([
    ['http://localhost', "; the address names no port, so it was 80: Consul's own is 8500"],
    ['http://localhost/prefix', "; the address names no port, so it was 80: Consul's own is 8500"],
    ['http://[::1]', "; the address names no port, so it was 80: Consul's own is 8500"],
    ['https://consul.example.org', "; the address names no port, so it was 443: Consul's own is 8501"],
    ['http://localhost:8500', ''],
    ['http://localhost:80', ''],
    ['http://[::1]:8500/prefix', ''],
    ['/var/run/consul.sock', ''],
    ['', ''],
  ])('%j: %j', (target, hint) => {
    expect(portHint(target)).toBe(hint)
  })

  it.each(['ECONNREFUSED', 'ERR_SSL_WRONG_VERSION_NUMBER', 'HPE_INVALID_CONSTANT'])('is mentioned after %s', (code) => {
    const original = Object.assign(new Error('x'), { code })
    expect(networkFailure('kv.get', 'http://localhost', original).message).toContain('8500')
  })
})

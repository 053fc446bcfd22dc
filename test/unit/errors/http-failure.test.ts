import { describe, expect, it } from 'vitest'
import { httpFailure, isUnknownToken, type HttpFailure } from '../../../src/errors/http-failure.js'
import { ProconsulError, type ProconsulErrorCode } from '../../../src/errors/proconsul-error.js'

const failure = (status: number, body = '', facts: Partial<HttpFailure> = {}) =>
  httpFailure({ operation: 'kv.get', status, body, ...facts })

describe('an answer of the agent that is no success', () => {
  it.each<[number, string, ProconsulErrorCode, boolean]>([
    [400, 'Missing service name', 'PROCONSUL_REJECTED', false],
    [400, 'Client sent an HTTP request to an HTTPS server.', 'PROCONSUL_TLS', false],
    [301, '', 'PROCONSUL_REJECTED', false],
    [401, '', 'PROCONSUL_PERMISSION_DENIED', false],
    [403, 'ACL not found', 'PROCONSUL_PERMISSION_DENIED', false],
    [403, 'Permission denied', 'PROCONSUL_PERMISSION_DENIED', false],
    [403, 'Endpoint is blocked by agent configuration', 'PROCONSUL_PERMISSION_DENIED', false],
    [404, 'Unknown service ID "x". Ensure that the service ID is passed', 'PROCONSUL_NOT_FOUND', false],
    [405, 'method POST not allowed', 'PROCONSUL_REJECTED', false],
    [409, '{"Errors":[]}', 'PROCONSUL_CONFLICT', false],
    [413, 'Request body(524289 bytes) too large', 'PROCONSUL_REJECTED', false],
    [429, '', 'PROCONSUL_RATE_LIMITED', true],
    [500, 'No cluster leader', 'PROCONSUL_NO_LEADER', true],
    [500, 'rpc error making call: No cluster leader', 'PROCONSUL_NO_LEADER', true],
    [500, 'rpc error making call: leadership lost while committing log', 'PROCONSUL_NO_LEADER', true],
    [500, 'rpc error making call: rpc error making call: EOF', 'PROCONSUL_NO_LEADER', true],
    [500, 'rpc error making call: i/o deadline reached', 'PROCONSUL_NO_LEADER', true],
    [
      500,
      'rpc error getting client: failed to get conn: dial tcp 127.0.0.1:8300: connect: connection refused',
      'PROCONSUL_NO_LEADER',
      true,
    ],
    [
      500,
      "rpc error getting client: failed to get conn: rpc error: lead thread didn't get connection",
      'PROCONSUL_NO_LEADER',
      true,
    ],
    [500, 'No known Consul servers', 'PROCONSUL_NO_LEADER', true],
    [500, 'CheckID "service:web1" does not have associated TTL', 'PROCONSUL_NOT_FOUND', false],
    [500, 'Unknown check "nope"', 'PROCONSUL_NOT_FOUND', false],
    [500, 'Unknown service {"nope" {}}', 'PROCONSUL_NOT_FOUND', false],
    [500, 'ServiceID "nosuch" does not exist', 'PROCONSUL_NOT_FOUND', false],
    [500, 'rpc error making call: invalid session "4c2e"', 'PROCONSUL_REJECTED', false],
    [500, 'Failed to create boolean expression evaluator: 1:6 (5): no match found', 'PROCONSUL_REJECTED', false],
    [500, 'strconv.ParseUint: parsing "-1": invalid syntax', 'PROCONSUL_REJECTED', false],
    [500, "Invalid Session TTL '9000000000', must be between [10s=24h0m0s]", 'PROCONSUL_REJECTED', false],
    [500, 'invalid key name, keys should respect the "…" format.', 'PROCONSUL_REJECTED', false],
    [500, 'rpc error making call: ACL not found', 'PROCONSUL_PERMISSION_DENIED', false],
    [500, 'rpc error making call: Permission denied', 'PROCONSUL_PERMISSION_DENIED', false],
    [500, 'No path to datacenter', 'PROCONSUL_UNAVAILABLE', true],
    [500, 'something nobody has seen', 'PROCONSUL_UNAVAILABLE', true],
    [502, '<html>bad gateway</html>', 'PROCONSUL_UNAVAILABLE', true],
    [503, 'rate limit exceeded for operation that can only be performed by the leader', 'PROCONSUL_RATE_LIMITED', true],
    [503, '', 'PROCONSUL_UNAVAILABLE', true],
  ])('%d %j is %s', (status, body, code, retryable) => {
    expect(failure(status, body)).toMatchObject({ code, retryable, status })
  })

  it('says what was asked, what the agent said, and what to do', () => {
    expect(failure(403, 'Permission denied\n').message).toBe(
      'kv.get: the agent answered 403 "Permission denied"; check the ACL token and its policies',
    )
    expect(failure(429).message).toBe('kv.get: the agent answered 429; slow down and try again')
  })

  it('does not repeat a page of text', () => {
    expect(failure(502, 'x'.repeat(10_000)).message.length).toBeLessThan(500)
  })

  it('carries how long the agent asks to wait', () => {
    expect(httpFailure({ operation: 'kv.get', status: 429, body: '', retryAfterMs: 2_000 }).retryAfterMs).toBe(2_000)
  })
})

describe('a token that Consul does not know', () => {
  it.each([
    [403, 'ACL not found', true],
    [403, 'token does not exist: ACL not found', true],
    [500, 'rpc error making call: rpc error making call: ACL not found', true],
    [403, 'Permission denied', false],
    [403, "Permission denied: token with AccessorID 'x' lacks permission 'key:read'", false],
    [403, 'Endpoint is blocked by agent configuration', false],
    [404, 'ACL not found', false],
    [500, 'No cluster leader', false],
  ])('is told from a missing permission: %d %j is one: %s', (status, body, expected) => {
    expect(isUnknownToken(failure(status, body))).toBe(expected)
  })

  it('has a message that says what it may be', () => {
    expect(failure(403, 'ACL not found').message).toBe(
      'kv.get: the agent answered 403 "ACL not found"; Consul does not know this token: it was deleted, belongs to another cluster, ' +
        'or is so new that not every server has it',
    )
  })

  it('is no other error and nothing else', () => {
    expect(isUnknownToken(new ProconsulError('PROCONSUL_REJECTED', 'x', { reason: 'unknown-token' }))).toBe(false)
    expect(isUnknownToken(new Error('ACL not found'))).toBe(false)
    expect(isUnknownToken(undefined)).toBe(false)
  })
})

describe('whether a write may have happened', () => {
  it.each([
    [500, 'No cluster leader', 'without-effect'],
    [500, 'rpc error making call: No cluster leader', 'without-effect'],
    [500, 'No known Consul servers', 'without-effect'],
    [500, 'rpc error getting client: failed to get conn: dial tcp: connection refused', 'without-effect'],
    [429, '', 'without-effect'],
    [503, 'rate limit exceeded for operation', 'without-effect'],
    [500, 'rpc error making call: leadership lost while committing log', undefined],
    [500, 'rpc error making call: rpc error making call: EOF', undefined],
    [500, 'rpc error making call: i/o deadline reached', undefined],
    [500, 'node is not the leader', undefined],
    [500, 'something nobody has seen', undefined],
    [502, '', undefined],
  ])('is known after %d %j: %s', (status, body, reason) => {
    expect(failure(status, body).reason).toBe(reason)
    expect(failure(status, body).message.includes('a write may have happened')).toBe(reason === undefined)
  })

  it.each([
    [500, 'leadership lost while committing log'],
    [500, 'something nobody has seen'],
    [503, ''],
  ])('is never said of a read: %d %j', (status, body) => {
    expect(failure(status, body, { isRead: true }).message).not.toContain('write')
  })

  it('is not said of what was refused', () => {
    for (const status of [400, 401, 403, 404, 409, 413, 429])
      expect(failure(status, 'no').message).not.toContain('write')
  })
})

describe('an answer of something that is no agent', () => {
  const PAGE = '<html>hello</html>'
  it.each<[number, ProconsulErrorCode, string]>([
    [200, 'PROCONSUL_BAD_RESPONSE', 'it is no Consul agent: check the address'],
    [404, 'PROCONSUL_BAD_RESPONSE', 'it is no Consul agent: check the address'],
    [405, 'PROCONSUL_BAD_RESPONSE', 'it is no Consul agent: check the address'],
    [401, 'PROCONSUL_PERMISSION_DENIED', "something in front of the agent refuses the request, not Consul's ACLs"],
    [403, 'PROCONSUL_PERMISSION_DENIED', "something in front of the agent refuses the request, not Consul's ACLs"],
    [502, 'PROCONSUL_UNAVAILABLE', 'a proxy in front of the agent does not reach it'],
  ])('with %d is %s', (status, code, advice) => {
    const error = failure(status, PAGE, { isForeign: true, isRead: true, target: 'http://a:8500' })
    expect(error).toMatchObject({ code, status })
    expect(error.message).toBe(`kv.get: what answers there said ${status} "${PAGE}"; ${advice}`)
  })

  it.each([404, 403])('with %d at an address without a port says which port that was', (status) => {
    expect(failure(status, PAGE, { isForeign: true, target: 'http://localhost' }).message).toContain(
      "the address names no port, so it was 80: Consul's own is 8500",
    )
  })

  it('is not the reason for a redirect, which may come from a login page', () => {
    expect(failure(302).message).toContain('does a proxy or a login page stand in front of the agent?')
    expect(failure(401).message).toContain('`auth`')
  })
})

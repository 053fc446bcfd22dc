import { describe, expect, it } from 'vitest'
import { httpFailure } from '../../../src/errors/http-failure.js'
import type { ProconsulErrorCode } from '../../../src/errors/proconsul-error.js'

const failure = (status: number, body = '') => httpFailure({ operation: 'kv.get', status, body })

describe('an answer of the agent that is no success', () => {
  it.each<[number, string, ProconsulErrorCode, boolean]>([
    [400, 'Missing service name', 'PROCONSUL_REJECTED', false],
    [400, 'Client sent an HTTP request to an HTTPS server.', 'PROCONSUL_TLS', false],
    [301, '', 'PROCONSUL_REJECTED', false],
    [403, 'ACL not found', 'PROCONSUL_PERMISSION_DENIED', false],
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

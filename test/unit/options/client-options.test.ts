import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { resolveOptions, type ProconsulOptions } from '../../../src/options/client-options.js'

const resolve = (options: ProconsulOptions = {}, variables: Record<string, string> = {}) =>
  resolveOptions(options, variables)
const connection = (options?: ProconsulOptions, variables?: Record<string, string>) =>
  resolve(options, variables).connection

describe('without options and variables', () => {
  it('the local agent is asked, in plain HTTP, within the limits that an agent allows', () => {
    expect(connection()).toMatchObject({
      baseUrl: 'http://127.0.0.1:8500',
      token: { type: 'none' },
      tls: { ca: [], verify: true },
      timeoutMs: 10_000,
      maxBlockingQueries: 64,
      maxConnections: 16,
    })
  })
})

describe('the official environment variables', () => {
  it.each<[Record<string, string>, object]>([
    [{ CONSUL_HTTP_ADDR: '10.0.0.1:8501' }, { baseUrl: 'http://10.0.0.1:8501' }],
    [{ CONSUL_HTTP_ADDR: 'https://consul.internal/eu' }, { baseUrl: 'https://consul.internal/eu' }],
    [{ CONSUL_HTTP_ADDR: 'unix:///run/consul.sock' }, { baseUrl: 'http://localhost', socketPath: '/run/consul.sock' }],
    [{ CONSUL_HTTP_SSL: 'true' }, { baseUrl: 'https://127.0.0.1:8500' }],
    [{ CONSUL_HTTP_SSL: 't', CONSUL_HTTP_ADDR: 'http://10.0.0.1:8501' }, { baseUrl: 'https://10.0.0.1:8501' }],
    [{ CONSUL_HTTP_SSL: '0' }, { baseUrl: 'http://127.0.0.1:8500' }],
    [{ CONSUL_HTTP_SSL_VERIFY: 'false' }, { tls: { verify: false } }],
    [
      { CONSUL_HTTP_TOKEN: 'a', CONSUL_HTTP_TOKEN_FILE: '/run/token' },
      { token: { type: 'file', option: 'CONSUL_HTTP_TOKEN_FILE', path: '/run/token' } },
    ],
    [{ CONSUL_CACERT: '/ca.pem' }, { tls: { ca: [{ type: 'file', option: 'CONSUL_CACERT', path: '/ca.pem' }] } }],
    [{ CONSUL_CAPATH: '/cas' }, { tls: { ca: [{ type: 'directory', option: 'CONSUL_CAPATH', path: '/cas' }] } }],
    [
      { CONSUL_CLIENT_CERT: '/cert.pem', CONSUL_CLIENT_KEY: '/key.pem' },
      { tls: { cert: { path: '/cert.pem' }, key: { path: '/key.pem' } } },
    ],
    [{ CONSUL_TLS_SERVER_NAME: 'server.dc1.consul:8501' }, { tls: { serverName: 'server.dc1.consul' } }],
    [{ CONSUL_NAMESPACE: 'team' }, { namespace: 'team' }],
    [{ CONSUL_PARTITION: 'eu' }, { partition: 'eu' }],
    [{ CONSUL_HTTP_ADDR: '', CONSUL_HTTP_SSL: '' }, { baseUrl: 'http://127.0.0.1:8500' }],
  ])('%j', (variables, expected) => {
    expect(connection({}, variables)).toMatchObject(expected)
  })

  it('CONSUL_HTTP_AUTH splits at the first colon, and a name alone has an empty password', () => {
    expect(connection({}, { CONSUL_HTTP_AUTH: 'user:pa:ss' }).basicAuth?.reveal()).toBe('user:pa:ss')
    expect(connection({}, { CONSUL_HTTP_AUTH: 'user' }).basicAuth?.reveal()).toBe('user:')
  })

  it('CONSUL_HTTP_TOKEN is trimmed', () => {
    const { token } = connection({}, { CONSUL_HTTP_TOKEN: ' t1 ' })
    expect(token.type === 'value' && token.secret.reveal()).toBe('t1')
  })
})

describe('an option wins over its variable', () => {
  it.each<[ProconsulOptions, Record<string, string>, object]>([
    [{ address: '10.0.0.2:8500' }, { CONSUL_HTTP_ADDR: '10.0.0.1:8500' }, { baseUrl: 'http://10.0.0.2:8500' }],
    [{ address: 'http://10.0.0.2:8500' }, { CONSUL_HTTP_SSL: 'true' }, { baseUrl: 'http://10.0.0.2:8500' }],
    [{ address: '10.0.0.2:8500' }, { CONSUL_HTTP_SSL: 'true' }, { baseUrl: 'https://10.0.0.2:8500' }],
    [{ tokenFile: '/a' }, { CONSUL_HTTP_TOKEN_FILE: '/b' }, { token: { option: 'tokenFile', path: '/a' } }],
    [{ namespace: 'a' }, { CONSUL_NAMESPACE: 'b' }, { namespace: 'a' }],
    [{ partition: 'a' }, { CONSUL_PARTITION: 'b' }, { partition: 'a' }],
    [
      { address: 'https://c', tls: { rejectUnauthorized: true, servername: 'a', caFile: '/a' } },
      { CONSUL_HTTP_SSL_VERIFY: 'false', CONSUL_TLS_SERVER_NAME: 'b', CONSUL_CACERT: '/b' },
      { tls: { verify: true, serverName: 'a', ca: [{ path: '/a' }] } },
    ],
    [
      { address: 'https://c', tls: { certFile: '/a', keyFile: '/a.key' } },
      { CONSUL_CLIENT_CERT: '/b', CONSUL_CLIENT_KEY: '/b.key' },
      { tls: { cert: { path: '/a' }, key: { path: '/a.key' } } },
    ],
    [
      { timeout: '3s', maxBlockingQueries: 8, maxConnections: 2, datacenter: 'dc2' },
      {},
      { timeoutMs: 3_000, maxBlockingQueries: 8, maxConnections: 2, datacenter: 'dc2' },
    ],
    [{ maxResponseBytes: 1_024 }, {}, { maxResponseBytes: 1_024 }],
  ])('%j', (options, variables, expected) => {
    expect(connection(options, variables)).toMatchObject(expected)
  })
})

describe('a wrong value fails at once', () => {
  const pem = '-----BEGIN CERTIFICATE-----'
  it.each<[object, Record<string, string>, string]>([
    [{ adress: 'x' }, {}, 'options.adress is "x"; expected one of the options address'],
    [{ tokenfile: '/x' }, {}, 'Did you mean tokenFile?'],
    [{ timeoutMs: 5 }, {}, 'Did you mean timeout?'],
    [{ maxConections: 5 }, {}, 'Did you mean maxConnections?'],
    [{ address: 'ftp://x' }, {}, 'address is "ftp://x"'],
    [{ address: 'http://fd00::2:8500' }, {}, "an IPv6 address in brackets, such as 'http://[fd00::2]:8500'"],
    [{ logger: null }, {}, 'logger.debug is undefined; expected a function'],
    [{ logger: 'pino' }, {}, 'logger.debug is undefined; expected a function'],
    [{ timeout: '10' }, {}, 'timeout is "10"'],
    [{ timeout: 0 }, {}, 'timeout is 0'],
    [{ maxBlockingQueries: 0 }, {}, 'maxBlockingQueries is 0; expected a whole number from 1 to 190'],
    [{ maxConnections: 500 }, {}, 'maxConnections is 500'],
    [{ namespace: '' }, {}, 'namespace is ""'],
    [{ token: 'a', tokenFile: '/b' }, {}, 'tokenFile is "/b"; expected either `token` or `tokenFile`'],
    [{ token: 'a\nb' }, {}, 'token is not acceptable (its value is not shown)'],
    [{ token: '' }, {}, 'token is not acceptable'],
    [{ auth: ':x' }, {}, 'auth is not acceptable'],
    [{ logger: { info: 1 } }, {}, 'logger.debug is undefined; expected a function'],
    [{ tls: {} }, {}, "tls is an object; expected an address that begins with 'https://'"],
    [
      { address: 'https://c', tls: { cert: pem } },
      {},
      'tls.cert is not acceptable (its value is not shown); expected both',
    ],
    [
      { address: 'https://c', tls: { keyFile: '/k' } },
      {},
      'tls.cert is undefined; expected both a certificate and its key',
    ],
    [{ address: 'https://c', tls: { ca: '/etc/ca.pem' } }, {}, 'tls.ca is not acceptable'],
    [{ address: 'https://c', tls: { key: pem, keyFile: '/k' } }, {}, 'tls.keyFile is "/k"; expected either'],
    [{ address: 'https://c', tls: { serverName: 'x' } }, {}, 'tls.serverName is "x"; expected one of the options ca'],
    [{}, { CONSUL_HTTP_ADDR: 'tcp://x' }, 'CONSUL_HTTP_ADDR is "tcp://x"'],
    [{}, { CONSUL_HTTP_SSL: 'yes' }, 'CONSUL_HTTP_SSL is "yes"; expected one of 1, t'],
    [{}, { CONSUL_HTTP_SSL_VERIFY: 'no' }, 'CONSUL_HTTP_SSL_VERIFY is "no"'],
    [{}, { CONSUL_HTTP_TOKEN: 'ä' }, 'CONSUL_HTTP_TOKEN is not acceptable'],
    [{}, { CONSUL_HTTP_AUTH: ':x' }, 'CONSUL_HTTP_AUTH is not acceptable'],
    [{}, { CONSUL_CLIENT_CERT: '/c' }, 'CONSUL_CLIENT_KEY is undefined; expected the key of CONSUL_CLIENT_CERT'],
    [{}, { CONSUL_CLIENT_KEY: '/c' }, 'CONSUL_CLIENT_CERT is undefined'],
  ])('%j %j', (options, variables, message) => {
    expect(() => resolve(options, variables)).toThrow(
      expect.objectContaining({
        code: 'PROCONSUL_INVALID_OPTION',
        message: expect.stringContaining(message) as string,
      }),
    )
  })
})

it('what is resolved shows no secret when it is printed', () => {
  const resolved = resolve({
    address: 'https://c',
    token: 'hunter2',
    auth: 'admin:hunter2',
    tls: { passphrase: 'hunter2' },
  })
  expect(inspect(resolved, { depth: 9, showHidden: true })).not.toContain('hunter2')
  expect(JSON.stringify(resolved)).not.toContain('hunter2')
})

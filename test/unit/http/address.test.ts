import { describe, expect, it } from 'vitest'
import { parseAddress } from '../../../src/http/address.js'

describe('an address, read as the tools of Consul read it', () => {
  it.each([
    ['127.0.0.1:8500', { type: 'tcp', authority: '127.0.0.1:8500', prefix: '' }],
    ['consul.internal', { type: 'tcp', authority: 'consul.internal', prefix: '' }],
    ['http://127.0.0.1:8500', { type: 'tcp', scheme: 'http', authority: '127.0.0.1:8500', prefix: '' }],
    ['https://consul.internal', { type: 'tcp', scheme: 'https', authority: 'consul.internal', prefix: '' }],
    ['http://[::1]:8500', { type: 'tcp', scheme: 'http', authority: '[::1]:8500', prefix: '' }],
    ['[::1]:8500', { type: 'tcp', authority: '[::1]:8500', prefix: '' }],
    ['http://gateway/consul/eu/', { type: 'tcp', scheme: 'http', authority: 'gateway', prefix: '/consul/eu' }],
    ['http://127.0.0.1:8500/', { type: 'tcp', scheme: 'http', authority: '127.0.0.1:8500', prefix: '' }],
    ['unix:///var/run/consul.sock', { type: 'unix', socketPath: '/var/run/consul.sock' }],
    ['unix://relative.sock', { type: 'unix', socketPath: 'relative.sock' }],
  ])('%s', (text, expected) => {
    expect(parseAddress('CONSUL_HTTP_ADDR', text)).toEqual(expected)
  })

  it.each([
    '',
    'HTTP://127.0.0.1:8500',
    'tcp://127.0.0.1:8500',
    'http://',
    'http:// spaced',
    'http://host:port',
    'http://host:99999',
    'http://host:8500?x=1',
    'host:8500/prefix',
    '::1',
    'unix://',
  ])('refuses %j, naming the variable', (text) => {
    expect(() => parseAddress('CONSUL_HTTP_ADDR', text)).toThrow(
      expect.objectContaining({
        code: 'PROCONSUL_INVALID_OPTION',
        message: expect.stringMatching(/^CONSUL_HTTP_ADDR is .*; expected /) as string,
      }),
    )
  })

  it.each(['http://admin:hunter2@127.0.0.1:8500', 'admin:hunter2@127.0.0.1:8500'])(
    'refuses a password in %s without showing it',
    (text) => {
      expect(() => parseAddress('address', text)).toThrow(/belong in `auth` or CONSUL_HTTP_AUTH/)
      expect(() => parseAddress('address', text)).not.toThrow(/hunter2/)
    },
  )
})

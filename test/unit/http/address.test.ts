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
    'unix://',
    'http://:8500',
    'http://[::1:8500',
    'http://[::1]8500',
    'http://[fe80::1%eth0]:8500',
    'fe80::1%eth0:8500',
    'a:b:c',
  ])('refuses %j, naming the variable', (text) => {
    expect(() => parseAddress('CONSUL_HTTP_ADDR', text)).toThrow(
      expect.objectContaining({
        code: 'PROCONSUL_INVALID_OPTION',
        message: expect.stringMatching(/^CONSUL_HTTP_ADDR is .*; expected /) as string,
      }),
    )
  })

  it.each([
    ['http://fd00::2:8500', 'http://[fd00::2]:8500'],
    ['https://fd00::2:8501', 'https://[fd00::2]:8501'],
    ['fd00::2:8500', 'http://[fd00::2]:8500'],
    ['http://2001:db8:0:0:0:0:0:1:8500', 'http://[2001:db8:0:0:0:0:0:1]:8500'],
    ['http://2001:db8:0:0:0:0:0:1', 'http://[2001:db8:0:0:0:0:0:1]:8500'],
    ['http://fd00::2:8500/prefix', 'http://[fd00::2]:8500'],
    ['http://::ffff:10.0.0.1:18500', 'http://[::ffff:10.0.0.1]:18500'],
    ['::1', 'http://[::1]:8500'],
    ['http://fd00::2', 'http://[fd00::2]:8500'],
    ['http://fd00::2:1000', 'http://[fd00::2:1000]:8500'],
  ])('refuses %s, and says where the brackets belong', (text, meant) => {
    expect(() => parseAddress('CONSUL_HTTP_ADDR', text)).toThrow(
      `CONSUL_HTTP_ADDR is ${JSON.stringify(text)}; expected an IPv6 address in brackets, such as '${meant}'`,
    )
  })

  it.each(['http://$(HOST_IP):8500', 'http://${NOMAD_IP_http}', '{{host}}:8500', '$(HOST_IP):8500'])(
    'refuses %s, in which a variable was not replaced, and says so',
    (text) => {
      expect(() => parseAddress('address', text)).toThrow('a variable in it was not replaced: is it set?')
    },
  )

  it.each(['http://admin:hunter2@127.0.0.1:8500', 'admin:hunter2@127.0.0.1:8500'])(
    'refuses a password in %s without showing it',
    (text) => {
      expect(() => parseAddress('address', text)).toThrow(/belong in `auth` or CONSUL_HTTP_AUTH/)
      expect(() => parseAddress('address', text)).not.toThrow(/hunter2/)
    },
  )
})

import { describe, expect, it } from 'vitest'
import { checkHostPort, checkUrl } from '../../../../src/registration/definition/check-target.js'

const refusal = (message: RegExp): unknown =>
  expect.objectContaining({ code: 'PROCONSUL_INVALID_OPTION', message: expect.stringMatching(message) as string })

describe('the URL of a check', () => {
  it.each([
    'http://localhost:3000/health',
    'https://10.0.0.1',
    'HTTP://orders.internal/healthz?full#x',
    'http://[::1]:3000/',
    'http://0.0.0.0:3000/',
    'http://user:secret@10.0.0.1/',
    'http://my_service:80/',
  ])('may be %s', (url) => {
    expect(checkUrl('check.url', url)).toBe(url)
  })

  it.each<[unknown, RegExp]>([
    ['http://${NOMAD_IP_http}:3000/health', /variable/],
    ['http://$(POD_IP)/', /variable/],
    ['http://%{POD_IP}/', /variable/],
    ['http://{{ip}}:80/', /variable/],
    ['http://undefined:3000/', /a value that was missing/],
    ['http://null/', /a value that was missing/],
    ['http://a,b/', /not a list/],
    ['http://10.0.0.1,10.0.0.2/', /begins with http/],
    ['http://-a/', /./],
    ['localhost:3000', /begins with http/],
    ['tcp://localhost', /begins with http/],
    ['/health', /begins with http/],
    ['http://', /begins with http/],
    ['http://10.0.0.256/', /begins with http/],
    ['', /begins with http/],
    [undefined, /begins with http/],
  ])('is not %j', (url, hint) => {
    expect(() => checkUrl('check.url', url)).toThrow(refusal(/^check\.url is /))
    expect(() => checkUrl('check.url', url)).toThrow(hint)
  })
})

describe('the host and port of a check', () => {
  it.each(['localhost:1', '10.0.0.1:65535', '[::1]:80', '[fe80::1%eth0]:80', '0.0.0.0:80', 'my_service:80'])(
    'may be %s',
    (address) => {
      expect(checkHostPort('check.address', address, 'host:port')).toBe(address)
      expect(checkHostPort('check.address', `${address}/service`, 'host:port/service')).toBe(`${address}/service`)
    },
  )

  it.each<[unknown, RegExp]>([
    ['localhost', /'host:port'$/],
    ['localhost:0', /'host:port'$/],
    ['localhost:65536', /'host:port'$/],
    ['localhost:http', /'host:port'$/],
    [':80', /'host:port'$/],
    ['a b:80', /'host:port'$/],
    ['fd00::1:80', /an IPv6 address in brackets$/],
    ['::1', /an IPv6 address in brackets$/],
    ['[localhost]:80', /'host:port'$/],
    ['[::1]', /'host:port'$/],
    ['localhost:80/service', /'host:port'$/],
    ['${POD_IP}:80', /variable/],
    ['$(POD_IP):80', /variable/],
    ['${POD_IP}:${PORT}', /variable/],
    ['undefined:80', /a value that was missing$/],
    ['10.0.0.1,10.0.0.2:80', /not a list$/],
    ['0:80', /'host:port'$/],
    ['http://localhost:80', /'host:port'$/],
    [80, /'host:port'$/],
  ])('is not %j', (address, hint) => {
    expect(() => checkHostPort('check.address', address, 'host:port')).toThrow(refusal(/^check\.address is /))
    expect(() => checkHostPort('check.address', address, 'host:port')).toThrow(hint)
  })
})

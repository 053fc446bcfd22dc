import { describe, expect, it } from 'vitest'
import { checkAddress, hostFault, isLoopback } from '../../../../src/registration/identity/address.js'

describe('the address of a service', () => {
  it.each([
    '10.0.0.1',
    '169.254.1.1',
    '223.255.255.255',
    'fd00::1',
    '2001:db8:0:0:0:0:0:1',
    '::ffff:10.0.0.1',
    'orders',
    'orders.internal.',
    'my_service',
    'ip-10-0-0-1.eu-1.compute.internal',
    '3com.example',
    'xn--bcher-kva.example',
    'localhost',
    '127.0.0.1',
  ])('is %s, as it is given', (address) => {
    expect(checkAddress('address', address)).toBe(address)
  })

  it('is an IPv6 address without the brackets that URLs put around it', () => {
    expect(checkAddress('address', '[2001:db8::1]')).toBe('2001:db8::1')
  })

  it.each<[unknown, string]>([
    ['0.0.0.0', 'not one to listen on'],
    ['0.1.2.3', 'not one to listen on'],
    ['::', 'not one to listen on'],
    ['[::]', 'not one to listen on'],
    ['0:0:0:0:0:0:0:0', 'not one to listen on'],
    ['::0.0.0.0', 'not one to listen on'],
    ['::ffff:0.0.0.0', 'not one to listen on'],
    ['fe80::1%eth0', 'without a zone'],
    ['[fe80::1%eth0]', 'without a zone'],
    ['fe80::1', 'one link only'],
    ['febf::1', 'one link only'],
    ['224.0.0.1', 'not one of many hosts'],
    ['255.255.255.255', 'not one of many hosts'],
    ['ff02::1', 'not one of many hosts'],
    ['10.0.0.1,fd00::1', 'not a list'],
    ['10.0.0.1 172.17.0.1', 'not a list'],
    ['10.0.0.1:3000', 'without a port'],
    ['orders:3000', 'without a port'],
    ['[fd00::1]:3000', 'without a port'],
    ['http://10.0.0.1', 'without a scheme'],
    ['10.0.0.1/24', 'without the length of a prefix'],
    ['fd00::1/64', 'without the length of a prefix'],
    ['${NOMAD_IP_http}', 'variable'],
    ['$(POD_IP)', 'variable'],
    ['$POD_IP', 'variable'],
    ['%{POD_IP}', 'variable'],
    ['{{ .PodIP }}', 'variable'],
    ['%POD_IP%', 'variable'],
    ['undefined', 'a value that was missing'],
    ['null', 'a value that was missing'],
    ['NaN', 'a value that was missing'],
    ['None', 'a value that was missing'],
    ['0', ''],
    ['1', ''],
    ['10.1', ''],
    ['0x7f000001', ''],
    ['10.0.0.256', ''],
    ['1.2.3.4.5', ''],
    ['host.123', ''],
    ['', ''],
    [' ', ''],
    [' 10.0.0.1', ''],
    ['10.0.0.1\n', ''],
    ['.', ''],
    ['a..b', ''],
    ['-a', ''],
    ['a-', ''],
    ['a/b', ''],
    ['[orders]', ''],
    ['[10.0.0.1]', ''],
    ['[fd00::1', ''],
    ['fd00:::1', ''],
    ['<no value>', 'a value that was missing'],
    ['bücher.example', ''],
    [`${'a'.repeat(64)}.example`, ''],
    [`${'a.'.repeat(127)}a`, ''],
    [undefined, ''],
    [null, ''],
    [10, ''],
    [{}, ''],
  ])('is not %j, which nobody could call', (address, hint) => {
    const refused = (): unknown => checkAddress('address', address)
    const ending = hint === '' ? '' : `, .*${hint}.*`
    expect(refused).toThrow(expect.objectContaining({ code: 'PROCONSUL_INVALID_OPTION' }))
    expect(refused).toThrow(
      new RegExp(
        `^address is .*; expected one IP address or host name by which others reach the service${ending}$`,
        's',
      ),
    )
  })
})

describe('the form of a host', () => {
  it.each(['0.0.0.0', 'fe80::1%eth0', 'ff02::1', 'localhost', 'a.b'])('may be %s, which is not everybody’s', (host) => {
    expect(hostFault(host)).toBeUndefined()
  })
})

describe('isLoopback', () => {
  it.each([
    'localhost',
    'LOCALHOST',
    '127.0.0.1',
    '127.9.9.9',
    '::1',
    '[::1]',
    '0:0:0:0:0:0:0:1',
    '::ffff:127.0.0.1',
    '[::ffff:7f00:1]',
    '0.0.0.0',
    '[::]',
    '::ffff:0.0.0.0',
  ])('knows %s as the host itself', (host) => {
    expect(isLoopback(host)).toBe(true)
  })

  it.each([
    '10.0.0.1',
    '128.0.0.1',
    'localhost.example',
    'mylocalhost',
    '::2',
    'fd00::1',
    '1127.0.0.1',
    '::ffff:8.8.8.8',
  ])('takes %s for another one', (host) => {
    expect(isLoopback(host)).toBe(false)
  })
})

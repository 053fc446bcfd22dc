import { describe, expect, it } from 'vitest'
import { instanceUrl } from '../../../src/instances/instance-url.js'
import { defineInstance } from '../../../src/instances/service-instance.js'

const at = (address: string, port = 3_000) =>
  defineInstance({ id: 'a', name: 'web', address, port, ports: { http: 8_080, metrics: 9_090 } })

describe('the URL of an instance', () => {
  it.each([
    ['10.0.0.1', 'http://10.0.0.1:3000'],
    ['web.internal', 'http://web.internal:3000'],
    ['fd00::1', 'http://[fd00::1]:3000'],
    ['::1', 'http://[::1]:3000'],
    ['::ffff:10.0.0.1', 'http://[::ffff:10.0.0.1]:3000'],
  ])('at %s is %s, and can be parsed', (address, url) => {
    expect(instanceUrl(at(address))).toBe(url)
    expect(new URL(url).port).toBe('3000')
  })

  it.each([
    ['/users', '/users'],
    ['users', '/users'],
    ['/', '/'],
    ['', ''],
    ['/a/b?c=d#e', '/a/b?c=d#e'],
    ['?all=1', '?all=1'],
    ['#top', '#top'],
    ['//evil.example/x', '//evil.example/x'],
    ['@evil.example/x', '/@evil.example/x'],
    ['0/x', '/0/x'],
    [':1/x', '/:1/x'],
  ])('with the path %j ends in %j, and stays at its host and port', (path, end) => {
    const url = instanceUrl(at('10.0.0.1'), path)
    expect(url).toBe(`http://10.0.0.1:3000${end}`)
    expect(new URL(url).host).toBe('10.0.0.1:3000')
  })

  it.each([
    ['https', 'https://10.0.0.1:3000/x'],
    ['https:', 'https://10.0.0.1:3000/x'],
    ['ws://', 'ws://10.0.0.1:3000/x'],
    ['grpc+tls', 'grpc+tls://10.0.0.1:3000/x'],
  ])('with the protocol %s is %s', (protocol, url) => {
    expect(instanceUrl(at('10.0.0.1'), '/x', { protocol })).toBe(url)
  })

  it('has the port that is asked for, by name or number', () => {
    expect(instanceUrl(at('10.0.0.1'), '', { port: 'metrics' })).toBe('http://10.0.0.1:9090')
    expect(instanceUrl(at('10.0.0.1'), '', { port: 1 })).toBe('http://10.0.0.1:1')
    expect(instanceUrl(at('10.0.0.1'), '', { port: 65_535 })).toBe('http://10.0.0.1:65535')
  })

  it.each([
    [
      { port: 'grpc' },
      /port is "grpc"; expected a port of the instance "a", whose ports are http, metrics, or a number/,
    ],
    [{ port: 'toString' }, /port is "toString"/],
    [{ port: 0 }, /port is 0/],
    [{ port: 65_536 }, /port is 65536/],
    [{ protocol: '' }, /protocol is ""/],
    [{ protocol: 'ht tp' }, /protocol is "ht tp"/],
    [{ protocol: '1x' }, /protocol is "1x"/],
    [{ prot: 'x' }, /options\.prot/],
    [null, /options is null/],
  ])('is refused with %j', (options, message) => {
    expect(() => instanceUrl(at('10.0.0.1'), '', options as never)).toThrow(message)
  })

  it('is refused for a path that is no text, and for an instance without a port', () => {
    expect(() => instanceUrl(at('10.0.0.1'), 5 as never)).toThrow(/path is 5/)
    expect(() => instanceUrl(at('10.0.0.1', 0))).toThrow(/port is undefined/)
    const bare = defineInstance({ id: 'a', name: 'web', address: 'x', port: 0 })
    expect(() => instanceUrl(bare)).toThrow(/which has no named ports/)
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkKey, checkPrefix, keyPath } from '../../../src/api/kv-key.js'

describe('keys that not every Consul treats alike', () => {
  it.each([
    ['', /non-empty/],
    ['/a', /leading "\/"/],
    ['a//b', /without "\/\/"/],
    ['a/./b', /"\.\."/],
    ['.', /"\.\."/],
    ['..', /"\.\."/],
    ['a/../b', /"\.\."/],
    ['../a', /"\.\."/],
    ['a/..', /"\.\."/],
    ['a/%2e%2e/b', /"\.\."/],
    ['a/%2E./b', /"\.\."/],
    ['..%2F..%2Fetc%2Fpasswd', /"\.\."/],
    ['a/..\\b', /"\.\."/],
    ['a/..%5cb', /"\.\."/],
    [' a', /spaces at its ends/],
    ['a ', /spaces at its ends/],
    ['\u00a0a', /spaces at its ends/],
    ['a\u0000b', /printable/],
    ['a\nb', /printable/],
    ['a\tb', /printable/],
    ['a\u007fb', /printable/],
    ['a\u0085b', /printable/],
    ['a\u2028b', /printable/],
    ['a\ud800b', /printable/],
    ['zero\u200bwidth', /printable/],
    ['right\u202eto-left', /printable/],
    ['no\u00a0break', /printable/],
    [42, /a string/],
    [undefined, /a string/],
  ])('refuses %j before anything is sent', (key, message) => {
    expect(() => checkKey('key', key)).toThrow(message)
    expect(() => checkKey('key', key)).toThrow(expect.objectContaining({ code: 'PROCONSUL_INVALID_OPTION' }))
  })

  it.each(['a', 'a/', 'a/b c', 'a..b', '...', 'a/.b', 'ü/€/😀', '?#%+;"\\:&=', 'a%2Fb', 'a%zz', "it's(~*)!"])(
    'accepts %j',
    (key) => {
      expect(checkKey('key', key)).toBe(key)
    },
  )

  it('accepts an empty prefix', () => {
    expect(checkPrefix('prefix', '')).toBe('')
    expect(() => checkPrefix('prefix', '/')).toThrow(/leading/)
  })
})

describe('the path of a key', () => {
  it('keeps the slashes and encodes the rest', () => {
    expect(keyPath('config/my app/ü?#%/')).toBe('/kv/config/my%20app/%C3%BC%3F%23%25/')
  })

  it('leads back to the key whatever it holds', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (key) => {
        let checked: string
        try {
          checked = checkKey('key', key)
        } catch {
          return
        }
        const { pathname } = new URL(`http://agent/v1${keyPath(checked)}`)
        expect(pathname.slice('/v1/kv/'.length).split('/').map(decodeURIComponent).join('/')).toBe(key)
      }),
    )
    // To make the source of such texts takes fast-check seconds on a busy machine.
  }, 60_000)
})

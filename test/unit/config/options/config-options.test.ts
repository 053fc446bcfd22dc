import { describe, expect, it } from 'vitest'
import { resolveConfigOptions } from '../../../../src/config/options/config-options.js'

function paths(options: object): unknown {
  return resolveConfigOptions(options as never).layers.map(({ path, optional }) => (optional ? `${path}?` : path))
}

describe('the layers', () => {
  it.each<[object, string[]]>([
    [{ layers: ['a', 'b/c/'] }, ['a', 'b/c']],
    [{ layers: ['a', 'b'], optional: ['b/'] }, ['a', 'b?']],
    [{ layers: ['a', 'b'], optional: true }, ['a?', 'b?']],
    [{ layers: ['a'], defaults: {} }, ['a?']],
    [{ layers: ['a'], defaults: {}, optional: false }, ['a']],
    [{ layers: { application: 'x' } }, ['config/application?', 'config/x?']],
    [{ layers: { application: 'x' }, optional: false }, ['config/application', 'config/x']],
    [{ layers: { application: 'x' }, optional: ['config/application'] }, ['config/application?', 'config/x']],
    [
      { layers: { application: 'x', profiles: ['p', 'q'], prefix: 'prod/config/' } },
      ['application', 'application,p', 'application,q', 'x', 'x,p', 'x,q'].map((name) => `prod/config/${name}?`),
    ],
    [{ layers: { application: 'application' } }, ['config/application?']],
  ])('of %j are %j', (options, expected) => {
    expect(paths(options)).toEqual(expected)
  })
})

describe('the guard', () => {
  it.each<[object, number]>([
    [{}, 60_000],
    [{ lossGuard: {} }, 60_000],
    [{ lossGuard: { hold: '5s' } }, 5_000],
    [{ lossGuard: false }, 0],
  ])('of %j holds for %i ms', (options, holdMs) => {
    expect(resolveConfigOptions({ layers: ['a'], ...options }).holdMs).toBe(holdMs)
  })
})

describe('options that are refused', () => {
  it.each<[object, RegExp]>([
    [{}, /layers is undefined/],
    [{ layers: [] }, /1 to 64 keys/],
    [{ layers: Array.from({ length: 65 }, (_, index) => `${index}`) }, /1 to 64 keys/],
    [{ layers: ['a', 'a/'] }, /each layer once/],
    [{ layers: ['a', 7] }, /layers\[1\]/],
    [{ layers: ['/a'] }, /leading/],
    [{ layers: ['a/../b'] }, /"\.\."/],
    [{ layers: [''] }, /layers\[0\]/],
    [{ layers: ['/'] }, /layers\[0\]/],
    [{ layers: { application: 'a/b' } }, /without "\/" and ","/],
    [{ layers: { application: 'a,prod' } }, /without "\/" and ","/],
    [{ layers: { application: '..' } }, /"\.\."/],
    [{ layers: { application: 'a', profiles: ['p/../../x'] } }, /layers\.profiles\[0\]/],
    [{ layers: { application: 'a', prefix: '../other' } }, /"\.\."/],
    [{ layers: { application: 'a', profile: 'p' } }, /layers\.profile/],
    [{ layers: ['a'], optional: ['b'] }, /one of the layers a/],
    [{ layers: ['a'], format: 'xml' }, /format is "xml"/],
    [{ layers: ['a'], coerce: 1 }, /coerce/],
    [{ layers: ['a'], interpolate: 'yes' }, /interpolate/],
    [{ layers: ['a'], defaults: [] }, /defaults/],
    [{ layers: ['a'], defaults: { x: { y: () => 1 } } }, /defaults\.x\.y/],
    [{ layers: ['a'], schema: {} }, /Standard Schema/],
    [{ layers: ['a'], secrets: ['a..b'] }, /secrets\[0\]/],
    [{ layers: ['a'], beforeApply: 'x' }, /beforeApply/],
    [{ layers: ['a'], beforeApply: [1] }, /beforeApply\[0\]/],
    [{ layers: ['a'], debounce: -1 }, /debounce/],
    [{ layers: ['a'], timeout: 0 }, /timeout/],
    [{ layers: ['a'], lossGuard: 'long' }, /lossGuard is "long".*Did you mean \{ hold: "long" \}/],
    [{ layers: ['a'], lossGuard: 60_000 }, /Did you mean \{ hold: 60000 \}/],
    [{ layers: ['a'], lossGuard: { hold: 0 } }, /lossGuard\.hold/],
    [{ layers: ['a'], lossGuard: { share: 0.5 } }, /lossGuard\.share/],
    [{ layers: ['a'], lossGuard: true }, /lossGuard/],
    [{ layers: ['a'], startWith: 'default', defaults: {} }, /startWith is "default".*Did you mean defaults/],
    [{ layers: ['a'], startWith: 'defaults' }, /startWith.*defaults beside it/],
    [{ layers: ['a'], cacheFile: '' }, /cacheFile/],
    [{ layers: ['a'], cacheKey: Buffer.alloc(32) }, /cacheFile beside it/],
    [{ layers: ['a'], cacheFile: 'x', cacheKey: 'short' }, /32 bytes/],
    [{ layers: ['a'], datacenter: '' }, /datacenter/],
    [{ layers: ['a'], bogus: 1 }, /config\.bogus/],
  ])('%o', (options, message) => {
    expect(() => resolveConfigOptions(options as never)).toThrow(message)
    expect(() => resolveConfigOptions(options as never)).toThrow(
      expect.objectContaining({ code: 'PROCONSUL_INVALID_OPTION' }),
    )
  })

  it('never shows a key or a token', () => {
    for (const secret of [{ cacheFile: 'x', cacheKey: 'hunter2' }, { token: 7_777_777 }]) {
      expect(() => resolveConfigOptions({ layers: ['a'], ...secret } as never)).toThrow(
        expect.objectContaining({ message: expect.not.stringMatching(/hunter2|7777777/) as string }),
      )
    }
  })

  it('takes a key for the cache in three forms', () => {
    const key = Buffer.alloc(32, 200)
    for (const cacheKey of [key, key.toString('hex'), key.toString('base64')]) {
      expect(resolveConfigOptions({ layers: ['a'], cacheFile: 'x', cacheKey }).cacheKey).toEqual(key)
    }
  })
})

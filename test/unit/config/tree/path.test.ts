import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatPath, matchesAbove, parsePath } from '../../../../src/config/tree/path.js'

describe('a path', () => {
  it.each([
    [['db', 'pool', 'size'], 'db.pool.size'],
    [['servers', '0'], 'servers.0'],
    [['hosts', 'db.example.com', 'port'], 'hosts["db.example.com"].port'],
    [[''], '[""]'],
    [['a"b'], '["a\\"b"]'],
    [[], ''],
  ])('of %j is %s', (segments, text) => {
    expect(formatPath(segments)).toBe(text)
    expect(parsePath(text)).toEqual(segments)
  })

  it.each(['.a', 'a.', 'a..b', 'a[b]', 'a[0]', 'a["b', '["a"]b', 'a]'])('is not %s', (text) => {
    expect(parsePath(text)).toBeUndefined()
  })

  it('comes back from its text whatever its segments hold', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' })), (segments) => {
        expect(parsePath(formatPath(segments))).toEqual(segments)
      }),
    )
  })
})

describe('a pattern', () => {
  it.each([
    ['db.password', 'db.password', true],
    ['db.password', 'db.password.old', true],
    ['db.password', 'db', false],
    ['db.password', 'db.passwords', false],
    ['tokens.*', 'tokens.github', true],
    ['tokens.*', 'tokens.github.value', true],
    ['tokens.*', 'tokens', false],
    ['*.password', 'db.password', true],
  ])('%s for %s: %s', (pattern, path, matches) => {
    expect(matchesAbove(parsePath(pattern) ?? [], parsePath(path) ?? [])).toBe(matches)
  })
})

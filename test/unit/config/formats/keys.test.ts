import { describe, expect, it } from 'vitest'
import { KeyProblem, nestKeys } from '../../../../src/config/formats/keys.js'

function nest(entries: Readonly<Record<string, string>>): unknown {
  return nestKeys(Object.entries(entries).map(([name, value]) => ({ key: `layer/${name}`, name, tree: value })))
}

describe('keys as a tree', () => {
  it.each<[string, Record<string, string>, unknown]>([
    [
      'nested names',
      { 'db/host': 'x', 'db/pool/size': '5', top: '1' },
      { db: { host: 'x', pool: { size: '5' } }, top: '1' },
    ],
    ['lists by index', { 's/0': 'a', 's/1': 'b' }, { s: ['a', 'b'] }],
    [
      'lists whose indexes sort as text',
      Object.fromEntries(Array.from({ length: 12 }, (_, n) => [`s/${n}`, `${n}`]).sort()),
      { s: Array.from({ length: 12 }, (_, n) => `${n}`) },
    ],
    ['lists in brackets', { 's[0]': 'a', 's[1]/x': 'b' }, { s: ['a', { x: 'b' }] }],
    ['lists of lists', { 'm/0/0': '1', 'm/0/1': '2', 'm/1/0': '3' }, { m: [['1', '2'], ['3']] }],
    ['names that leave a gap, as an object', { 's/0': 'a', 's/2': 'b' }, { s: { 0: 'a', 2: 'b' } }],
    ['numbers at the top, as an object', { 0: 'a' }, { 0: 'a' }],
    ['dots as part of a name', { 'hosts/db.example.com': 'x' }, { hosts: { 'db.example.com': 'x' } }],
    ['no keys', {}, {}],
    ['empty parts that only a transaction can store', { 'a//b': '1' }, { a: { '': { b: '1' } } }],
  ])('reads %s', (_name, entries, tree) => {
    expect(nest(entries)).toEqual(tree)
  })

  it.each<[string, [string, string], string]>([
    ['a value and then a folder', ['a', 'a/b'], 'layer/a/b'],
    ['a folder and then a value', ['a/b', 'a'], 'layer/a'],
    ['a value within a value', ['a/b', 'a/b/c/d'], 'layer/a/b/c/d'],
    ['an item below a value', ['a', 'a[0]'], 'layer/a[0]'],
  ])('names the key at fault for %s', (_name, [first, second], key) => {
    const attempt = (): unknown => nest({ [first]: '1', [second]: '2' })
    expect(attempt).toThrow(KeyProblem)
    expect(attempt).toThrow(expect.objectContaining({ key }))
  })

  it.each(['__proto__', '__proto__/x', 'a/__proto__', 'a/__proto__/x', 'a/__proto__[0]'])('refuses %s', (name) => {
    const attempt = (): unknown => nest({ ok: '1', [name]: '1' })
    expect(attempt).toThrow(/__proto__/)
    expect(attempt).toThrow(expect.objectContaining({ key: `layer/${name}` }))
  })
})

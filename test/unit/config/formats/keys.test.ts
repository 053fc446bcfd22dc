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
    [
      'numbers that are names, as an object',
      { 'ports/8080': 'a', 'ports/9090': 'b' },
      { ports: { 8080: 'a', 9090: 'b' } },
    ],
    ['a number among names, as an object', { 's/0': 'a', 's/x': 'b' }, { s: { 0: 'a', x: 'b' } }],
    ['names in brackets', { 'hosts[db.example.com]': 'x' }, { hosts: { 'db.example.com': 'x' } }],
    [
      'brackets that name nothing, as they are',
      { '[0]': 'x', 'a[]': 'y', 'b]': 'z' },
      { '[0]': 'x', 'a[]': 'y', 'b]': 'z' },
    ],
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

  it.each<[string, string[], string, RegExp]>([
    ['a list with a gap', ['s/0', 's/2'], 'layer/s/2', /no item 1/],
    ['a list with a gap in brackets', ['s[0]', 's[3]'], 'layer/s[3]', /no item 1/],
    ['a list in brackets that does not begin', ['s[1]'], 'layer/s[1]', /no item 0/],
    ['a list with a gap of objects', ['a/s[0]/x', 'a/s[2]/x'], 'layer/a/s[2]/x', /no item 1/],
    ['a name among the items of a list', ['s[0]', 's/x'], 'layer/s/x', /no item of a list/],
    ['an inner list with a gap', ['m[0][0]', 'm[0][2]'], 'layer/m[0][2]', /no item 1/],
    ['two spellings of one item', ['s/0', 's[0]'], 'layer/s[0]', /gives s\.0 a second value/],
    ['two spellings of one item, the other way round', ['s[0]', 's/0'], 'layer/s/0', /gives s\.0 a second value/],
    ['two spellings of one name', ['s[x]', 's/x'], 'layer/s/x', /gives s\.x a second value/],
  ])('refuses %s and names the key', (_name, names, key, message) => {
    const attempt = (): unknown => nest(Object.fromEntries(names.map((name) => [name, '1'])))
    expect(attempt).toThrow(message)
    expect(attempt).toThrow(expect.objectContaining({ key }))
  })

  it.each(['__proto__', '__proto__/x', 'a/__proto__', 'a/__proto__/x', 'a/__proto__[0]'])('refuses %s', (name) => {
    const attempt = (): unknown => nest({ ok: '1', [name]: '1' })
    expect(attempt).toThrow(/__proto__/)
    expect(attempt).toThrow(expect.objectContaining({ key: `layer/${name}` }))
  })
})

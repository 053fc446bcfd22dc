import { describe, expect, it } from 'vitest'
import { parseProperties } from '../../../../src/config/formats/properties.js'
import { coerceText } from '../../../../src/config/tree/coerce.js'

const asText = (text: string): string => text

describe('parseProperties', () => {
  it.each<[string, string, object]>([
    ['the three separators', 'a=1\nb:2\nc 3', { a: '1', b: '2', c: '3' }],
    ['space around a separator', 'a  =  1\nb\t:\t2', { a: '1', b: '2' }],
    ['a value that begins with a separator', 'a==1\nb=:2', { a: '=1', b: ':2' }],
    ['space at the end of a value', 'a=1 ', { a: '1 ' }],
    ['comments and empty lines', '# x\n! y\n\n   \n  # z\na=1', { a: '1' }],
    ['a comment sign within a value', 'a=1#2', { a: '1#2' }],
    ['a name without a value', 'a\nb=', { a: '', b: '' }],
    ['lines that go on', 'a=1,\\\n   2,\\\n   3', { a: '1,2,3' }],
    ['a backslash that is none at the end of a line', 'a=1\\\\\nb=2', { a: '1\\', b: '2' }],
    ['a last line that would go on', 'a=1\\', { a: '1' }],
    ['escapes', 'a\\=b=c\\:d\\te\\u00fc\\n', { 'a=b': 'c:d\teü\n' }],
    ['an escape without a meaning', 'a=\\q', { a: 'q' }],
    ['nested names', 'db.pool.size=5\ndb.host=x', { db: { pool: { size: '5' }, host: 'x' } }],
    ['lists', 's[0]=a\ns[1]=b\nt[0].x=1\nt[1].x=2', { s: ['a', 'b'], t: [{ x: '1' }, { x: '2' }] }],
    ['all kinds of line ends', 'a=1\r\nb=2\rc=3', { a: '1', b: '2', c: '3' }],
    ['a name that is given twice', 'a=1\na=2', { a: '2' }],
    ['nothing', '', {}],
    ['only comments', '# x\n', {}],
    [
      'names in brackets, dots and all',
      'hosts[db.example.com]=x\nhosts[b].c=y',
      { hosts: { 'db.example.com': 'x', b: { c: 'y' } } },
    ],
    ['empty parts of a name', 'a..b=1', { a: { '': { b: '1' } } }],
  ])('reads %s', (_name, text, tree) => {
    expect(parseProperties(text, asText)).toEqual(tree)
  })

  it('makes numbers and booleans when told to', () => {
    expect(parseProperties('a=1\nb=true\nc=x', coerceText)).toEqual({ a: 1, b: true, c: 'x' })
  })

  it.each([
    ['a=1\na.b=2', /both a value at a and values below it/],
    ['a.b=2\na=1', /both a value at a and values below it/],
    ['x=1\na=\\u12', /four hex digits/],
    ['s[0]=a\ns[2]=b', /no item 1/],
    ['s[0]=a\ns.x=b', /no item of a list/],
    ['__proto__.x=1', /__proto__/],
    ['a[__proto__]=1', /__proto__/],
    ['a.__proto__=1', /__proto__/],
  ])('refuses %j', (text, message) => {
    expect(() => parseProperties(text, asText)).toThrow(message)
  })
})

it('names the line of an item before which one is missing', () => {
  expect(() => parseProperties('x=1\ns[0]=a\n\ns[2]=b', asText)).toThrow(
    expect.objectContaining({ position: { line: 4, column: 1 } }),
  )
})

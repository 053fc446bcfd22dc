import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { UsageError } from '../../../src/cli/command.js'
import { readTreeFile } from '../../../src/cli/tree-file.js'

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'proconsul-tree-'))
})

afterAll(async () => {
  await rm(folder, { recursive: true })
})

async function read(name: string, content: string | Buffer): Promise<unknown> {
  const file = join(folder, name)
  await writeFile(file, content)
  return await readTreeFile(file, io())
}

function io(input: string | Uint8Array = ''): Parameters<typeof readTreeFile>[1] {
  return { out: () => undefined, err: () => undefined, readInput: () => Promise.resolve(input) }
}

describe('a file to import', () => {
  it.each<[string, string, unknown]>([
    [
      'a.json',
      '{"version": 1.10, "id": 9007199254740993, "on": true}',
      { version: '1.10', id: '9007199254740993', on: 'true' },
    ],
    [
      'a.yaml',
      'version: 1.10\nid: 0012345678\non: 2026-11-28',
      { version: '1.10', id: '0012345678', on: '2026-11-28' },
    ],
    ['a.yml', 'db:\n  ports: [1, 2]', { db: { ports: ['1', '2'] } }],
    ['a.properties', 'a.b=1.10\ns[0]=x', { a: { b: '1.10' }, s: ['x'] }],
    ['paths.json', '{"db/host": "x", "db": {"port": 1}}', { 'db/host': 'x', db: { port: '1' } }],
    ['dots.json', '{"hosts": {"db.example.com": "x"}}', { hosts: { 'db.example.com': 'x' } }],
    ['mark.json', '\ufeff{"a": "ü"}', { a: 'ü' }],
    ['mark.properties', '\ufeffa=1', { a: '1' }],
    ['mark.yaml', '\ufeffa: 1', { a: '1' }],
    ['empty.json', '', {}],
    ['empty.yaml', '# nothing', {}],
    ['empty.properties', '', {}],
  ])('keeps each value of %s as it is written', async (name, content, tree) => {
    expect(await read(name, content)).toEqual(tree)
  })

  it.each<[string, string | Buffer, RegExp]>([
    ['infinite.json', '{"a": {"b": 1E400}}', /infinite\.json: a\.b is Infinity/],
    ['infinite.yaml', 'a: 1E400', /infinite\.yaml: a is Infinity/],
    ['null.json', '{"a": [1, null]}', /null\.json: a\.1 is null/],
    ['list.yaml', 'a: []', /list\.yaml: a is an empty list/],
    ['object.json', '{"a": {"b": {}}}', /object\.json: a\.b is an empty object/],
    ['twice.json', '{"a/b": 1, "a": {"b": 2}}', /twice\.json: a\.b is there twice/],
    ['repeated.json', '{"a": 1,\n "a": 2}', /repeated\.json:2:2 gives a name twice/],
    ['value-and-folder.json', '{"a": 1, "a/b": 2}', /has both a value at a and values below it/],
    ['folder-mark.json', '{"a": {"b/": 1}}', /a\.b/],
    ['list-like.json', '{"a": {"0": "x"}}', /a would be read back as a list/],
    ['gap.json', '{"a": {"0": "x", "2": "y"}}', /a list that has no item 1/],
    ['bracket.json', '{"a[0]": "x"}', /would be read back as a\.0/],
    ['proto.json', '{"__proto__": 1}', /__proto__/],
    ['scalar.json', '"x"', /holds neither an object nor the list/],
    ['broken.json', '{\n"a": }', /broken\.json:2:6 is not JSON/],
    ['broken.yaml', 'a: [', /broken\.yaml:1:\d+ is not YAML/],
    ['latin.properties', Buffer.from('a=é', 'latin1'), /latin\.properties is not text in UTF-8/],
    ['utf16.json', Buffer.from('\ufeff{}', 'utf16le'), /utf16\.json is not text in UTF-8/],
    ['other.txt', '', /must end in/],
  ])('is refused, naming file and place: %s', async (name, content, message) => {
    const attempt = read(name, content)
    await expect(attempt).rejects.toBeInstanceOf(UsageError)
    await expect(attempt).rejects.toThrow(message)
  })

  it('may be standard input, as bytes or as text', async () => {
    expect(await readTreeFile('-', io(Buffer.from('\ufeff{"a": 1.0}')))).toEqual({ a: '1.0' })
    expect(await readTreeFile('-', io('{"a": 1.0}'))).toEqual({ a: '1.0' })
    await expect(readTreeFile('-', io(Buffer.from([0xff])))).rejects.toThrow(/^- is not text in UTF-8/)
  })

  it('may be the list of an export, whose flags are exact', async () => {
    const list =
      '[{"key":"a","flags":18446744073709551615,"value":"eA=="},{"key":"b","flags":0,"value":""},{"key":"c"}]'
    expect(await readTreeFile('-', io(list))).toEqual([
      { key: 'a', flags: 2n ** 64n - 1n, value: 'eA==' },
      { key: 'b', flags: 0, value: '' },
      { key: 'c', flags: 0, value: '' },
    ])
    for (const bad of ['[{"key":1}]', '[{"key":"a","flags":"x"}]', '[{"key":"a","value":1}]', '[{"flags":0}]', '[1]']) {
      await expect(readTreeFile('-', io(bad))).rejects.toThrow(/^-\[0\] is not \{ key/)
    }
  })
})

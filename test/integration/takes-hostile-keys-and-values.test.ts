import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { configClient, type ConfigClient } from '../support/config-client.js'
import { startConsul, type ConsulAgent } from '../support/consul-agent.js'

let agent: ConsulAgent
let client: ConfigClient

beforeAll(async () => {
  agent = await startConsul()
  client = configClient({ address: agent.url })
})

afterAll(async () => {
  await client[Symbol.asyncDispose]()
  await agent.close()
})

/** Keys that every Consul stores as they are. */
const ODD_KEYS = [
  'plain',
  'with space inside',
  'ümlaut/ß',
  '漢字/かな',
  'emoji/😀',
  'combining/e\u0301',
  '?query=1',
  '#fragment',
  'percent%',
  'percent%20',
  'a%2Fb',
  '%00',
  'plus+plus',
  'semi;colon',
  'quote"quote',
  "single'quote",
  'back\\slash',
  'colon:colon',
  'amp&ersand',
  '<script>alert(1)</script>',
  '$(reboot)',
  '`id`',
  '{{ key "x" }}',
  '${db.password}',
  '...',
  '..a',
  'a..',
  '.hidden',
  'a/.b/..c',
  'constructor',
  'prototype/x',
  '__proto__/polluted',
  'toString',
  'hasOwnProperty',
  'length',
  '0',
  '-1',
  '1e3',
  'true',
  'null',
  '[0]',
  'a[0][1]',
  'a[b]',
  'a.b.c',
  "~*!()'",
  'recurse',
  'keys?recurse',
  'x'.repeat(1_000),
  'folder/',
]

/** Keys that some Consul stores under another name, or not at all. */
const REFUSED_KEYS = [
  '',
  '/leading',
  'a//b',
  '.',
  '..',
  'a/../b',
  'a/./b',
  '../../etc/passwd',
  '..%2F..%2Fetc',
  'a/%2e%2e/b',
  'a\\..\\b',
  ' edge',
  'edge ',
  'nul\u0000',
  'line\nfeed',
  'tab\t',
  'bell\u0007',
  'delete\u007f',
  'separator\u2028',
  'right-to-left/\u202eabc',
  'zero\u200bwidth',
  'no\u00a0break',
  'half\ud800',
]

const ODD_VALUES: readonly (string | Buffer)[] = [
  '',
  ' ',
  '\n',
  '\u0000',
  '\ufeff{"a":1}',
  '{"__proto__":{"polluted":1}}',
  '${a}',
  '${${${',
  '${a:-${a}}',
  '$${x}',
  'null',
  'undefined',
  'NaN',
  '1e999',
  '-0',
  '007',
  '9007199254740993',
  '<![CDATA[',
  "'; DROP TABLE x; --",
  'x'.repeat(100_000),
  '😀'.repeat(1_000),
  Buffer.from([0xff, 0xfe, 0x00]),
  Buffer.from([0xc3, 0x28]),
  Buffer.from([0x80]),
  Buffer.alloc(1_000, 0),
]

describe('odd keys', () => {
  it.each(ODD_KEYS.map((key) => [key]))('%j is stored and found under its own name', async (key) => {
    const name = `odd/${key}`
    expect(await client.kv.set(name, `of ${key}`)).toBe(true)
    expect(await client.kv.get(name)).toMatchObject({ key: name, value: `of ${key}` })
    expect(await client.kv.keys(name)).toContain(name)
    expect(await client.kv.delete(name)).toBe(true)
    expect(await client.kv.get(name)).toBeUndefined()
  })

  it.each(REFUSED_KEYS.map((key) => [key]))('%j is refused before anything is sent', async (key) => {
    for (const attempt of [client.kv.get(key), client.kv.set(key, 'x'), client.kv.delete(key)]) {
      await expect(attempt).rejects.toMatchObject({ code: 'PROCONSUL_INVALID_OPTION' })
    }
  })
})

describe('odd values', () => {
  it.each(ODD_VALUES.map((value, index) => [index, value] as const))(
    'number %i comes back byte by byte',
    async (index, value) => {
      await client.kv.set(`value/${index}`, value)
      expect((await client.kv.get(`value/${index}`, { encoding: 'buffer' }))?.value).toEqual(Buffer.from(value))
      const result = await client.kv.transaction([{ type: 'get', key: `value/${index}` }], { encoding: 'buffer' })
      expect(result.committed && result.entries[0]?.value).toEqual(Buffer.from(value))
    },
  )
})

describe('a configuration that someone fills with odd keys and values', () => {
  it.each(['keys', 'json', 'yaml', 'properties'] as const)(
    'of %s keeps its last good value and is never polluted',
    async (format) => {
      const root = `hostile-${format}`
      const good = { keys: '1', json: '{"a":1}', yaml: 'a: 1', properties: 'a=1' }[format]
      await client.kv.set(`${root}/a`, good)
      const settings = await client.config.open({ layers: [root], format, debounce: 0, interpolate: true })
      const before = JSON.stringify(settings.value)
      // The news may be here before the answer to the write.
      const heard = new Promise<void>((resolve) => {
        settings.once('rejected', () => resolve())
        settings.once('change', () => resolve())
      })
      await client.kv.set(`${root}/__proto__/polluted`, '{"__proto__":{"polluted":1}}')
      await heard
      expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
      if (settings.rejection !== undefined) expect(JSON.stringify(settings.value)).toBe(before)
      await settings.close()
    },
  )
})

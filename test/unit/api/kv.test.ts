import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { KvApi } from '../../../src/api/kv.js'
import { ScriptedHttp, type ScriptedAnswer } from './scripted-http.js'

function kvApi(...answers: ScriptedAnswer[]): { http: ScriptedHttp; kv: KvApi } {
  const http = new ScriptedHttp(...answers)
  return { http, kv: new KvApi(http) }
}

function entry(fields: string): string {
  return `[{"LockIndex":2,"Key":"a","Flags":0,"Value":"eA==","CreateIndex":3,"ModifyIndex":4${fields}}]`
}

describe('KvApi reads', () => {
  it('gives an entry complete, with the index of the answer', async () => {
    const { kv, http } = kvApi({ body: entry(',"Session":"s"'), index: 9 })
    expect(await kv.get('a')).toEqual({
      value: { key: 'a', value: 'x', flags: 0, createIndex: 3, modifyIndex: 4, lockIndex: 2, session: 's' },
      meta: { index: 9 },
    })
    expect(http.last).toMatchObject({ method: 'GET', path: '/kv/a', idempotent: true })
  })

  it('takes a missing key as an answer with an index', async () => {
    const { kv } = kvApi({ status: 404, index: 7 })
    expect(await kv.get('a')).toEqual({ value: undefined, meta: { index: 7 } })
    expect(await kv.list('a/')).toEqual({ value: [], meta: { index: 7 } })
    expect(await kv.keys('a/')).toEqual({ value: [], meta: { index: 7 } })
  })

  it('gives bytes exactly, and an empty value as empty', async () => {
    const binary = Buffer.from([0, 255, 128, 10])
    const { kv } = kvApi({ body: `[{"Key":"a","Value":"${binary.toString('base64')}"},{"Key":"b","Value":null}]` })
    const { value } = await kv.list('', { encoding: 'buffer' })
    expect(value.map((each) => each.value)).toEqual([binary, Buffer.alloc(0)])
    expect((await kv.list('', { encoding: 'base64' })).value.map((each) => each.value)).toEqual(['AP+ACg==', ''])
  })

  it('decodes every text and every run of bytes as a Buffer does', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.uint8Array(), fc.string({ unit: 'grapheme' })), async (value) => {
        const bytes = Buffer.from(value)
        const { kv } = kvApi({ body: JSON.stringify([{ Key: 'a', Value: bytes.toString('base64') }]) })
        expect((await kv.get('a')).value?.value).toBe(bytes.toString('utf8'))
        expect((await kv.get('a', { encoding: 'buffer' })).value?.value).toEqual(bytes)
      }),
    )
  })

  it('keeps all 64 bits of the flags', async () => {
    const body = `[{"Key":"a\\"Flags\\":18446744073709551615","Flags": 18446744073709551615},{"Key":"b","Flags":9007199254740991}]`
    const { kv } = kvApi({ body })
    const { value } = await kv.list('')
    expect(value.map(({ key, flags }) => [key, flags])).toEqual([
      ['a"Flags":18446744073709551615', 18446744073709551615n],
      ['b', 9007199254740991],
    ])
  })

  it('asks with the options of a read', async () => {
    const { kv, http } = kvApi({ body: '[]' })
    await kv.keys('a/', { separator: '/', stale: true, index: 5, wait: '1m' })
    expect(http.last.query).toMatchObject({ keys: true, separator: '/', stale: true, index: 5, wait: '60s' })
    await kv.list('a b/')
    expect(http.last).toMatchObject({ path: '/kv/a%20b/', query: { recurse: true } })
  })

  it('refuses an unknown encoding', async () => {
    await expect(kvApi().kv.get('a', Object.assign({}, { encoding: 'latin1' }) as never)).rejects.toThrow(/encoding/)
  })
})

describe('KvApi writes', () => {
  it('sends text as UTF-8 and says whether it was written', async () => {
    const { kv, http } = kvApi({ body: 'true\n' }, { body: 'false' })
    expect(await kv.set('a', 'ü', { flags: 2n ** 63n })).toBe(true)
    expect(http.last).toMatchObject({ method: 'PUT', idempotent: true, query: { flags: 2n ** 63n } })
    expect(http.last.body).toEqual(Buffer.from('ü'))
    expect(await kv.set('a', new Uint8Array([0, 255]), { cas: 0 })).toBe(false)
    expect(http.last.body).toEqual(Buffer.from([0, 255]))
  })

  it.each([{ cas: 0 }, { cas: 5 }, { acquire: 's' }, { release: 's' }])(
    'never lets a write with %j be repeated',
    async (condition) => {
      const { kv, http } = kvApi({ body: 'true' })
      await kv.set('a', 'x', condition)
      expect(http.last).toMatchObject({ idempotent: false, query: condition })
    },
  )

  it.each([
    [{ cas: 1, acquire: 's' }, /acquire is "s"; expected only one of cas and acquire/],
    [{ cas: -1 }, /cas is -1/],
    [{ cas: 1.5 }, /cas is 1.5/],
    [{ flags: -1 }, /flags is -1/],
    [{ flags: 2 ** 53 }, /bigint/],
    [{ flags: 2n ** 64n }, /2\^64/],
    [{ acquire: '' }, /acquire/],
  ])('refuses %o before sending', async (options, message) => {
    const { kv, http } = kvApi()
    await expect(kv.set('a', 'x', options)).rejects.toThrow(message)
    expect(http.requests).toEqual([])
  })

  it('refuses a value over 512 KiB and one that is neither text nor bytes', async () => {
    const { kv, http } = kvApi({ body: 'true' })
    await expect(kv.set('a', 'ü'.repeat(262_145))).rejects.toThrow(/524290 bytes.*at most 524288/)
    await expect(kv.set('a', { a: 1 } as never)).rejects.toThrow(/JSON text/)
    expect(http.requests).toEqual([])
    expect(await kv.set('a', 'x'.repeat(524_288))).toBe(true)
  })

  it('deletes a key, also under a condition, but not under one that can never hold', async () => {
    const { kv, http } = kvApi({ body: 'true' })
    expect(await kv.delete('a')).toBe(true)
    expect(http.last).toMatchObject({ method: 'DELETE', idempotent: true })
    await kv.delete('a', { cas: 5 })
    expect(http.last).toMatchObject({ idempotent: false, query: { cas: 5 } })
    await expect(kv.delete('a', { cas: 0 })).rejects.toThrow(/cas is 0/)
  })

  it('deletes everything only when told so', async () => {
    const { kv, http } = kvApi({ body: 'true' })
    await expect(kv.deleteTree('')).rejects.toThrow(/everything: true/)
    expect(http.requests).toEqual([])
    await kv.deleteTree('', { everything: true })
    expect(http.last).toMatchObject({ method: 'DELETE', path: '/kv/', query: { recurse: true } })
  })
})

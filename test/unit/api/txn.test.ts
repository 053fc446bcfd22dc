import { describe, expect, it } from 'vitest'
import { TxnApi, type TxnOperation } from '../../../src/api/txn.js'
import { ScriptedHttp, type ScriptedAnswer } from './scripted-http.js'

function txnApi(...answers: ScriptedAnswer[]): { http: ScriptedHttp; txn: TxnApi } {
  const http = new ScriptedHttp(...answers)
  return { http, txn: new TxnApi(http) }
}

const EMPTY = { body: '{"Results":[],"Errors":null}' }

describe('TxnApi', () => {
  it('sends each step in the words of the wire', async () => {
    const { http, txn } = txnApi(EMPTY)
    await txn.run([
      { type: 'set', key: 'a', value: 'x', flags: 2n ** 64n - 1n },
      { type: 'cas', key: 'b', value: new Uint8Array([255]), index: 0 },
      { type: 'lock', key: 'c', value: '', session: 's' },
      { type: 'unlock', key: 'c', value: '', session: 's', flags: 1 },
      { type: 'check-index', key: 'd', index: 4 },
      { type: 'check-session', key: 'd', session: 's' },
      { type: 'delete-tree', prefix: 'e/' },
      { type: 'delete-cas', key: 'f', index: 5 },
      { type: 'delete', key: 'g' },
    ])
    expect(String(http.last.body)).toBe(
      '[' +
        '{"KV":{"Verb":"set","Key":"a","Value":"eA==","Flags":18446744073709551615}},' +
        '{"KV":{"Verb":"cas","Key":"b","Value":"/w==","Index":0}},' +
        '{"KV":{"Verb":"lock","Key":"c","Value":"","Session":"s"}},' +
        '{"KV":{"Verb":"unlock","Key":"c","Value":"","Session":"s","Flags":1}},' +
        '{"KV":{"Verb":"check-index","Key":"d","Index":4}},' +
        '{"KV":{"Verb":"check-session","Key":"d","Session":"s"}},' +
        '{"KV":{"Verb":"delete-tree","Key":"e/"}},' +
        '{"KV":{"Verb":"delete-cas","Key":"f","Index":5}},' +
        '{"KV":{"Verb":"delete","Key":"g"}}]',
    )
    expect(http.last).toMatchObject({ method: 'PUT', path: '/txn', idempotent: false })
  })

  it('may be repeated only when it does nothing but read', async () => {
    const { http, txn } = txnApi(EMPTY)
    await txn.run([
      { type: 'get-tree', prefix: 'a/' },
      { type: 'check-not-exists', key: 'b' },
    ])
    expect(http.last.idempotent).toBe(true)
  })

  it('gives what was read, with exact flags', async () => {
    const body = '{"Results":[{"KV":{"Key":"a","Value":"/w==","Flags":18446744073709551615,"ModifyIndex":3}},{}]}'
    expect(await txnApi({ body }).txn.run([{ type: 'get', key: 'a' }], { encoding: 'buffer' })).toEqual({
      committed: true,
      entries: [
        { key: 'a', value: Buffer.from([255]), flags: 2n ** 64n - 1n, createIndex: 0, modifyIndex: 3, lockIndex: 0 },
      ],
    })
  })

  it('says which step did not hold', async () => {
    const body = '{"Results":null,"Errors":[{"OpIndex":1,"What":"key \\"k\\" exists"}]}'
    const result = await txnApi({ status: 409, body }).txn.run([{ type: 'check-not-exists', key: 'k' }])
    expect(result).toEqual({ committed: false, failures: [{ step: 1, reason: 'key "k" exists' }] })
  })

  it('takes a refused step for what it is', async () => {
    const body = '{"Errors":[{"OpIndex":0,"What":"Permission denied"}]}'
    await expect(txnApi({ status: 409, body }).txn.run([{ type: 'delete', key: 'k' }])).rejects.toMatchObject({
      code: 'PROCONSUL_PERMISSION_DENIED',
    })
  })

  it('has nothing to send for no steps', async () => {
    const { http, txn } = txnApi()
    expect(await txn.run([])).toEqual({ committed: true, entries: [] })
    expect(http.requests).toEqual([])
  })

  it.each<[string, TxnOperation[], RegExp]>([
    ['an empty prefix', [{ type: 'delete-tree', prefix: '' }], /operations\[0\]\.prefix is ""/],
    ['a hostile key', [{ type: 'get', key: 'a/../b' }], /operations\[0\]\.key/],
    ['no session', [{ type: 'check-session', key: 'a', session: '' }], /operations\[0\]\.session/],
    ['a bad index', [{ type: 'check-index', key: 'a', index: -1 }], /operations\[0\]\.index/],
    ['65 steps', Array.from({ length: 65 }, () => ({ type: 'delete', key: 'a' }) as const), /at most 64/],
    ['too many bytes', [{ type: 'set', key: 'a', value: Buffer.alloc(400_000) }], /at most 524288 bytes/],
    ['an unknown step', [{ type: 'bogus', key: 'a' } as never], /operations\[0\]/],
  ])('refuses %s before sending', async (_name, operations, message) => {
    const { http, txn } = txnApi()
    await expect(txn.run(operations)).rejects.toThrow(message)
    expect(http.requests).toEqual([])
  })

  it('takes 128 steps for an agent that is known to', async () => {
    const { http, txn } = txnApi(EMPTY)
    const operations = Array.from({ length: 128 }, (_, index) => ({ type: 'delete', key: `k${index}` }) as const)
    await txn.run(operations, { maxOperations: 128 })
    expect(http.requests.length).toBe(1)
    await expect(txn.run(operations, { maxOperations: 129 })).rejects.toThrow(/maxOperations/)
  })
})

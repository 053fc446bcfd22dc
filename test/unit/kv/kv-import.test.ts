import { describe, expect, it } from 'vitest'
import { KvApi } from '../../../src/api/kv.js'
import { TxnApi } from '../../../src/api/txn.js'
import { importTree } from '../../../src/kv/kv-import.js'
import { ScriptedHttp } from '../api/scripted-http.js'

const LISTED = { body: '[{"Key":"f/a","Value":"eA==","ModifyIndex":7}]' }
const COMMITTED = { body: '{"Results":[]}' }
const CONFLICT = {
  status: 409,
  body: '{"Errors":[{"OpIndex":0,"What":"failed to set key \\"f/a\\", index is stale"}]}',
}

describe('importTree', () => {
  it('writes each key under the condition that nobody has changed it since the look', async () => {
    const http = new ScriptedHttp(LISTED, COMMITTED)
    await importTree(new KvApi(http), new TxnApi(http), 'f/', { a: 'y', b: 'z' }, {})
    expect(http.requests.map(({ operation }) => operation)).toEqual(['kv.list', 'txn'])
    expect(JSON.parse(String(http.last.body))).toMatchObject([
      { KV: { Verb: 'cas', Key: 'f/a', Index: 7 } },
      { KV: { Verb: 'cas', Key: 'f/b', Index: 0 } },
    ])
  })

  it('refuses to overwrite what another changed meanwhile, and says how far it got', async () => {
    const http = new ScriptedHttp(LISTED, CONFLICT)
    const attempt = importTree(new KvApi(http), new TxnApi(http), 'f/', { a: 'y' }, {})
    await expect(attempt).rejects.toMatchObject({ code: 'PROCONSUL_CONFLICT' })
    await expect(attempt).rejects.toThrow(/index is stale; nothing was written/)
    const many = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`k${index}`, 'x']))
    const half = new ScriptedHttp(LISTED, COMMITTED, CONFLICT)
    await expect(importTree(new KvApi(half), new TxnApi(half), 'f/', many, {})).rejects.toThrow(/1 of 2 transactions/)
  })

  it('sends nothing when nothing differs, or when it is a dry run', async () => {
    const http = new ScriptedHttp(LISTED)
    await importTree(new KvApi(http), new TxnApi(http), 'f/', { a: 'x' }, {})
    await importTree(new KvApi(http), new TxnApi(http), 'f/', { a: 'y' }, { dryRun: true, prune: true })
    expect(http.requests.map(({ operation }) => operation)).toEqual(['kv.list', 'kv.list'])
  })
})

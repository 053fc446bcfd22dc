import { describe, expect, it } from 'vitest'
import { KvApi } from '../../../src/api/kv.js'
import { TxnApi } from '../../../src/api/txn.js'
import { importTree, type KvExportEntry, type KvImportSource } from '../../../src/kv/kv-import.js'
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

  it.each<[string, KvImportSource, RegExp]>([
    ['an empty object', { a: { b: {} } }, /the value of f\/a\/b is an object; expected something in it/],
    ['an empty list', { a: [] }, /the value of f\/a is an array of 0/],
    ['an instance of a class', { a: new Date(0) }, /the value of f\/a/],
    ['two names of one key', { 'a/b': '1', a: { b: '2' } }, /key is "f\/a\/b"; expected each key once/],
    ['one key twice in an export', [exported('f/a', 'eA=='), exported('f/a', 'eA==')], /each key once/],
    ['no number', { a: NaN }, /the value of f\/a is NaN/],
    ['more than a number can be', { a: 1e400 }, /the value of f\/a is Infinity/],
    ['null', { a: null }, /the value of f\/a is null/],
    ['an empty name', { a: { '': 'x' } }, /a name below f\/a/],
    ['what is no base64', [exported('f/a', 'not base64!')], /entries\[0\]\.value/],
    ['base64 that breaks off', [exported('f/a', 'eA=')], /entries\[0\]\.value/],
    ['a key outside of the folder', [exported('g/a', '')], /a key within "f\/"/],
    ['a key that no agent takes', { 'a ': 'x' }, /without spaces/],
  ])('refuses %s before anything is sent, in a dry run as well', async (_what, source, message) => {
    for (const dryRun of [true, false]) {
      const http = new ScriptedHttp()
      const attempt = importTree(new KvApi(http), new TxnApi(http), 'f/', source, { dryRun })
      await expect(attempt).rejects.toThrow(message)
      await expect(attempt).rejects.toMatchObject({ code: 'PROCONSUL_INVALID_OPTION' })
      expect(http.requests).toEqual([])
    }
  })

  it('takes base64 with and without its padding, and an object that is empty as a whole', async () => {
    for (const source of [[exported('f/a', 'eA==')], [exported('f/a', 'eA')], {}]) {
      const http = new ScriptedHttp(LISTED)
      const report = await importTree(new KvApi(http), new TxnApi(http), 'f/', source, {})
      expect([report.created, report.updated, report.deleted]).toEqual([[], [], []])
    }
  })
})

function exported(key: string, value: string): KvExportEntry {
  return { key, flags: 0, value }
}

import { randomUUID } from 'node:crypto'
import { expect } from 'vitest'
import { contract } from './support/contract.js'

interface TxnAnswer {
  readonly Results:
    { readonly KV: { readonly Key: string; readonly Value: string | null; readonly Session?: string } }[] | null
  readonly Errors: { readonly OpIndex: number; readonly What: string }[] | null
}

const kv = (Verb: string, Key: string, more: object = {}): object => ({ KV: { Verb, Key, ...more } })

contract('transactions', ({ must, since, before, http, unique }) => {
  const run = (operations: unknown) => http.put('/v1/txn', operations)

  must('write and read in one step, writes without their values', async () => {
    const key = unique('key')
    const answer = await run([kv('set', key, { Value: 'aGk=', Flags: 7 }), kv('get', key)])
    expect(answer.status).toBe(200)
    expect(answer.json<TxnAnswer>()).toMatchObject({
      Results: [{ KV: { Key: key, Value: null } }, { KV: { Key: key, Value: 'aGk=', Flags: 7 } }],
      Errors: null,
    })
    expect(answer.headers['x-consul-index']).toBeUndefined()
  })

  must('that only read say so in body and headers', async () => {
    const key = unique('key')
    await http.put(`/v1/kv/${key}`, 'v')
    const answer = await run([kv('get', key), kv('get-tree', key)])
    expect(answer.json()).toMatchObject({ Index: 0, LastContact: 0, KnownLeader: true })
    expect(answer.json<TxnAnswer>().Results).toHaveLength(2)
    expect(answer.headers).toMatchObject({ 'x-consul-knownleader': 'true', 'x-consul-lastcontact': '0' })
  })

  must('do all or nothing', async () => {
    const [first, second] = [unique('key'), unique('key')]
    await http.put(`/v1/kv/${second}`, 'old')
    const answer = await run([kv('set', first, { Value: 'aGk=' }), kv('delete', second), kv('get', 'nope')])
    expect(answer.status).toBe(409)
    expect(answer.json<TxnAnswer>()).toEqual({
      Results: null,
      Errors: [{ OpIndex: 2, What: `key "nope" doesn't exist` }],
    })
    expect((await http.get(`/v1/kv/${first}`)).status).toBe(404)
    expect((await http.get(`/v1/kv/${second}?raw`)).text).toBe('old')
  })

  must('name every operation that failed', async () => {
    const key = unique('key')
    await http.put(`/v1/kv/${key}`, 'v')
    const answer = await run([
      kv('check-not-exists', key),
      kv('check-index', key, { Index: 1 }),
      kv('check-session', key, { Session: 'x' }),
      kv('delete-cas', key, { Index: 1 }),
      kv('cas', key, { Value: 'aGk=', Index: 1 }),
      kv('set', `${key}-fine`),
      kv('bogus', key),
    ])
    expect(answer.status).toBe(409)
    const errors = answer.json<TxnAnswer>().Errors ?? []
    expect(errors.map(({ OpIndex }) => OpIndex)).toEqual([0, 1, 2, 3, 4, 6])
    expect(errors[0]?.What).toBe(`key "${key}" exists`)
    expect(errors[1]?.What).toMatch(new RegExp(`^failed index check for key "${key}", current modify index \\d+ != 1$`))
    expect(errors[3]?.What).toBe(`failed to delete key "${key}", index is stale`)
    expect(errors[4]?.What).toBe(`failed to set key "${key}", index is stale`)
    expect(errors[5]?.What).toBe('unknown KV verb "bogus"')
  })

  must('take and give back locks', async () => {
    const key = unique('lock')
    const session = (await http.put('/v1/session/create', {})).json<{ ID: string }>().ID
    const answer = await run([
      kv('lock', key, { Session: session }),
      kv('check-session', key, { Session: session }),
      kv('unlock', key, { Session: session }),
    ])
    expect(answer.status).toBe(200)
    expect(answer.json<TxnAnswer>().Results?.map(({ KV }) => KV.Session)).toEqual([session, session, undefined])
    const unknown = randomUUID()
    expect((await run([kv('lock', key, { Session: unknown })])).json<TxnAnswer>().Errors?.[0]?.What).toBe(
      `invalid session "${unknown}"`,
    )
    expect((await run([kv('unlock', key, { Session: session })])).status).toBe(409)
  })

  must('delete trees and what is not there', async () => {
    const prefix = unique('tree')
    await http.put(`/v1/kv/${prefix}/a`, '1')
    const answer = await run([kv('delete-tree', `${prefix}/`), kv('delete', 'zz')])
    expect(answer.json<TxnAnswer>()).toEqual({ Results: [], Errors: null })
    expect((await http.get(`/v1/kv/${prefix}/?keys`)).status).toBe(404)
  })

  must('may be empty', async () => {
    expect((await run([])).json()).toMatchObject({ Results: [], Errors: null })
    expect((await run([{}])).json()).toMatchObject({ Results: [], Errors: null })
  })

  must('store keys that a path cannot say', async () => {
    const key = `${unique('un')}//clean`
    expect((await run([kv('set', key, { Value: '' })])).status).toBe(200)
    expect((await http.get(`/v1/kv/${key.split('//')[0] ?? ''}?keys`)).json()).toEqual([key])
  })

  must('keep flags of 64 bits', async () => {
    const key = unique('key')
    await http.put('/v1/txn', `[{"KV":{"Verb":"set","Key":"${key}","Value":"","Flags":18446744073709551615}}]`)
    expect((await http.get(`/v1/kv/${key}`)).text).toMatch(/"Flags": ?18446744073709551615/)
  })

  for (const [title, body, status, text] of [
    ['without JSON', 'x', 400, 'Failed to parse body: invalid character'],
    ['without a body', '', 400, 'Failed to parse body: EOF'],
    ['with an object for a list', {}, 400, 'Failed to parse body: json: cannot unmarshal object into Go value of type'],
    ['with an unknown operation', [{ Bogus: {} }], 400, 'Failed to parse body: json: unknown field "Bogus"'],
    [
      'with a value that is no base64',
      [kv('set', 'x', { Value: '!!' })],
      400,
      'Failed to parse body: illegal base64 data at input byte 0',
    ],
    ['without a key', [kv('set', '')], 409, 'Must provide key'],
  ] as const) {
    must(`are refused ${title}`, async () => {
      const answer = await run(body)
      expect(answer.status).toBe(status)
      expect(answer.text).toContain(text)
    })
  }

  const many = (count: number) => Array.from({ length: count }, (_, i) => kv('set', `many/${i}`, { Value: '' }))

  must('have at least 64 operations', async () => {
    expect((await run(many(64))).status).toBe(200)
  })

  before('1.14.0', 'the limit was raised to 128')('have 64 operations at most', async () => {
    const answer = await run(many(65))
    expect([answer.status, answer.text]).toEqual([413, 'Transaction contains too many operations (65 > 64)'])
  })

  since('1.14.0', 'the limit was 64')('have 128 operations at most', async () => {
    expect((await run(many(128))).status).toBe(200)
    expect((await run(many(129))).status).toBe(413)
  })

  must('have half a MiB of body at most', async () => {
    const answer = await run([kv('set', 'x', { Value: 'A'.repeat(524_288) })])
    expect(answer.status).toBe(413)
    expect(answer.text).toMatch(/^Request body\(\d+ bytes\) too large, max size: 524288 bytes/)
  })
})

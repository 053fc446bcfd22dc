import { randomUUID } from 'node:crypto'
import { expect } from 'vitest'
import { eventually } from '../support/eventually.js'
import { contract } from './support/contract.js'

interface Session {
  readonly ID: string
  readonly TTL: string
  readonly LockDelay: number
  readonly NodeChecks: string[]
}

contract('sessions and locks', ({ must, http, unique, agent }) => {
  const create = async (body: object = {}) => (await http.put('/v1/session/create', body)).json<{ ID: string }>().ID
  const info = async (id: string) => (await http.get(`/v1/session/info/${id}`)).json<Session[]>()
  const keyRow = async (key: string) =>
    (await http.get(`/v1/kv/${key}`)).json<{ Session?: string; LockIndex: number; ModifyIndex: number }[]>()[0]

  must('are created without a body, with defaults', async () => {
    const answer = await http.put('/v1/session/create')
    const id = answer.json<{ ID: string }>().ID
    expect(id).toMatch(/^[0-9a-f-]{36}$/)
    expect(await info(id)).toEqual([
      expect.objectContaining({
        ID: id,
        Name: '',
        Node: agent().node,
        LockDelay: 15_000_000_000,
        Behavior: 'release',
        TTL: '',
        NodeChecks: ['serfHealth'],
        ServiceChecks: null,
      }),
    ])
  })

  must('take a lock-delay as text or as a number of seconds', async () => {
    expect((await info(await create({ LockDelay: '2s' })))[0]?.LockDelay).toBe(2e9)
    expect((await info(await create({ LockDelay: 20 })))[0]?.LockDelay).toBe(20e9)
    expect((await info(await create({ LockDelay: '0s' })))[0]?.LockDelay).toBe(0)
  })

  must('are listed for all and for a node', async () => {
    const id = await create({ TTL: '10s' })
    const all = (await http.get('/v1/session/list')).json<Session[]>()
    const ofNode = (await http.get(`/v1/session/node/${agent().node}`)).json<Session[]>()
    expect(all).toContainEqual(expect.objectContaining({ ID: id, TTL: '10s' }))
    expect(ofNode).toContainEqual(expect.objectContaining({ ID: id }))
    expect((await http.get('/v1/session/node/nope')).json()).toEqual([])
  })

  for (const [title, body, status, text] of [
    ['a TTL too short', { TTL: '9s' }, 500, "Invalid Session TTL '9000000000', must be between [10s=24h0m0s]"],
    ['a TTL too long', { TTL: '25h' }, 500, "Invalid Session TTL '90000000000000', must be between [10s=24h0m0s]"],
    ['an unknown behaviour', { Behavior: 'bogus' }, 500, "Invalid Behavior setting 'bogus'"],
    ['an unknown check', { Checks: ['nochk'] }, 500, "Missing check 'nochk' registration"],
    ['an unknown node', { Node: 'nope' }, 500, 'Missing node registration'],
    ['a TTL that is a number', { TTL: 10 }, 400, 'Request decode failed'],
  ] as const) {
    must(`are refused with ${title}`, async () => {
      const answer = await http.put('/v1/session/create', body)
      expect(answer.status).toBe(status)
      expect(answer.text).toContain(text)
    })
  }

  must('are created with unknown fields, which mean nothing', async () => {
    expect((await http.put('/v1/session/create', { Bogus: 1 })).status).toBe(200)
  })

  must('are renewed as long as they live', async () => {
    const id = await create({ TTL: '10s' })
    expect((await http.put(`/v1/session/renew/${id}`)).json()).toMatchObject([{ ID: id, TTL: '10s' }])
    expect((await http.put(`/v1/session/destroy/${id}`)).json()).toBe(true)
    const gone = await http.put(`/v1/session/renew/${id}`)
    expect([gone.status, gone.text]).toEqual([404, `Session id '${id}' not found`])
    expect((await http.put(`/v1/session/destroy/${id}`)).json()).toBe(true)
    expect(await info(id)).toEqual([])
  })

  must('refuse ids that are none', async () => {
    const text = 'failed session lookup: index error: UUID must be 36 characters'
    for (const answer of [
      await http.put('/v1/session/renew/abc'),
      await http.put('/v1/session/destroy/abc'),
      await http.get('/v1/session/info/abc'),
      await http.put(`/v1/kv/${unique('lock')}?acquire=abc`, 'x'),
    ]) {
      expect([answer.status, answer.text]).toEqual([500, text])
    }
    for (const path of ['destroy', 'renew']) expect((await http.put(`/v1/session/${path}/`)).status).toBe(400)
  })

  must('hold a key for one at a time, and count who held it', async () => {
    const key = unique('lock')
    const [first, second] = [await create({ LockDelay: '0s' }), await create({ LockDelay: '0s' })]
    expect((await http.put(`/v1/kv/${key}?acquire=${first}`, 'me')).json()).toBe(true)
    expect(await keyRow(key)).toMatchObject({ Session: first, LockIndex: 1 })
    expect((await http.put(`/v1/kv/${key}?acquire=${first}`, 'me again')).json()).toBe(true)
    expect((await keyRow(key))?.LockIndex).toBe(1)
    expect((await http.put(`/v1/kv/${key}?acquire=${second}`, 'you')).json()).toBe(false)
    expect((await http.put(`/v1/kv/${key}?release=${second}`, 'you')).json()).toBe(false)
    expect((await http.put(`/v1/kv/${key}?release=${first}`, 'done')).json()).toBe(true)
    expect((await keyRow(key))?.Session).toBeUndefined()
    expect((await http.put(`/v1/kv/${key}?acquire=${second}`, 'you')).json()).toBe(true)
    expect(await keyRow(key)).toMatchObject({ Session: second, LockIndex: 2 })
  })

  must('are advisory: a plain write goes through, keeps the session and starts the count anew', async () => {
    const key = unique('lock')
    const id = await create()
    await http.put(`/v1/kv/${key}?acquire=${id}`, 'mine')
    expect((await http.put(`/v1/kv/${key}`, 'plain')).json()).toBe(true)
    expect(await keyRow(key)).toMatchObject({ Session: id, LockIndex: 0 })
  })

  must('must exist to acquire', async () => {
    const id = randomUUID()
    const answer = await http.put(`/v1/kv/${unique('lock')}?acquire=${id}`, 'x')
    expect([answer.status, answer.text]).toEqual([500, `invalid session "${id}"`])
  })

  must('release their keys at their end, or delete them', async () => {
    const [kept, gone] = [unique('kept'), unique('gone')]
    const releasing = await create({ LockDelay: '0s' })
    const deleting = await create({ Behavior: 'delete', LockDelay: '0s' })
    await http.put(`/v1/kv/${kept}?acquire=${releasing}`, 'x')
    await http.put(`/v1/kv/${gone}?acquire=${deleting}`, 'x')
    const before = (await keyRow(kept))?.ModifyIndex ?? 0
    await http.put(`/v1/session/destroy/${releasing}`)
    await http.put(`/v1/session/destroy/${deleting}`)
    const after = await keyRow(kept)
    expect(after?.Session).toBeUndefined()
    expect(after?.ModifyIndex).toBeGreaterThan(before)
    expect((await http.get(`/v1/kv/${gone}`)).status).toBe(404)
  })

  must('keep others out for the lock-delay after their end, not after a release', async () => {
    const [released, ended] = [unique('lock'), unique('lock')]
    const first = await create({ LockDelay: '1s' })
    const second = await create()
    await http.put(`/v1/kv/${released}?acquire=${first}`, 'x')
    await http.put(`/v1/kv/${released}?release=${first}`, 'x')
    expect((await http.put(`/v1/kv/${released}?acquire=${second}`, 'x')).json()).toBe(true)
    await http.put(`/v1/kv/${ended}?acquire=${first}`, 'x')
    await http.put(`/v1/session/destroy/${first}`)
    expect((await http.put(`/v1/kv/${ended}?acquire=${second}`, 'x')).json()).toBe(false)
    await eventually(async () => expect((await http.put(`/v1/kv/${ended}?acquire=${second}`, 'x')).json()).toBe(true))
  })

  must('end with a check that they rely on', async () => {
    const name = unique('web')
    await http.put('/v1/agent/service/register', { Name: name, Check: { TTL: '1h', Status: 'passing' } })
    const byFailure = await create({ Checks: [`service:${name}`] })
    expect(await info(byFailure)).toHaveLength(1)
    await http.put(`/v1/agent/check/fail/service:${name}`)
    await eventually(async () => expect(await info(byFailure)).toEqual([]))
    const refused = await http.put('/v1/session/create', { Checks: [`service:${name}`] })
    expect([refused.status, refused.text]).toEqual([500, `Check 'service:${name}' is in critical state`])
    await http.put(`/v1/agent/check/pass/service:${name}`)
    const byRemoval = await create({ Checks: [`service:${name}`] })
    await http.put(`/v1/agent/service/deregister/${name}`)
    await eventually(async () => expect(await info(byRemoval)).toEqual([]))
  })
})

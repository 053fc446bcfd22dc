import { expect } from 'vitest'
import { contract, type ContractContext } from './support/contract.js'
import type { WireAnswer } from './support/wire-client.js'

/** Long enough that only a wake-up ends it early. */
const LONG = '20s'
/** Short, for queries that must not be woken. */
const SHORT = '400ms'

/** Starts a blocking query at the present index and gives it the time to reach the agent. */
async function block(
  { http }: ContractContext,
  path: string,
  wait: string,
): Promise<{ from: number; answer: Promise<WireAnswer> }> {
  const from = (await http.get(path)).index
  const separator = path.includes('?') ? '&' : '?'
  const answer = http.get(`${path}${separator}index=${from}&wait=${wait}`)
  // A read on another connection that comes back has overtaken nothing: both were sent, and the agent has taken the first.
  await http.get('/v1/status/leader')
  return { from, answer }
}

contract('blocking queries', (context) => {
  const { must, since, before, http, unique, agent } = context
  const register = (name: string, more: object = {}) =>
    http.put('/v1/agent/service/register', { ID: name, Name: name, ...more })
  const wakes = async (path: string, change: () => Promise<unknown>) => {
    const { from, answer } = await block(context, path, LONG)
    const begun = performance.now()
    await change()
    const woken = await answer
    expect(performance.now() - begun).toBeLessThan(5_000)
    expect(woken.index).toBeGreaterThan(from)
    return woken
  }
  const sleepsThrough = async (path: string, change: () => Promise<unknown>) => {
    const { from, answer } = await block(context, path, SHORT)
    const begun = performance.now()
    await change()
    const expired = await answer
    expect(performance.now() - begun).toBeGreaterThan(250)
    expect(expired.index).toBe(from)
    return expired
  }

  must('return at once without an index, with index 0 and with one that is behind', async () => {
    const name = unique('web')
    await register(name)
    for (const query of ['', '?index=0&wait=10s', '?index=1&wait=10s']) {
      const begun = performance.now()
      expect((await http.get(`/v1/health/service/${name}${query}`)).status).toBe(200)
      expect(performance.now() - begun).toBeLessThan(2_000)
    }
  })

  must('wait to the end, a sixteenth longer at most, when nothing happens', async () => {
    const name = unique('web')
    await register(name)
    const { answer } = await block(context, `/v1/health/service/${name}`, '500ms')
    const begun = performance.now()
    await answer
    const waitedMs = performance.now() - begun
    expect(waitedMs).toBeGreaterThan(400)
    expect(waitedMs).toBeLessThan(1_500)
  })

  must('wait without an error when the index is ahead of everything', async () => {
    const name = unique('web')
    await register(name)
    const plain = await http.get(`/v1/health/service/${name}`)
    const answer = await http.get(`/v1/health/service/${name}?index=${plain.index + 1000}&wait=300ms`)
    expect([answer.status, answer.index]).toEqual([200, plain.index])
  })

  must('sleep through real changes when the index is from another life', async () => {
    const name = unique('web')
    await register(name)
    const pending = http.get(`/v1/health/service/${name}?index=100000&wait=600ms`)
    const begun = performance.now()
    await http.get('/v1/status/leader')
    await register(name, { Tags: ['changed'] })
    const answer = await pending
    expect(performance.now() - begun).toBeGreaterThan(400)
    expect(answer.json<{ Service: { Tags: string[] } }[]>()[0]?.Service.Tags).toEqual(['changed'])
  })

  for (const [value, text] of [
    ['index=abc', 'Invalid index'],
    ['index=-1', 'Invalid index'],
    ['wait=abc', 'Invalid wait time'],
    ['wait=10', 'Invalid wait time'],
  ] as const) {
    must(`refuse ${value}`, async () => {
      for (const path of ['/v1/health/service/x', '/v1/kv/x']) {
        const answer = await http.get(`${path}?${value}`)
        expect([answer.status, answer.text]).toEqual([400, text])
      }
    })
  }

  must('take Go’s durations', async () => {
    for (const wait of ['1.5s', '1m0s', '300ms', '1ns', '1h']) {
      expect((await http.get(`/v1/catalog/nodes?wait=${wait}`)).status).toBe(200)
    }
  })

  must('on a service wake for its instances, their checks and their states', async () => {
    const name = unique('web')
    await register(name, { Check: { TTL: '1h' } })
    const path = `/v1/health/service/${name}`
    await wakes(path, () => http.put(`/v1/agent/check/pass/service:${name}`))
    await wakes(path, () => http.put('/v1/agent/service/register', { ID: `${name}-2`, Name: name }))
    await wakes(path, () => http.put(`/v1/agent/service/deregister/${name}-2`))
    await wakes(path, () => http.put('/v1/agent/check/register', { Name: unique('extra'), TTL: '1h', ServiceID: name }))
  })

  must('on a service wake for a check of its node', async () => {
    const [name, check] = [unique('web'), unique('nodecheck')]
    await register(name)
    await wakes(`/v1/health/service/${name}`, () => http.put('/v1/agent/check/register', { Name: check, TTL: '1h' }))
    await wakes(`/v1/health/service/${name}`, () => http.put(`/v1/agent/check/deregister/${check}`))
  })

  must('on a service sleep through other services, idle heartbeats and idle registrations', async () => {
    const [name, other] = [unique('web'), unique('other')]
    const body = { Check: { TTL: '1h', Status: 'passing' } }
    await register(name, body)
    await sleepsThrough(`/v1/health/service/${name}`, async () => {
      await register(other, body)
      await http.put(`/v1/agent/check/fail/service:${other}`)
      await http.put(`/v1/agent/check/pass/service:${name}`)
      await register(name, body)
      await http.put(`/v1/agent/check/pass/service:${name}?note=another`)
    })
  })

  must('on a service wake for a note that waited, once the service is registered again', async () => {
    const name = unique('web')
    const body = { Check: { TTL: '1h', Status: 'passing' } }
    await register(name, body)
    await http.put(`/v1/agent/check/pass/service:${name}?note=another`)
    const woken = await wakes(`/v1/health/service/${name}`, () => register(name, body))
    expect(woken.json<{ Checks: object[] }[]>()[0]?.Checks).toContainEqual(
      expect.objectContaining({ Output: 'another' }),
    )
  })

  must('wake for changes that a filter or a tag hides', async () => {
    const name = unique('web')
    await register(name, { Tags: ['a'], Check: { TTL: '1h' } })
    const woken = await wakes(`/v1/health/service/${name}?passing`, () =>
      http.put('/v1/agent/service/register', { ID: `${name}-2`, Name: name, Tags: ['b'], Check: { TTL: '1h' } }),
    )
    expect(woken.json()).toEqual([])
  })

  must('on an unknown service wake when it appears', async () => {
    const name = unique('later')
    const woken = await wakes(`/v1/health/service/${name}`, () => register(name))
    expect(woken.json()).toHaveLength(1)
  })

  must('give an unknown service the index at which a service last lost its last instance', async () => {
    const gone = unique('gone')
    await register(gone)
    await http.put(`/v1/agent/service/deregister/${gone}`)
    const index = (await http.get('/v1/health/service/nope')).index
    expect((await http.get('/v1/health/service/nope-either')).index).toBe(index)
    await register(unique('web'))
    expect((await http.get('/v1/health/service/nope')).index).toBe(index)
    const next = unique('gone')
    await register(next)
    await wakes('/v1/health/service/nope', () => http.put(`/v1/agent/service/deregister/${next}`))
  })

  must('on the flat catalog sleep through states of checks', async () => {
    const name = unique('web')
    await register(name, { Check: { TTL: '1h' } })
    const { answer } = await block(context, `/v1/catalog/service/${name}`, SHORT)
    const begun = performance.now()
    await http.put(`/v1/agent/check/pass/service:${name}`)
    await answer
    expect(performance.now() - begun).toBeGreaterThan(250)
    await wakes(`/v1/catalog/service/${name}`, () => register(name, { Tags: ['x'], Check: { TTL: '1h' } }))
  })

  must('on the list of services wake for services and tags, not for checks', async () => {
    const name = unique('web')
    await wakes('/v1/catalog/services', () => register(name, { Check: { TTL: '1h' } }))
    await wakes('/v1/catalog/services', () => register(name, { Tags: ['new'], Check: { TTL: '1h' } }))
    await sleepsThrough('/v1/catalog/services', () => http.put(`/v1/agent/check/pass/service:${name}`))
    await wakes('/v1/catalog/services', () => http.put(`/v1/agent/service/deregister/${name}`))
  })

  must('on nodes wake for nodes', async () => {
    const node = unique('ext')
    await wakes('/v1/catalog/nodes', () => http.put('/v1/catalog/register', { Node: node, Address: '10.0.0.9' }))
    await wakes(`/v1/catalog/node/${node}`, () =>
      http.put('/v1/catalog/register', { Node: node, Address: '10.0.0.9', Service: { Service: unique('onext') } }),
    )
    await wakes('/v1/catalog/nodes', () => http.put('/v1/catalog/deregister', { Node: node }))
  })

  must('on checks wake by service, node and state', async () => {
    const name = unique('web')
    await register(name, { Check: { TTL: '1h' } })
    const flip = (verb: string) => () => http.put(`/v1/agent/check/${verb}/service:${name}`)
    await wakes(`/v1/health/checks/${name}`, flip('pass'))
    await wakes(`/v1/health/node/${agent().node}`, flip('fail'))
    await wakes('/v1/health/state/any', flip('warn'))
    await wakes('/v1/health/state/warning', flip('pass'))
  })

  must('on a key wake for the key alone', async () => {
    const key = unique('key')
    await http.put(`/v1/kv/${key}`, '1')
    await sleepsThrough(`/v1/kv/${key}`, async () => {
      await http.put(`/v1/kv/${key}-other`, '1')
      await http.put(`/v1/kv/${key}`, '1')
    })
    const woken = await wakes(`/v1/kv/${key}`, () => http.put(`/v1/kv/${key}`, '2'))
    expect(woken.json<{ ModifyIndex: number }[]>()[0]?.ModifyIndex).toBe(woken.index)
    expect((await wakes(`/v1/kv/${key}`, () => http.delete(`/v1/kv/${key}`))).status).toBe(404)
  })

  must('on a missing key wait with a 404 that has an index, and wake when it appears', async () => {
    const key = unique('later/key')
    await http.put(`/v1/kv/${unique('later/other')}`, '1')
    const missing = await http.get(`/v1/kv/${key}`)
    expect(missing.status).toBe(404)
    expect(missing.index).toBeGreaterThan(0)
    expect((await wakes(`/v1/kv/${key}`, () => http.put(`/v1/kv/${key}`, '1'))).status).toBe(200)
  })

  before('1.12.0', 'a missing key keeps blocking since')(
    'on a missing key wake for writes in its neighbourhood',
    async () => {
      const folder = unique('hood')
      await http.put(`/v1/kv/${folder}/a`, '1')
      const woken = await wakes(`/v1/kv/${folder}/missing`, () => http.put(`/v1/kv/${folder}/b`, '1'))
      expect(woken.status).toBe(404)
    },
  )

  since('1.12.0', 'neighbours woke a missing key before')(
    'on a missing key sleep through writes in its neighbourhood',
    async () => {
      const folder = unique('hood')
      await http.put(`/v1/kv/${folder}/a`, '1')
      const { answer } = await block(context, `/v1/kv/${folder}/missing`, SHORT)
      const begun = performance.now()
      await http.put(`/v1/kv/${folder}/b`, '1')
      expect((await answer).status).toBe(404)
      expect(performance.now() - begun).toBeGreaterThan(250)
    },
  )

  must('on a prefix wake for what is below it, deletions too, and for nothing else', async () => {
    const [prefix, aside] = [unique('tree/x'), unique('aside/y')]
    await http.put(`/v1/kv/${prefix}/a`, '1')
    await http.put(`/v1/kv/${aside}/a`, '1')
    await sleepsThrough(`/v1/kv/${prefix}/?recurse`, () => http.put(`/v1/kv/${aside}/b`, '1'))
    await wakes(`/v1/kv/${prefix}/?recurse`, () => http.put(`/v1/kv/${prefix}/b`, '1'))
    await wakes(`/v1/kv/${prefix}/?keys`, () => http.delete(`/v1/kv/${prefix}/b`))
    const woken = await wakes(`/v1/kv/${prefix}/?recurse`, () => http.delete(`/v1/kv/${prefix}/?recurse`))
    expect(woken.status).toBe(404)
  })

  must('keep the index of a prefix up after a deletion, by its tombstone', async () => {
    const prefix = unique('tombs/x')
    await http.put(`/v1/kv/${prefix}/a`, '1')
    await http.put(`/v1/kv/${prefix}/b`, '1')
    const before_ = (await http.get(`/v1/kv/${prefix}/?recurse`)).index
    await http.delete(`/v1/kv/${prefix}/b`)
    const after = await http.get(`/v1/kv/${prefix}/?recurse`)
    expect(after.index).toBeGreaterThan(before_)
    expect(after.json<{ ModifyIndex: number }[]>()[0]?.ModifyIndex).toBeLessThan(after.index)
  })

  must('on sessions wake for sessions', async () => {
    const id = (await http.put('/v1/session/create', {})).json<{ ID: string }>().ID
    await wakes(`/v1/session/info/${id}`, () => http.put(`/v1/session/destroy/${id}`))
    await wakes('/v1/session/list', () => http.put('/v1/session/create', {}))
  })

  must('on a service of the agent wait by the hash of its content', async () => {
    const name = unique('web')
    await register(name, { Tags: ['a'] })
    const path = `/v1/agent/service/${name}`
    const first = await http.get(path)
    const hash = String(first.headers['x-consul-contenthash'])
    expect(first.json()).toMatchObject({ ContentHash: hash })
    expect((await http.get(`${path}?hash=wrong&wait=${LONG}`)).status).toBe(200)
    const waiting = http.get(`${path}?hash=${hash}&wait=${LONG}`)
    await http.get('/v1/status/leader')
    await register(name, { Tags: ['b'] })
    const changed = await waiting
    expect(changed.json()).toMatchObject({ Tags: ['b'] })
    const gone = http.get(`${path}?hash=${String(changed.headers['x-consul-contenthash'])}&wait=${LONG}`)
    await http.get('/v1/status/leader')
    await http.put(`/v1/agent/service/deregister/${name}`)
    expect((await gone).status).toBe(404)
  })
})

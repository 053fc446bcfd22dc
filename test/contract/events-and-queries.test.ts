import { randomUUID } from 'node:crypto'
import { expect } from 'vitest'
import { eventually } from '../support/eventually.js'
import { contract } from './support/contract.js'

interface UserEvent {
  readonly ID: string
  readonly Name: string
  readonly Payload: string | null
  readonly LTime: number
}

contract('user events', ({ must, http, unique }) => {
  const fire = (name: string, payload?: string) => http.put(`/v1/event/fire/${name}`, payload)
  const list = async (name: string) => (await http.get(`/v1/event/list?name=${name}`)).json<UserEvent[]>()

  must('come back as they were fired, without a time yet', async () => {
    const name = unique('deploy')
    const answer = await http.put(`/v1/event/fire/${name}?node=x&service=web&tag=a`, 'pay')
    expect(answer.json()).toMatchObject({
      Name: name,
      Payload: 'cGF5',
      NodeFilter: 'x',
      ServiceFilter: 'web',
      TagFilter: 'a',
      Version: 1,
      LTime: 0,
    })
    expect((await fire(unique('empty'))).json<UserEvent>().Payload).toBeNull()
  })

  must('are listed by name, in order, and only where they are meant to be heard', async () => {
    const name = unique('deploy')
    await fire(name, 'one')
    await fire(name, 'two')
    await http.put(`/v1/event/fire/${name}?node=elsewhere`, 'three')
    await eventually(async () => expect((await list(name)).map(({ Payload }) => Payload)).toEqual(['b25l', 'dHdv']))
    const [first, second] = await list(name)
    expect(second?.LTime).toBeGreaterThan(first?.LTime ?? 0)
    expect(await list('nope')).toEqual([])
  })

  must('have an index that is a fold of the last id', async () => {
    const name = unique('deploy')
    const id = (await fire(name)).json<UserEvent>().ID.replaceAll('-', '')
    await eventually(async () => expect(await list(name)).toHaveLength(1))
    const folded = BigInt(`0x${id.slice(0, 16)}`) ^ BigInt(`0x${id.slice(16)}`)
    const answer = await http.get(`/v1/event/list?name=${name}`)
    expect(answer.headers['x-consul-index']).toBe(folded.toString())
    expect(answer.headers['x-consul-knownleader']).toBeUndefined()
  })

  must('wake who waits for them', async () => {
    const name = unique('deploy')
    await fire(name)
    await eventually(async () => expect(await list(name)).toHaveLength(1))
    const index = String((await http.get(`/v1/event/list?name=${name}`)).headers['x-consul-index'])
    const waiting = http.get(`/v1/event/list?name=${name}&index=${index}&wait=20s`)
    await http.get('/v1/status/leader')
    const begun = performance.now()
    await fire(name)
    expect((await waiting).json()).toHaveLength(2)
    expect(performance.now() - begun).toBeLessThan(5_000)
  })

  must('need a name', async () => {
    const answer = await fire('')
    expect([answer.status, answer.text]).toEqual([400, 'Missing name'])
  })
})

contract('prepared queries', ({ must, http, unique }) => {
  const create = async (body: object) => (await http.post('/v1/query', body)).json<{ ID: string }>().ID
  const idsFor = async (query: string, more = '') =>
    (await http.get(`/v1/query/${query}/execute${more}`))
      .json<{ Nodes: { Service: { ID: string } }[] }>()
      .Nodes.map(({ Service }) => Service.ID)
      .sort()

  must('find the instances that they describe, by id and by name', async () => {
    const [name, query] = [unique('web'), unique('query')]
    for (const [id, Status, Tags] of [
      ['p', 'passing', ['a']],
      ['w', 'warning', ['a']],
      ['c', 'critical', ['a']],
      ['t', 'passing', ['b']],
    ] as const) {
      await http.put('/v1/agent/service/register', {
        ID: `${name}-${id}`,
        Name: name,
        Tags,
        Meta: { tag: Tags[0] },
        Check: { TTL: '1h', Status },
      })
    }
    const id = await create({ Name: query, Service: { Service: name, OnlyPassing: true, Tags: ['a'] } })
    expect(await idsFor(id)).toEqual([`${name}-p`])
    expect(await idsFor(query)).toEqual([`${name}-p`])
    await create({ Name: `${query}-all`, Service: { Service: name } })
    expect(await idsFor(`${query}-all`)).toEqual([`${name}-p`, `${name}-t`, `${name}-w`])
    expect(await idsFor(`${query}-all`, '?limit=1')).toHaveLength(1)
    await create({ Name: `${query}-not`, Service: { Service: name, Tags: ['!a'] } })
    expect(await idsFor(`${query}-not`)).toEqual([`${name}-t`])
    await create({ Name: `${query}-meta`, Service: { Service: name, ServiceMeta: { tag: 'b' } } })
    expect(await idsFor(`${query}-meta`)).toEqual([`${name}-t`])
  })

  must('say what they looked for', async () => {
    const query = unique('query')
    await create({ Name: query, Service: { Service: 'nope' }, DNS: { TTL: '10s' } })
    expect((await http.get(`/v1/query/${query}/execute`)).json()).toMatchObject({
      Service: 'nope',
      Nodes: [],
      DNS: { TTL: '10s' },
      Datacenter: 'dc1',
      Failovers: 0,
    })
  })

  must('are read, listed, changed and deleted', async () => {
    const query = unique('query')
    const id = await create({ Name: query, Service: { Service: 'one', Tags: ['a'] } })
    const shown = {
      ID: id,
      Name: query,
      Service: { Service: 'one', OnlyPassing: false, Tags: ['a'] },
      DNS: { TTL: '' },
    }
    expect((await http.get(`/v1/query/${id}`)).json()).toMatchObject([shown])
    expect((await http.get('/v1/query')).json()).toContainEqual(expect.objectContaining({ ID: id, Name: query }))
    expect((await http.put(`/v1/query/${id}`, { Name: query, Service: { Service: 'two' } })).status).toBe(200)
    expect((await http.get(`/v1/query/${id}`)).json()).toMatchObject([{ Service: { Service: 'two' } }])
    expect((await http.delete(`/v1/query/${id}`)).status).toBe(200)
    expect((await http.get(`/v1/query/${id}`)).status).toBe(404)
    expect((await http.get(`/v1/query/${query}/execute`)).status).toBe(404)
  })

  for (const [title, body, status, text] of [
    [
      'without a name or a session',
      { Service: { Service: 'x' } },
      500,
      'Invalid prepared query: Must be bound to a session',
    ],
    ['without a service', { Name: 'x' }, 500, 'Invalid prepared query: Must provide a Service name to query'],
    [
      'with a TTL that is no duration',
      { Name: 'x', Service: { Service: 'x' }, DNS: { TTL: 'abc' } },
      500,
      "Invalid prepared query: Bad DNS TTL 'abc'",
    ],
    ['with a session that is none', { Name: 'x', Service: { Service: 'x' }, Session: 'abc' }, 500, 'invalid session'],
    ['with an unknown field', { Name: 'x', Bogus: 1 }, 400, 'Request decode failed: json: unknown field "Bogus"'],
  ] as const) {
    must(`are refused ${title}`, async () => {
      const answer = await http.post('/v1/query', body)
      expect(answer.status).toBe(status)
      expect(answer.text).toContain(text)
    })
  }

  must('have names of their own', async () => {
    const query = unique('query')
    await create({ Name: query, Service: { Service: 'x' } })
    const again = await http.post('/v1/query', { Name: query, Service: { Service: 'x' } })
    expect([again.status, again.text]).toEqual([500, `name '${query}' aliases an existing query name`])
  })

  must('refuse ids that are none or unknown', async () => {
    expect((await http.get('/v1/query/nope')).text).toContain('UUID must be 36 characters')
    const unknown = randomUUID()
    expect((await http.get(`/v1/query/${unknown}`)).status).toBe(404)
    expect((await http.delete(`/v1/query/${unknown}`)).text).toBe(
      `Cannot modify non-existent prepared query: '${unknown}'`,
    )
  })
})

import { expect } from 'vitest'
import { contract } from './support/contract.js'

interface Entry {
  readonly Node: { readonly Node: string }
  readonly Service: { readonly ID: string; readonly Tags: string[] }
  readonly Checks: readonly { readonly CheckID: string; readonly Status: string }[]
}

contract('health and catalog', ({ must, http, agent, unique, subject }) => {
  const register = (body: object) => http.put('/v1/agent/service/register', body)
  const idsOf = async (path: string) =>
    (await http.get(path))
      .json<Entry[]>()
      .map(({ Service }) => Service.ID)
      .sort()

  must('carry the headers that say what an answer is worth', async () => {
    const answer = await http.get('/v1/health/service/consul')
    expect(answer.headers).toMatchObject({
      'content-type': 'application/json',
      'x-consul-knownleader': 'true',
      'x-consul-lastcontact': '0',
      'x-consul-effective-consistency': 'leader',
      vary: 'Accept-Encoding',
    })
    expect(answer.index).toBeGreaterThan(0)
    expect((await http.get('/v1/health/service/consul?stale')).headers['x-consul-effective-consistency']).toBe('stale')
    expect((await http.get('/v1/catalog/nodes?consistent')).headers['x-consul-effective-consistency']).toBe(
      'consistent',
    )
  })

  must('answer an unknown service with an empty list and an index', async () => {
    for (const path of [
      '/v1/health/service/nope',
      '/v1/catalog/service/nope',
      '/v1/health/checks/nope',
      '/v1/health/connect/nope',
    ]) {
      const answer = await http.get(path)
      expect([path, answer.status, answer.json()]).toEqual([path, 200, []])
      expect(answer.index).toBeGreaterThan(0)
    }
  })

  must('list the tags of a service in no order that one could rely on', async () => {
    const name = unique('tagged')
    const tags = ['a', 'b', 'c', 'd', 'e', 'f']
    await register({ Name: name, Tags: tags })
    const seen = new Set<string>()
    for (let reads = 0; reads < 20; reads += 1) {
      const listed = (await http.get('/v1/catalog/services')).json<Record<string, string[]>>()[name] ?? []
      expect([...listed].sort()).toEqual(tags)
      seen.add(String(listed))
    }
    expect(seen.size).toBeGreaterThan(1)
  })

  must('answer unknown nodes and states each in its own way', async () => {
    expect((await http.get('/v1/catalog/node/nope')).json()).toBeNull()
    expect((await http.get('/v1/catalog/node-services/nope')).json()).toEqual({ Node: null, Services: null })
    expect((await http.get('/v1/health/node/nope')).json()).toEqual([])
    expect((await http.get('/v1/health/state/bogus')).json()).toEqual([])
  })

  for (const [path, text] of [
    ['/v1/health/service/', 'Missing service name'],
    ['/v1/health/checks/', 'Missing service name'],
    ['/v1/health/node/', 'Missing node name'],
    ['/v1/health/state/', 'Missing check state'],
    ['/v1/catalog/service/', 'Missing service name'],
    ['/v1/catalog/node/', 'Missing node name'],
    ['/v1/catalog/node-services/', 'Missing node name'],
  ] as const) {
    must(`refuse ${path} without a name`, async () => {
      const answer = await http.get(path)
      expect([answer.status, answer.text]).toEqual([400, text])
    })
  }

  must('select instances by all of several tags, in any case', async () => {
    const name = unique('web')
    await register({ ID: `${name}-1`, Name: name, Tags: ['v1', 'blue'] })
    await register({ ID: `${name}-2`, Name: name, Tags: ['v1'] })
    expect(await idsOf(`/v1/health/service/${name}?tag=V1`)).toEqual([`${name}-1`, `${name}-2`])
    expect(await idsOf(`/v1/health/service/${name}?tag=v1&tag=blue`)).toEqual([`${name}-1`])
    expect(await idsOf(`/v1/health/service/${name}?tag=`)).toEqual([])
    const flat = (await http.get(`/v1/catalog/service/${name}?tag=blue`)).json<{ ServiceID: string }[]>()
    expect(flat.map(({ ServiceID }) => ServiceID)).toEqual([`${name}-1`])
  })

  must('find a service by its name in any case', async () => {
    const name = unique('Mixed')
    await register({ Name: name })
    expect(await idsOf(`/v1/health/service/${name.toUpperCase()}`)).toEqual([name])
  })

  must('drop instances that are not wholly passing, warnings too', async () => {
    const name = unique('web')
    for (const [id, Status] of [
      ['p', 'passing'],
      ['w', 'warning'],
      ['c', 'critical'],
    ]) {
      await register({ ID: `${name}-${id ?? ''}`, Name: name, Check: { TTL: '1h', Status } })
    }
    expect(await idsOf(`/v1/health/service/${name}`)).toHaveLength(3)
    for (const value of ['passing', 'passing=1', 'passing=true']) {
      expect(await idsOf(`/v1/health/service/${name}?${value}`)).toEqual([`${name}-p`])
    }
    for (const value of ['passing=false', 'passing=0']) {
      expect(await idsOf(`/v1/health/service/${name}?${value}`)).toHaveLength(3)
    }
    const bogus = await http.get(`/v1/health/service/${name}?passing=bogus`)
    expect([bogus.status, bogus.text]).toEqual([400, 'Invalid value for ?passing'])
  })

  must('show checks by service, by node and by state', async () => {
    const name = unique('web')
    await register({ Name: name, Check: { TTL: '1h', Status: 'warning' } })
    const id = `service:${name}`
    const idsAt = async (path: string) =>
      (await http.get(path)).json<{ CheckID: string }[]>().map(({ CheckID }) => CheckID)
    expect(await idsAt(`/v1/health/checks/${name}`)).toEqual([id])
    expect(await idsAt(`/v1/health/node/${agent().node}`)).toEqual(expect.arrayContaining(['serfHealth', id]))
    expect(await idsAt('/v1/health/state/warning')).toContain(id)
    expect(await idsAt('/v1/health/state/critical')).not.toContain(id)
    expect(await idsAt('/v1/health/state/any')).toEqual(expect.arrayContaining(['serfHealth', id]))
  })

  must('show a service flat in the catalog', async () => {
    const name = unique('web')
    await register({ Name: name, Port: 80, Address: '10.0.0.1', Tags: ['a'], Meta: { v: '1' } })
    expect((await http.get(`/v1/catalog/service/${name}`)).json()).toMatchObject([
      {
        Node: agent().node,
        ServiceID: name,
        ServiceName: name,
        ServiceAddress: '10.0.0.1',
        ServicePort: 80,
        ServiceTags: ['a'],
        ServiceMeta: { v: '1' },
        ServiceWeights: { Passing: 1, Warning: 1 },
        ServiceEnableTagOverride: false,
      },
    ])
  })

  must('show a node with its services as a map and as a list', async () => {
    const name = unique('web')
    await register({ Name: name })
    const map = (await http.get(`/v1/catalog/node/${agent().node}`)).json<{ Services: Record<string, object> }>()
    expect(map.Services[name]).toMatchObject({ ID: name, Service: name })
    const list = (await http.get(`/v1/catalog/node-services/${agent().node}`)).json<{ Services: object[] }>()
    expect(list.Services).toContainEqual(expect.objectContaining({ ID: name }))
  })

  must('list the datacenters without headers of a query', async () => {
    const answer = await http.get('/v1/catalog/datacenters')
    expect(answer.json()).toEqual(['dc1'])
    expect(answer.headers['x-consul-index']).toBeUndefined()
  })

  must('take registrations straight into the catalog, for nodes without an agent', async () => {
    const [node, name] = [unique('ext'), unique('db')]
    const answer = await http.put('/v1/catalog/register', {
      Node: node,
      Address: '10.1.1.1',
      NodeMeta: { zone: node },
      Service: { ID: `${name}-1`, Service: name, Port: 5432 },
      Check: { CheckID: `${name}-check`, Name: 'c', Status: 'passing', ServiceID: `${name}-1` },
    })
    expect([answer.status, answer.text.trim()]).toEqual([200, 'true'])
    const [entry] = (await http.get(`/v1/health/service/${name}`)).json<Entry[]>()
    expect(entry).toMatchObject({
      Node: { Node: node, ID: '', Meta: { zone: node } },
      Service: { ID: `${name}-1`, Tags: [], Meta: null },
    })
    expect(entry?.Checks).toMatchObject([{ CheckID: `${name}-check`, Status: 'passing', ServiceName: name }])
    expect(await idsOf(`/v1/health/service/${name}?node-meta=zone:${node}`)).toHaveLength(1)
    expect(await idsOf(`/v1/health/service/${name}?node-meta=zone:other`)).toEqual([])
    expect((await http.get(`/v1/catalog/services?node-meta=zone:${node}`)).json()).toEqual({ [name]: [] })
    await http.put('/v1/catalog/deregister', { Node: node, ServiceID: `${name}-1` })
    expect(await idsOf(`/v1/health/service/${name}`)).toEqual([])
    await http.put('/v1/catalog/deregister', { Node: node })
    expect((await http.get(`/v1/catalog/node/${node}`)).json()).toBeNull()
  })

  for (const [title, path, body, status, text] of [
    ['a registration without a node', 'register', {}, 500, 'Must provide node'],
    [
      'a registration without an address',
      'register',
      { Node: 'x' },
      500,
      'Must provide address if SkipNodeUpdate is not set',
    ],
    [
      'a check for no service',
      'register',
      { Node: 'x', Address: '1.1.1.1', Check: { Name: 'c', Status: 'passing', ServiceID: 'nope' } },
      500,
      'failed inserting check: Missing service registration',
    ],
    [
      'another datacenter',
      'register',
      { Node: 'x', Address: '1.1.1.1', Datacenter: 'nope' },
      500,
      'No path to datacenter',
    ],
    ['a deregistration without a node', 'deregister', {}, 500, 'Must provide node'],
    ['a body that is no JSON', 'register', 'x', 400, 'Request decode failed: invalid character'],
  ] as const) {
    must(`refuse ${title} in the catalog`, async () => {
      const answer = await http.put(`/v1/catalog/${path}`, body)
      expect(answer.status).toBe(status)
      expect(answer.text).toContain(text)
    })
  }

  must('keep copies for those who ask for cached answers', async () => {
    const path = `/v1/health/service/${unique('cached')}?cached`
    expect((await http.get(path)).headers).toMatchObject({ 'x-cache': 'MISS' })
    const second = await http.get(path)
    expect(second.headers).toMatchObject({ 'x-cache': 'HIT', age: '0' })
  })

  must('tell who they are', async () => {
    const self = (await http.get('/v1/agent/self')).json<{ Config: Record<string, unknown> }>()
    expect(self.Config).toMatchObject({ Datacenter: 'dc1', NodeName: agent().node, Version: subject.version })
    const members = (await http.get('/v1/agent/members')).json<{ Name: string; Status: number }[]>()
    expect(members).toMatchObject([{ Name: agent().node, Status: 1 }])
    expect((await http.get('/v1/status/leader')).json()).toMatch(/^127\.0\.0\.1:\d+$/)
    expect((await http.get('/v1/status/peers')).json()).toHaveLength(1)
  })
})

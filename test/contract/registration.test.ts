import { expect } from 'vitest'
import { contract } from './support/contract.js'

interface Entry {
  readonly Node: Record<string, unknown>
  readonly Service: Record<string, unknown>
  readonly Checks: readonly Record<string, unknown>[]
}

contract('registering a service', ({ must, since, before, http, agent, unique }) => {
  const register = (body: object, query = '') => http.put(`/v1/agent/service/register${query}`, body)
  const entriesOf = async (name: string) => (await http.get(`/v1/health/service/${name}`)).json<Entry[]>()
  const checksOf = async (id: string) =>
    Object.values((await http.get('/v1/agent/checks')).json<Record<string, Record<string, unknown>>>())
      .filter((check) => check['ServiceID'] === id)
      .map((check) => check['CheckID'])

  must('answers 200 without a body or a content type', async () => {
    const answer = await register({ Name: unique('web') })
    expect(answer.status).toBe(200)
    expect(answer.text).toBe('')
    expect(answer.headers['content-type']).toBeUndefined()
  })

  must('is visible to the next read of health, catalog and agent', async () => {
    const name = unique('web')
    await register({ ID: `${name}-1`, Name: name, Tags: ['a', 'b'], Port: 80, Address: '10.0.0.1', Meta: { v: '1' } })
    const [entry] = await entriesOf(name)
    expect(entry?.Service).toMatchObject({
      ID: `${name}-1`,
      Service: name,
      Tags: ['a', 'b'],
      Address: '10.0.0.1',
      Port: 80,
      Meta: { v: '1' },
      Weights: { Passing: 1, Warning: 1 },
      EnableTagOverride: false,
    })
    expect(entry?.Service['TaggedAddresses']).toEqual({
      lan_ipv4: { Address: '10.0.0.1', Port: 80 },
      wan_ipv4: { Address: '10.0.0.1', Port: 80 },
    })
    expect(entry?.Node).toMatchObject({ Node: agent().node, Datacenter: 'dc1' })
    expect(entry?.Checks.map((check) => check['CheckID'])).toEqual(['serfHealth'])
    const services = (await http.get('/v1/agent/services')).json<Record<string, object>>()
    expect(services[`${name}-1`]).toMatchObject({ ID: `${name}-1`, Service: name, Port: 80 })
    const tags = (await http.get('/v1/catalog/services')).json<Record<string, string[]>>()[name]
    expect(tags?.sort()).toEqual(['a', 'b'])
  })

  must('takes the name as id when none is given', async () => {
    const name = unique('web')
    await register({ Name: name })
    expect((await http.get(`/v1/agent/service/${name}`)).json()).toMatchObject({
      ID: name,
      Service: name,
      Tags: [],
      Meta: {},
    })
  })

  must('matches field names in any case, and knows the old spellings', async () => {
    const name = unique('web')
    const answer = await register({
      name,
      port: 5,
      enable_tag_override: true,
      tagged_addresses: { lan: { address: '1.2.3.4', port: 5 } },
    })
    expect(answer.status).toBe(200)
    expect((await http.get(`/v1/agent/service/${name}`)).json()).toMatchObject({
      Port: 5,
      EnableTagOverride: true,
      TaggedAddresses: { lan: { Address: '1.2.3.4', Port: 5 } },
    })
  })

  must('takes null for what may be absent', async () => {
    const name = unique('web')
    expect(
      (await register({ Name: name, Tags: null, Meta: null, Check: null, Checks: null, Weights: null })).status,
    ).toBe(200)
  })

  must('keeps weights, and gives a missing one 0', async () => {
    const name = unique('web')
    await register({ Name: name, Weights: { Passing: 5 } })
    expect((await entriesOf(name))[0]?.Service['Weights']).toEqual({ Passing: 5, Warning: 0 })
  })

  must('takes ports out of range and names that DNS cannot say', async () => {
    expect((await register({ Name: unique('web'), Port: 99_999 })).status).toBe(200)
    expect((await register({ Name: unique('odd name/ü') })).status).toBe(200)
  })

  must('names one check after the service, and several by number', async () => {
    const [one, several] = [unique('web'), unique('web')]
    await register({ Name: one, Check: { TTL: '30s' } })
    await register({
      Name: several,
      Checks: [{ TTL: '30s' }, { TTL: '30s', CheckID: `${several}-mine`, Name: 'Mine' }, { TTL: '30s' }],
    })
    expect(await checksOf(one)).toEqual([`service:${one}`])
    expect((await checksOf(several)).sort()).toEqual(
      [`service:${several}:1`, `service:${several}:3`, `${several}-mine`].sort(),
    )
  })

  must('starts a check critical with an automatic name, or as the registration says', async () => {
    const name = unique('web')
    await register({ Name: name, Checks: [{ TTL: '30s' }, { TTL: '30s', Status: 'passing', Notes: 'n' }] })
    const checks = (await http.get('/v1/agent/checks')).json<Record<string, object>>()
    expect(checks[`service:${name}:1`]).toMatchObject({
      Status: 'critical',
      Name: `Service '${name}' check`,
      Type: 'ttl',
      Output: '',
    })
    expect(checks[`service:${name}:2`]).toMatchObject({ Status: 'passing', Notes: 'n', CreateIndex: 0, ModifyIndex: 0 })
  })

  must('takes an empty check as none', async () => {
    const name = unique('web')
    expect((await register({ Name: name, Check: {} })).status).toBe(200)
    expect(await checksOf(name)).toEqual([])
  })

  must('keeps the state of a check that is registered again, whatever the new one says', async () => {
    const name = unique('web')
    const body = { Name: name, Check: { TTL: '30s', Status: 'critical' } }
    await register(body)
    await http.put(`/v1/agent/check/pass/service:${name}`)
    await register(body)
    expect((await entriesOf(name))[0]?.Checks[1]).toMatchObject({ Status: 'passing' })
    await register(body, '?replace-existing-checks=true')
    expect((await entriesOf(name))[0]?.Checks[1]).toMatchObject({ Status: 'passing' })
  })

  must('leaves old checks in place unless told to replace them', async () => {
    const name = unique('web')
    await register({ Name: name, Checks: [{ TTL: '30s' }, { TTL: '30s' }] })
    await register({ Name: name, Check: { TTL: '30s' } })
    expect((await checksOf(name)).sort()).toEqual([`service:${name}`, `service:${name}:1`, `service:${name}:2`])
    await register({ Name: name, Check: { TTL: '30s' } }, '?replace-existing-checks=false')
    expect(await checksOf(name)).toHaveLength(3)
    await register({ Name: name, Check: { TTL: '30s' } }, '?replace-existing-checks')
    expect(await checksOf(name)).toEqual([`service:${name}`])
  })

  must('renames a service when its id comes with another name', async () => {
    const [before_, after] = [unique('old'), unique('new')]
    await register({ ID: before_, Name: before_ })
    await register({ ID: before_, Name: after })
    expect(await entriesOf(before_)).toEqual([])
    expect((await entriesOf(after))[0]?.Service).toMatchObject({ ID: before_, Service: after })
  })

  must('lets a check id move to the service that named it last', async () => {
    const [first, second] = [unique('web'), unique('web')]
    const id = unique('shared-check')
    await register({ Name: first, Check: { CheckID: id, TTL: '30s' } })
    await register({ Name: second, Check: { CheckID: id, TTL: '30s' } })
    expect(await checksOf(first)).toEqual([])
    expect(await checksOf(second)).toEqual([id])
  })

  must('changes no index when nothing changed', async () => {
    const name = unique('web')
    const body = { Name: name, Tags: ['a'], Check: { TTL: '30s' } }
    await register(body)
    const first = (await http.get(`/v1/health/service/${name}`)).index
    await register(body)
    expect((await http.get(`/v1/health/service/${name}`)).index).toBe(first)
    await register({ ...body, Tags: ['b'] })
    expect((await http.get(`/v1/health/service/${name}`)).index).toBeGreaterThan(first)
  })

  must('deregisters a service with its checks', async () => {
    const name = unique('web')
    await register({ Name: name, Check: { TTL: '30s' } })
    const answer = await http.put(`/v1/agent/service/deregister/${name}`)
    expect([answer.status, answer.text]).toEqual([200, ''])
    expect(await entriesOf(name)).toEqual([])
    expect(await checksOf(name)).toEqual([])
    expect((await http.get(`/v1/agent/service/${name}`)).status).toBe(404)
  })

  before('1.11.0', 'unknown ids answer 404 since')('answers 200 when an unknown service is deregistered', async () => {
    expect((await http.put('/v1/agent/service/deregister/nope')).status).toBe(200)
  })

  since('1.11.0', 'unknown ids answered 200 before')(
    'answers 404 when an unknown service is deregistered',
    async () => {
      const answer = await http.put('/v1/agent/service/deregister/nope')
      expect(answer.status).toBe(404)
      expect(answer.text).toMatch(/^Unknown service ID "nope"/)
    },
  )

  must('refuses to deregister nothing', async () => {
    const answer = await http.put('/v1/agent/service/deregister/')
    expect([answer.status, answer.text]).toEqual([500, 'ServiceID missing'])
  })

  since('1.22.0', 'Ports came with 1.22')('takes several named ports, and shows them beside a port of 0', async () => {
    const name = unique('web')
    const Ports = [
      { Name: 'http', Port: 8080, Default: true },
      { Name: 'grpc', Port: 9090, Default: false },
    ]
    expect((await register({ Name: name, Ports })).status).toBe(200)
    expect((await entriesOf(name))[0]?.Service).toMatchObject({ Port: 0, Ports })
    expect((await register({ Name: name, Port: 1, Ports })).status).toBe(400)
  })

  before('1.10.0', 'SocketPath came with 1.10')('refuses fields of later versions as unknown', async () => {
    for (const field of ['Ports', 'SocketPath', 'Locality', 'Partition', 'Namespace']) {
      const answer = await register({ Name: unique('web'), [field]: [] })
      expect([answer.status, answer.text]).toEqual([400, `Request decode failed: json: unknown field "${field}"`])
    }
  })

  must('closes the connection without an answer at a null among the checks', async () => {
    await expect(register({ Name: unique('web'), Checks: [null] })).rejects.toThrow()
  })
})

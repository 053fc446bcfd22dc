import { createServer } from 'node:http'
import { createServer as createGrpcServer } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { expect } from 'vitest'
import { eventually } from '../support/eventually.js'
import { contract } from './support/contract.js'

interface Check {
  readonly CheckID: string
  readonly Status: string
  readonly Output: string
  readonly Notes: string
  readonly Type: string
  readonly ServiceID: string
}

contract('an agent’s checks', ({ must, since, before, http, unique, agent }) => {
  const checks = async () => (await http.get('/v1/agent/checks')).json<Record<string, Check>>()
  const service = async (check: object) => {
    const name = unique('svc')
    await http.put('/v1/agent/service/register', { Name: name, Check: check })
    return name
  }
  const statusOf = async (name: string) => (await checks())[`service:${name}`]?.Status

  must('go to each state by pass, warn and fail, with a note', async () => {
    const name = await service({ TTL: '30s' })
    for (const [verb, status] of [
      ['pass', 'passing'],
      ['warn', 'warning'],
      ['fail', 'critical'],
    ] as const) {
      const answer = await http.put(`/v1/agent/check/${verb}/service:${name}?note=because%20${verb}`)
      expect([answer.status, answer.text]).toEqual([200, ''])
      expect((await checks())[`service:${name}`]).toMatchObject({ Status: status, Output: `because ${verb}` })
    }
  })

  must('take a state and an output as a body', async () => {
    const name = await service({ TTL: '30s' })
    const answer = await http.put(`/v1/agent/check/update/service:${name}`, {
      status: 'warning',
      Output: 'two lines\nof it',
    })
    expect(answer.status).toBe(200)
    expect((await checks())[`service:${name}`]).toMatchObject({ Status: 'warning', Output: 'two lines\nof it' })
  })

  for (const [title, body, text] of [
    ['an unknown state', { Status: 'bogus' }, "Invalid check status: 'bogus'"],
    ['a state in capitals', { Status: 'PASSING' }, "Invalid check status: 'PASSING'"],
    ['no state', { Status: '' }, "Invalid check status: ''"],
    ['no body', '', 'Request decode failed: EOF'],
    ['an unknown field', { Bogus: 1 }, 'Request decode failed: json: unknown field "Bogus"'],
  ] as const) {
    must(`refuse an update with ${title}`, async () => {
      const name = await service({ TTL: '30s' })
      const answer = await http.put(`/v1/agent/check/update/service:${name}`, body)
      expect([answer.status, answer.text]).toEqual([400, text])
    })
  }

  must('cut an output that is too long, and say so', async () => {
    const name = await service({ TTL: '30s' })
    await http.put(`/v1/agent/check/update/service:${name}`, { Status: 'passing', Output: 'x'.repeat(5000) })
    expect((await checks())[`service:${name}`]?.Output).toBe(`${'x'.repeat(4096)} ... (captured 4096 of 5000 bytes)`)
  })

  must('turn critical when the TTL has passed, and say what was last heard', async () => {
    const quiet = await service({ TTL: '300ms' })
    const spoken = await service({ TTL: '300ms' })
    await http.put(`/v1/agent/check/pass/service:${spoken}?note=fine`)
    await eventually(async () => {
      const all = await checks()
      expect(all[`service:${quiet}`]).toMatchObject({ Status: 'critical', Output: 'TTL expired' })
      expect(all[`service:${spoken}`]).toMatchObject({
        Status: 'critical',
        Output: 'TTL expired (last output before timeout follows): fine',
      })
    })
  })

  must('pass as long as they are heard of', async () => {
    const name = await service({ TTL: '400ms' })
    const until = performance.now() + 1_000
    const seen = new Set<string | undefined>()
    await eventually(async () => {
      await http.put(`/v1/agent/check/pass/service:${name}`)
      seen.add(await statusOf(name))
      expect(performance.now()).toBeGreaterThan(until)
    })
    expect([...seen]).toEqual(['passing'])
  })

  before('1.11.0', 'unknown ids answer 404 since')('answer 500 for a heartbeat of an unknown check', async () => {
    for (const verb of ['pass', 'warn', 'fail']) {
      const answer = await http.put(`/v1/agent/check/${verb}/nope`)
      expect([answer.status, answer.text]).toEqual([500, 'CheckID "nope" does not have associated TTL'])
    }
  })

  since('1.11.0', 'unknown ids answered 500 before')('answer 404 for a heartbeat of an unknown check', async () => {
    for (const verb of ['pass', 'warn', 'fail']) {
      const answer = await http.put(`/v1/agent/check/${verb}/nope`)
      expect(answer.status).toBe(404)
      expect(answer.text).toMatch(/^Unknown check ID "nope"/)
    }
  })

  must('refuse a heartbeat for a check that has no TTL', async () => {
    const name = await service({ TCP: '127.0.0.1:1', Interval: '1h' })
    const answer = await http.put(`/v1/agent/check/pass/service:${name}`)
    expect([answer.status, answer.text]).toEqual([500, `CheckID "service:${name}" does not have associated TTL`])
  })

  must('are registered by themselves for the node, with their name as id', async () => {
    const name = unique('mem')
    expect((await http.put('/v1/agent/check/register', { Name: name, TTL: '30s', Status: 'passing' })).status).toBe(200)
    expect((await checks())[name]).toMatchObject({ CheckID: name, ServiceID: '', Status: 'passing', Type: 'ttl' })
    const ofNode = (await http.get(`/v1/health/node/${agent().node}`)).json<Check[]>()
    expect(ofNode.map((check) => check.CheckID)).toContain(name)
    expect((await http.put(`/v1/agent/check/deregister/${name}`)).status).toBe(200)
    expect((await checks())[name]).toBeUndefined()
  })

  must('are added to a service that is there', async () => {
    const name = await service({ TTL: '30s' })
    const id = unique('extra')
    expect(
      (await http.put('/v1/agent/check/register', { ID: id, Name: 'Extra', TTL: '30s', ServiceID: name })).status,
    ).toBe(200)
    const ofService = (await http.get(`/v1/health/checks/${name}`)).json<Check[]>()
    expect(ofService.map((check) => check.CheckID).sort()).toEqual([id, `service:${name}`].sort())
  })

  for (const [title, body, status, text] of [
    ['no name', { TTL: '30s' }, 400, 'Missing check name'],
    ['an unknown service', { Name: 'x', TTL: '30s', ServiceID: 'nosuch' }, 500, 'ServiceID "nosuch" does not exist'],
    ['an unknown state', { Name: 'x', TTL: '30s', Status: 'bogus' }, 400, 'Bad check status'],
    ['nothing to check', { Name: 'x' }, 400, 'Invalid check: TTL must be > 0 for TTL checks'],
  ] as const) {
    must(`are not registered with ${title}`, async () => {
      const answer = await http.put('/v1/agent/check/register', body)
      expect([answer.status, answer.text]).toEqual([status, text])
    })
  }

  must('make HTTP requests: 2xx passes, 429 warns, the rest is critical', async () => {
    let status = 200
    const server = createServer((_request, response) => response.writeHead(status).end('how it is'))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/health`
    const name = await service({ HTTP: url, Interval: '100ms', Timeout: '1s' })
    await eventually(async () => expect(await statusOf(name)).toBe('passing'))
    expect((await checks())[`service:${name}`]).toMatchObject({
      Type: 'http',
      Output: `HTTP GET ${url}: 200 OK Output: how it is`,
    })
    status = 429
    await eventually(async () => expect(await statusOf(name)).toBe('warning'))
    status = 500
    await eventually(async () => expect(await statusOf(name)).toBe('critical'))
    await http.put(`/v1/agent/service/deregister/${name}`)
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })

  must('make HTTP requests with a method, headers and a body of choice', async () => {
    const seen: { method?: string; header?: string; body?: string }[] = []
    const server = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        seen.push({
          method: request.method ?? '',
          header: String(request.headers['x-probe']),
          body: Buffer.concat(chunks).toString(),
        })
        response.end()
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
    const name = await service({
      HTTP: url,
      Method: 'POST',
      Header: { 'X-Probe': ['yes'] },
      Body: 'ping',
      Interval: '100ms',
    })
    await eventually(() => expect(seen[0]).toEqual({ method: 'POST', header: 'yes', body: 'ping' }))
    await http.put(`/v1/agent/service/deregister/${name}`)
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })

  must('connect by TCP, and tell when nobody listens', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const target = `127.0.0.1:${(server.address() as AddressInfo).port}`
    const name = await service({ TCP: target, Interval: '100ms' })
    await eventually(async () => expect(await statusOf(name)).toBe('passing'))
    expect((await checks())[`service:${name}`]?.Output).toBe(`TCP connect ${target}: Success`)
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    await eventually(async () => expect(await statusOf(name)).toBe('critical'))
    expect((await checks())[`service:${name}`]?.Output).toContain('connection refused')
  })

  must('ask a gRPC server for its health', async () => {
    let serving = 1
    const asked: string[] = []
    const server = createGrpcServer()
    server.on('stream', (stream, headers) => {
      asked.push(String(headers[':path']))
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
      stream.on('error', () => undefined)
      stream.end(Buffer.from([0, 0, 0, 0, 2, 0x08, serving]))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const name = await service({
      GRPC: `127.0.0.1:${(server.address() as AddressInfo).port}`,
      Interval: '100ms',
      Timeout: '2s',
    })
    await eventually(async () => expect(await statusOf(name)).toBe('passing'))
    expect(asked[0]).toBe('/grpc.health.v1.Health/Check')
    serving = 2
    await eventually(async () => expect(await statusOf(name)).toBe('critical'))
    await http.put(`/v1/agent/service/deregister/${name}`)
    await new Promise((resolve) => server.close(resolve))
  })

  must('follow another service as an alias', async () => {
    const target = await service({ TTL: '30s', Status: 'passing' })
    const follower = unique('follower')
    await http.put('/v1/agent/service/register', { Name: follower, Check: { AliasService: target } })
    await eventually(async () => expect(await statusOf(follower)).toBe('passing'))
    await http.put(`/v1/agent/check/fail/service:${target}`)
    await eventually(async () => expect(await statusOf(follower)).toBe('critical'))
  })

  must('put a service into maintenance and out of it, keeping the first reason', async () => {
    const name = await service({ TTL: '30s', Status: 'passing' })
    const path = `/v1/agent/service/maintenance/${name}`
    expect((await http.put(`${path}?enable=true&reason=first`)).status).toBe(200)
    await http.put(`${path}?enable=true&reason=second`)
    expect((await checks())[`_service_maintenance:${name}`]).toMatchObject({
      Status: 'critical',
      Notes: 'first',
      Type: 'maintenance',
    })
    expect((await http.get(`/v1/health/service/${name}?passing`)).json()).toEqual([])
    await http.put(`${path}?enable=f`)
    expect((await http.get(`/v1/health/service/${name}?passing`)).json()).toHaveLength(1)
  })

  must('lose maintenance with a registration that replaces all checks', async () => {
    const name = await service({ TTL: '30s' })
    await http.put(`/v1/agent/service/maintenance/${name}?enable=true`)
    await http.put('/v1/agent/service/register?replace-existing-checks', { Name: name, Check: { TTL: '30s' } })
    expect((await checks())[`_service_maintenance:${name}`]).toBeUndefined()
  })

  must('put the node into maintenance, and with it all its services', async () => {
    const name = await service({ TTL: '30s', Status: 'passing' })
    await http.put('/v1/agent/maintenance?enable=1&reason=r')
    expect((await http.get(`/v1/health/service/${name}?passing`)).json()).toEqual([])
    await http.put('/v1/agent/maintenance?enable=0')
    expect((await http.get(`/v1/health/service/${name}?passing`)).json()).toHaveLength(1)
  })

  must('refuse maintenance that is not said right', async () => {
    const name = await service({ TTL: '30s' })
    const missing = await http.put(`/v1/agent/service/maintenance/${name}`)
    expect([missing.status, missing.text]).toEqual([400, 'Missing value for enable'])
    const bad = await http.put(`/v1/agent/service/maintenance/${name}?enable=bogus`)
    expect([bad.status, bad.text]).toEqual([400, 'Invalid value for enable: "bogus"'])
    expect((await http.put('/v1/agent/service/maintenance/nope?enable=true')).status).toBe(404)
  })

  must('are summed up as a status code by the agent', async () => {
    const name = await service({ TTL: '30s', Status: 'passing' })
    const byId = `/v1/agent/health/service/id/${name}`
    expect((await http.get(byId)).status).toBe(200)
    await http.put(`/v1/agent/check/warn/service:${name}`)
    expect((await http.get(byId)).status).toBe(429)
    await http.put(`/v1/agent/check/fail/service:${name}`)
    const critical = await http.get(byId)
    expect(critical.status).toBe(503)
    expect(critical.json()).toMatchObject({ AggregatedStatus: 'critical', Service: { ID: name } })
    expect((await http.get(`/v1/agent/health/service/name/${name}?format=text`)).text).toBe('critical')
    expect((await http.get('/v1/agent/health/service/id/nope')).status).toBe(404)
    expect((await http.get('/v1/agent/health/service/name/nope')).status).toBe(404)
  })
})

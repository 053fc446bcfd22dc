import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import { afterEach, describe, expect, it } from 'vitest'
import type { HealthStatus } from '../../../../src/registration/definition/health-status.js'
import { createHealthHandler, type HealthSource } from '../../../../src/registration/health/health-handler.js'

const stops: (() => void)[] = []
afterEach(() => {
  for (const stop of stops.splice(0)) stop()
})

function source(
  id: string,
  probe: HealthStatus,
  { isReady = probe !== 'critical', status = probe } = {},
): HealthSource {
  const probes = { db: { status: probe, output: 'said', durationMs: 1, checkedAt: 2 } }
  return { id, state: 'registered', isReady, health: { status, probes } }
}

/** Asks a server that has the handler. */
async function ask(sources: readonly HealthSource[], path: string, options: RequestInit = {}, hasNext = false) {
  const handler = createHealthHandler(() => sources)
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    if (hasNext) handler(request, response, () => response.end('the application'))
    else handler(request, response)
  }).listen(0, '127.0.0.1')
  stops.push(() => server.close())
  await once(server, 'listening')
  const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`, options)
  return { status: response.status, headers: response.headers, body: await response.text() }
}

describe('/livez', () => {
  it('lives while it can answer, whatever the probes say', async () => {
    const { status, body } = await ask([source('a', 'critical')], '/livez')
    expect([status, body]).toEqual([200, '{"status":"passing"}'])
  })
})

describe('/readyz', () => {
  it.each<[HealthStatus, number]>([
    ['passing', 200],
    ['warning', 200],
    ['critical', 503],
  ])('answers of a service that is %s as discovery does: with %s', async (status, code) => {
    const answer = await ask([source('fine', 'passing'), source('a', status)], '/readyz')
    expect(answer.status).toBe(code)
    expect(JSON.parse(answer.body)).toEqual({
      ready: code === 200,
      services: [
        { id: 'fine', state: 'registered', ready: true },
        { id: 'a', state: 'registered', ready: code === 200 },
      ],
    })
  })

  it('is not ready before anything is registered, nor once one service leaves', async () => {
    expect((await ask([], '/readyz')).status).toBe(503)
    expect((await ask([source('a', 'passing'), source('b', 'passing', { isReady: false })], '/readyz')).status).toBe(
      503,
    )
  })
})

describe('/healthz', () => {
  it.each<[HealthStatus, number]>([
    ['passing', 200],
    ['warning', 429],
    ['critical', 503],
  ])('answers of the worst probe, %s, as the HTTP check of Consul reads it: with %s', async (status, code) => {
    const answer = await ask([source('fine', 'passing'), source('a', status)], '/healthz?verbose')
    expect(answer.status).toBe(code)
    expect(JSON.parse(answer.body)).toMatchObject({ status, services: [{ id: 'fine' }, { id: 'a', status }] })
  })

  it('does not answer with what Consul found by asking it', async () => {
    const { status, body } = await ask([source('a', 'passing', { status: 'critical' })], '/healthz')
    expect([status, JSON.parse(body)]).toMatchObject([200, { services: [{ status: 'passing' }] }])
    expect((await ask([], '/healthz')).status).toBe(200)
  })
})

describe('every answer', () => {
  it('is JSON that nobody keeps, and has no body for HEAD', async () => {
    const { headers } = await ask([], '/livez')
    expect([headers.get('content-type'), headers.get('cache-control')]).toEqual(['application/json', 'no-store'])
    const head = await ask([], '/livez', { method: 'HEAD' })
    expect([head.status, head.body, head.headers.get('content-length')]).toEqual([200, '', '20'])
  })

  it('is left to the application on other paths, or says that there is nothing', async () => {
    for (const path of ['/', '/orders', '/healthz/more', '/toString', '/__proto__']) {
      expect((await ask([], path, {}, true)).body).toBe('the application')
      expect(await ask([], path)).toMatchObject({ status: 404, body: '{"error":"not found"}' })
    }
  })
})

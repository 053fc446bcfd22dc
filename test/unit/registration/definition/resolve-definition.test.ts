import { describe, expect, it } from 'vitest'
import { resolveDefinition } from '../../../../src/registration/definition/resolve-definition.js'
import { resolveUpdate } from '../../../../src/registration/definition/resolve-update.js'
import type { ServiceDefinition } from '../../../../src/registration/definition/service-definition.js'

const PLACE = { hostname: 'host.local', boot: 'boot' }
const resolve = (definition: ServiceDefinition) => resolveDefinition(definition, PLACE)

describe('resolveDefinition', () => {
  it('needs nothing but a name: a TTL check of 15 s, and an id from name, host and port', () => {
    expect(resolve({ name: 'orders' })).toMatchObject({
      service: { id: 'orders-host.local', name: 'orders', meta: { 'proconsul-boot': 'boot' } },
      ttl: { checkId: 'service:orders-host.local', ttlMs: 15_000 },
      probes: [],
    })
    expect(resolve({ name: 'my orders', port: 80 }).service.id).toBe('my-orders-host.local-80')
    expect(resolve({ name: 'orders', id: 'x', port: 80 }).service.id).toBe('x')
  })

  it('gives each of several checks an id and a name of its own', () => {
    const { service } = resolve({
      name: 'web',
      id: 'w',
      checks: [{ ttl: '2s' }, { type: 'tcp', address: '[::1]:80' }, { type: 'alias', service: 'db' }],
    })
    expect(service.checks.map(({ id, name }) => [id, name])).toEqual([
      ['service:w', "Service 'web' check"],
      ['service:w:2', "Service 'web' check 2"],
      ['service:w:3', "Service 'web' check 3"],
    ])
  })

  it('leaves out what was not set, and completes a weight that Consul would take for 0', () => {
    const { service } = resolve({ name: 'web', weights: { passing: 5 }, checks: [] })
    expect(service.weights).toEqual({ passing: 5, warning: 1 })
    expect(JSON.parse(JSON.stringify(service))).toEqual({
      id: 'web-host.local',
      name: 'web',
      meta: { 'proconsul-boot': 'boot' },
      weights: { passing: 5, warning: 1 },
      checks: [],
    })
  })

  it.each<[string, object]>([
    ['definition.prot', { name: 'a', prot: 1 }],
    ['name', { name: '' }],
    ['id', { name: 'a', id: 'a/b' }],
    ['id', { name: 'a', id: 'a b' }],
    ['port', { name: 'a', port: 99_999 }],
    ['port', { name: 'a', port: 0 }],
    ['ports', { name: 'a', port: 1, ports: [{ name: 'http', port: 1 }] }],
    ['ports[1].name', { name: 'a', ports: [1, 2].map((port) => ({ name: 'http', port })) }],
    ['ports', { name: 'a', ports: ['x', 'y'].map((name) => ({ name, port: 1, default: true })) }],
    ['address', { name: 'a', address: '0.0.0.0' }],
    ['address', { name: 'a', address: '::' }],
    ['address', { name: 'a', address: 'http://x' }],
    ['tags', { name: 'a', tags: 'v1' }],
    ['meta key', { name: 'a', meta: { 'a.b': '1' } }],
    ['meta key', { name: 'a', meta: { 'consul-x': '1' } }],
    ['meta.v', { name: 'a', meta: { v: 'ü'.repeat(300) } }],
    ['meta', { name: 'a', meta: Object.fromEntries(Array.from({ length: 64 }, (_, i) => [`k${i}`, ''])) }],
    ['weights.passing', { name: 'a', weights: { passing: 0 } }],
    ['weights.passing', { name: 'a', weights: { passing: 70_000 } }],
    ['check.ttl', { name: 'a', check: { ttl: '10ms' } }],
    ['check.ttl', { name: 'a', check: { ttl: '10' } }],
    ['check.deregisterCriticalServiceAfter', { name: 'a', check: { deregisterCriticalServiceAfter: '30s' } }],
    ['check.type', { name: 'a', check: { type: 'script' } }],
    ['check.interval', { name: 'a', check: { type: 'ttl', interval: '1s' } }],
    ['check.url', { name: 'a', check: { type: 'http', url: 'localhost' } }],
    ['check.address', { name: 'a', check: { type: 'tcp', address: 'localhost' } }],
    ['check.address', { name: 'a', check: { type: 'grpc', address: 'h:70000' } }],
    ['check.service', { name: 'a', check: { type: 'alias' } }],
    ['checks', { name: 'a', check: {}, checks: [] }],
    ['checks', { name: 'a', checks: [{}, { id: 'x', name: 'x' }] }],
    ['checks[0]', { name: 'a', checks: [null] }],
    [
      'checks[1].name',
      {
        name: 'a',
        checks: [
          { type: 'tcp', address: 'h:1', name: 'x' },
          { type: 'tcp', address: 'h:2', name: 'x' },
        ],
      },
    ],
    ['probes.db', { name: 'a', check: { probes: { db: 1 } } }],
    ['probes.db.timeout', { name: 'a', check: { probes: { db: { run: () => 1, timeout: 'x' } } } }],
    ['slowStart', { name: 'a', slowStart: '30s' }],
    ['heartbeat.thread', { name: 'a', heartbeat: { thread: 'fiber' } }],
    ['heartbeat.criticalAfter', { name: 'a', heartbeat: { warnAfter: '2s', criticalAfter: '1s' } }],
    ['eventLoop.warnAfter', { name: 'a', eventLoop: { warnAfter: 1 } }],
  ])('refuses a nonsensical %s before anything is sent', (option, definition) => {
    expect(() => resolve(definition as ServiceDefinition)).toThrow(
      expect.objectContaining({
        code: 'PROCONSUL_INVALID_OPTION',
        message: expect.stringMatching(new RegExp(`^${option.replace(/[[\]]/g, '\\$&')} is `)) as string,
      }),
    )
  })
})

describe('resolveUpdate', () => {
  const current: ServiceDefinition = { name: 'web', id: 'w', tags: ['a'], meta: { v: '1' }, check: { ttl: '5s' } }

  it('changes what is given and keeps the rest', () => {
    const { definition, resolved } = resolveUpdate(current, resolve(current), { tags: ['b'] })
    expect(definition).toEqual({ ...current, tags: ['b'] })
    expect(resolved.service).toMatchObject({ tags: ['b'], meta: { v: '1', 'proconsul-boot': 'boot' } })
  })

  it('keeps the ttl and the probes of a TTL check where they are left out, and changes them where they are given', () => {
    const [old, fresh] = [() => true, () => true]
    const probing: ServiceDefinition = { ...current, check: { ttl: '5s', probes: { old } } }
    const updated = (check: ServiceDefinition['check']) => resolveUpdate(probing, resolve(probing), { check }).resolved
    expect(updated({ notes: 'n' })).toMatchObject({ ttl: { ttlMs: 5_000 }, probes: [{ name: 'old', run: old }] })
    expect(updated({ ttl: '9s' })).toMatchObject({ ttl: { ttlMs: 9_000 }, probes: [{ run: old, intervalMs: 3_000 }] })
    expect(updated({ probes: { fresh } })).toMatchObject({ ttl: { ttlMs: 5_000 }, probes: [{ run: fresh }] })
    expect(updated({ probes: {} }).probes).toEqual([])
  })

  it.each([{ name: 'x' }, { id: 'x' }, { check: { ttl: '9ms' } }, { port: -1 }])('refuses %j', (update) => {
    expect(() => resolveUpdate(current, resolve(current), update as never)).toThrow(
      expect.objectContaining({ code: 'PROCONSUL_INVALID_OPTION' }),
    )
  })
})

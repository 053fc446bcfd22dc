import { describe, expect, it } from 'vitest'
import { resolveDefinition } from '../../../../src/registration/definition/resolve-definition.js'
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

  it('takes everything that can be said of a service', () => {
    const definition = {
      name: 'web',
      id: 'w',
      ports: [
        { name: 'http', port: 80 },
        { name: 'grpc', port: 81, default: true },
      ],
      address: '[fd00::1]',
      tags: ['a', 'a'],
      meta: { v: '1' },
      weights: { passing: 10, warning: 0 },
      taggedAddresses: { wan: { address: '[2001:db8::1]', port: 443 }, lan: { address: 'web.internal', port: 0 } },
      enableTagOverride: true,
      slowStart: '1s',
    }
    expect(resolve(definition)).toMatchObject({
      service: {
        id: 'w',
        name: 'web',
        ports: [
          { name: 'http', port: 80, isDefault: false },
          { name: 'grpc', port: 81, isDefault: true },
        ],
        address: 'fd00::1',
        tags: ['a', 'a'],
        meta: { v: '1', 'proconsul-boot': 'boot' },
        weights: { passing: 10, warning: 0 },
        taggedAddresses: { wan: { address: '2001:db8::1', port: 443 }, lan: { address: 'web.internal', port: 0 } },
        enableTagOverride: true,
      },
      slowStartMs: 1_000,
    })
  })

  it('makes the first of several ports the default where none is said to be', () => {
    const ports = ['x', 'y'].map((name, index) => ({ name, port: index + 1 }))
    expect(resolve({ name: 'a', ports }).service.ports?.map(({ isDefault }) => isDefault)).toEqual([true, false])
    expect(resolve({ name: 'a', ports }).service.id).toBe('a-host.local-1')
  })

  it('has the probes of all checks, whatever their kind, at the pace of the TTL', () => {
    const [one, two] = [() => true, () => true]
    const tcp = { type: 'tcp', address: 'h:1' } as const
    expect(
      resolve({
        name: 'a',
        checks: [
          { ...tcp, probes: { one } },
          { ttl: '3s', probes: { two } },
        ],
      }).probes,
    ).toMatchObject([
      { name: 'one', run: one, intervalMs: 1_000 },
      { name: 'two', run: two, intervalMs: 1_000 },
    ])
    expect(resolve({ name: 'a', check: { ...tcp, probes: { one } } })).toMatchObject({
      ttl: undefined,
      probes: [{ name: 'one', intervalMs: 10_000 }],
    })
  })

  it('says of probes beside the checks where they belong', () => {
    expect(() => resolve({ name: 'a', probes: {} } as ServiceDefinition)).toThrow(
      'probes is an object; expected them in a check, as in `check: { probes }`',
    )
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
    ['address', { name: 'a', address: '${NOMAD_IP_http}' }],
    ['taggedAddresses', { name: 'a', taggedAddresses: [] }],
    ['taggedAddresses.wan', { name: 'a', taggedAddresses: { wan: '10.0.0.1' } }],
    ['taggedAddresses.wan.address', { name: 'a', taggedAddresses: { wan: { address: '0:0:0:0:0:0:0:0', port: 1 } } }],
    ['taggedAddresses.wan.address', { name: 'a', taggedAddresses: { wan: { port: 1 } } }],
    ['taggedAddresses.wan.port', { name: 'a', taggedAddresses: { wan: { address: 'x', port: 65_536 } } }],
    ['enableTagOverride', { name: 'a', enableTagOverride: 'yes' }],
    ['name', {}],
    ['name', { name: '..' }],
    ['name', { name: 'a//b' }],
    ['name', { name: '\ud83d' }],
    ['tags[0]', { name: 'a', tags: [''] }],
    ['ports', { name: 'a', ports: [] }],
    ['ports[0].port', { name: 'a', ports: [{ name: 'http', port: 0 }] }],
    ['ports[0].default', { name: 'a', ports: [{ name: 'http', port: 1, default: 'yes' }] }],
    ['probes', { name: 'a', probes: { db: () => true } }],
    ['probes', { name: 'a', probes: undefined }],
    ['weights.warning', { name: 'a', weights: { warning: -1 } }],
    ['weights.critical', { name: 'a', weights: { critical: 0 } }],
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
    ['check.probes.db', { name: 'a', check: { probes: { db: 1 } } }],
    ['check.probes', { name: 'a', check: { probes: null } }],
    [
      'checks[1].probes.db.timeout',
      { name: 'a', checks: [{}, { type: 'tcp', address: 'h:1', probes: { db: { run: () => 1, timeout: 'x' } } }] },
    ],
    [
      'probes[1].name',
      { name: 'a', checks: [{ probes: { db: () => 1 } }, { type: 'tcp', address: 'h:1', probes: { db: () => 1 } }] },
    ],
    ['slowStart', { name: 'a', slowStart: '30s' }],
    ['slowStart', { name: 'a', slowStart: '999ms', weights: { passing: 2 } }],
    ['heartbeat.thread', { name: 'a', heartbeat: { thread: 'fiber' } }],
    ['heartbeat.warnAfter', { name: 'a', heartbeat: { warnAfter: '2s' } }],
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

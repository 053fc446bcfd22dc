import { describe, expect, it } from 'vitest'
import { serviceEntry, type WireCheck, type WireService } from '../../../src/api/health-entry.js'
import { consulInstance } from '../../../src/discovery/consul-instance.js'
import type { ServiceInstance } from '../../../src/instances/service-instance.js'

function instance(service: WireService, checks: readonly WireCheck[] = [], port?: string): ServiceInstance | undefined {
  const node = { Node: 'n1', Address: '10.0.0.1', Datacenter: 'dc1' }
  return consulInstance(serviceEntry({ Node: node, Service: service, Checks: checks }), port)
}

const check = (status: string, id = 'c'): WireCheck => ({ CheckID: id, Status: status })

describe('an instance', () => {
  it('is complete even when the agent leaves everything out or sends null', () => {
    expect(instance({ ID: 'a', Service: 's', Tags: null, Meta: null, Weights: null, Ports: null })).toEqual({
      id: 'a',
      name: 's',
      address: '10.0.0.1',
      port: 0,
      ports: {},
      taggedAddresses: {},
      tags: [],
      meta: {},
      weights: { passing: 1, warning: 1 },
      weight: 1,
      node: 'n1',
      datacenter: 'dc1',
      status: 'passing',
    })
  })

  it('has the metadata that its owner registered, and nothing that registrations add for themselves', () => {
    expect(instance({ Meta: { version: '2', 'proconsul-boot': '1.2.host' } })?.meta).toEqual({ version: '2' })
  })

  it('has the addresses under which it is reached from elsewhere', () => {
    const found = instance({ TaggedAddresses: { wan: { Address: '198.51.100.7', Port: 443 } } })
    expect(found?.taggedAddresses).toEqual({ wan: { address: '198.51.100.7', port: 443 } })
  })

  it.each([
    ['passing', [check('passing')], 5],
    ['warning', [check('warning')], 2],
    ['critical', [check('critical')], 0],
    ['maintenance', [check('critical', '_node_maintenance')], 0],
  ] as const)('that is %s weighs what Consul says of that status', (_status, checks, weight) => {
    expect(instance({ Weights: { Passing: 5, Warning: 2 } }, checks)?.weight).toBe(weight)
  })

  it('is reached at its own address where it has one, else at that of its node', () => {
    expect(instance({ Address: '10.0.0.9' })?.address).toBe('10.0.0.9')
    expect(instance({ Address: '' })?.address).toBe('10.0.0.1')
  })

  const ports = [
    { Name: 'metrics', Port: 9_090 },
    { Name: 'http', Port: 8_080, Default: true },
  ]

  it('has the default one of its named ports when its own is 0, as Consul 1.22 registers it', () => {
    expect(instance({ Port: 0, Ports: ports })).toMatchObject({ port: 8_080, ports: { metrics: 9_090, http: 8_080 } })
    expect(instance({ Port: 0, Ports: [{ Name: 'metrics', Port: 9_090 }] })?.port).toBe(9_090)
    expect(instance({ Port: 80 })?.port).toBe(80)
  })

  it('has the port that was asked for, and does not count without it', () => {
    expect(instance({ Ports: ports }, [], 'metrics')?.port).toBe(9_090)
    expect(instance({ Ports: ports }, [], 'grpc')).toBeUndefined()
    expect(instance({ Port: 80 }, [], 'grpc')).toBeUndefined()
  })

  it.each([
    [[], 'passing'],
    [[check('passing'), check('warning')], 'warning'],
    [[check('warning'), check('critical'), check('passing')], 'critical'],
    [[check('critical'), check('warning')], 'critical'],
    [[check('no such status')], 'critical'],
    [[check('warning'), check('critical', '_service_maintenance:a')], 'maintenance'],
    [[check('critical', '_node_maintenance')], 'maintenance'],
  ] as const)('has the worst status of its checks: %j is %s', (checks, status) => {
    expect(instance({}, checks)?.status).toBe(status)
  })
})

import { describe, expect, it } from 'vitest'
import {
  defineInstance,
  instanceKey,
  sameInstance,
  weightOf,
  type ServiceInstance,
} from '../../../src/instances/service-instance.js'

const least = { id: 'a', name: 'web', address: '10.0.0.1', port: 80 }

describe("an instance of a source of one's own", () => {
  it('is whole with its main fields alone', () => {
    expect(defineInstance(least)).toEqual({
      ...least,
      ports: {},
      taggedAddresses: {},
      tags: [],
      meta: {},
      weights: { passing: 1, warning: 1 },
      weight: 1,
      node: '',
      datacenter: '',
      status: 'passing',
    })
  })

  it('has what was given, copied and frozen', () => {
    const fields = {
      ...least,
      ports: { http: 80 },
      taggedAddresses: { wan: { address: '198.51.100.7', port: 443 } },
      tags: ['v1'],
      meta: { zone: 'a' },
      weights: { passing: 8, warning: 2 },
      node: 'n1',
      datacenter: 'eu',
      status: 'warning' as const,
    }
    const instance = defineInstance(fields)
    expect(instance).toEqual({ ...fields, weight: 2 })
    fields.tags.push('v2')
    fields.meta.zone = 'b'
    expect(instance.tags).toEqual(['v1'])
    expect(instance.meta).toEqual({ zone: 'a' })
    expect([instance, instance.tags, instance.weights, instance.taggedAddresses['wan']].every(Object.isFrozen)).toBe(
      true,
    )
    expect(Object.isFrozen(fields)).toBe(false)
  })

  it.each([
    ['id', '', /^id is ""/],
    ['id', undefined, /^id is undefined/],
    ['name', 5, /^name is 5/],
    ['address', '', /^address is ""/],
    ['port', '80', /^port is "80"; expected a whole number from 0 to 65535/],
    ['port', 65_536, /^port is 65536/],
    ['port', -1, /^port is -1/],
    ['ports', { http: 'x' }, /^ports\.http is "x"/],
    ['ports', 'x', /^ports is "x"/],
    ['taggedAddresses', { wan: { address: 'x' } }, /^taggedAddresses\.wan\.port is undefined/],
    ['taggedAddresses', { wan: { port: 1 } }, /^taggedAddresses\.wan\.address is undefined/],
    ['taggedAddresses', { wan: { address: 'x', port: 1, no: 1 } }, /^taggedAddresses\.wan\.no is 1/],
    ['taggedAddresses', [], /^taggedAddresses is an array/],
    ['tags', 'v1', /^tags is "v1"/],
    ['tags', [1], /^tags\[0\] is 1/],
    ['meta', { a: 1 }, /^meta\.a is 1/],
    ['weights', { passing: 1 }, /^weights\.warning is undefined/],
    ['weights', { passing: -1, warning: 1 }, /^weights\.passing is -1/],
    ['weights', { passing: 1, warning: 65_536 }, /^weights\.warning is 65536/],
    ['node', 5, /^node is 5/],
    ['datacenter', 5, /^datacenter is 5/],
    ['status', 'up', /^status is "up"/],
    ['prot', 80, /^instance\.prot is 80.*Did you mean/],
  ])('is refused when %s is %j', (name, value, message) => {
    expect(() => defineInstance({ ...least, [name]: value })).toThrow(message)
  })

  it.each([[null], ['a'], [undefined], [[]]])('is refused when it is %j', (value) => {
    expect(() => defineInstance(value as never)).toThrow(/^instance is /)
  })

  it('may have no port at all, and the highest', () => {
    expect([0, 65_535].map((port) => defineInstance({ ...least, port }).port)).toEqual([0, 65_535])
  })
})

describe('the weight of an instance', () => {
  it.each([
    ['passing', 7],
    ['warning', 3],
    ['critical', 0],
    ['maintenance', 0],
  ] as const)('that is %s is %d', (status, weight) => {
    expect(weightOf({ status, weights: { passing: 7, warning: 3 } })).toBe(weight)
  })
})

describe('two instances', () => {
  const one = defineInstance({
    ...least,
    ports: { http: 80 },
    taggedAddresses: { wan: { address: 'x', port: 1 } },
    tags: ['a', 'b'],
    meta: { zone: 'a' },
    node: 'n1',
    datacenter: 'eu',
  })

  it('are the same as long as everything in them is, whatever the order of the tags', () => {
    expect(sameInstance(one, { ...one, tags: ['b', 'a'], meta: { zone: 'a' } })).toBe(true)
  })

  it.each<[string, Partial<ServiceInstance>]>([
    ['id', { id: 'b' }],
    ['name', { name: 'b' }],
    ['address', { address: 'b' }],
    ['port', { port: 1 }],
    ['ports', { ports: { http: 81 } }],
    ['ports', { ports: {} }],
    ['taggedAddresses', { taggedAddresses: { wan: { address: 'y', port: 1 } } }],
    ['taggedAddresses', { taggedAddresses: { wan: { address: 'x', port: 2 } } }],
    ['taggedAddresses', { taggedAddresses: { lan: { address: 'x', port: 1 } } }],
    ['tags', { tags: ['a'] }],
    ['tags', { tags: ['a', 'c'] }],
    ['meta', { meta: { zone: 'b' } }],
    ['weights', { weights: { passing: 2, warning: 1 } }],
    ['weights', { weights: { passing: 1, warning: 2 } }],
    ['node', { node: 'n2' }],
    ['datacenter', { datacenter: 'us' }],
    ['status', { status: 'warning' }],
  ])('differ when their %s does', (_name, other) => {
    expect(sameInstance(one, { ...one, ...other })).toBe(false)
  })

  it('are told apart by datacenter, node and id', () => {
    const keys = [one, { ...one, id: 'b' }, { ...one, node: 'n2' }, { ...one, datacenter: 'us' }].map(instanceKey)
    expect(new Set(keys).size).toBe(4)
    expect(instanceKey({ ...one, port: 1, status: 'critical' })).toBe(instanceKey(one))
  })
})

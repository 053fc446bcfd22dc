import { describe, expect, it } from 'vitest'
import { savedInstances } from '../../../src/instances/saved-instances.js'
import { defineInstance } from '../../../src/instances/service-instance.js'

const instance = {
  ...defineInstance({
    id: 'a',
    name: 's',
    address: '10.0.0.1',
    port: 80,
    ports: { http: 80 },
    taggedAddresses: { wan: { address: '198.51.100.7', port: 443 } },
    tags: ['v1'],
    meta: { zone: 'a' },
    weights: { passing: 3, warning: 1 },
    node: 'n',
    datacenter: 'dc1',
  }),
}
const file = (saved: unknown): unknown => JSON.parse(JSON.stringify({ servedBy: 's', instances: [saved] }))

describe('saved instances', () => {
  it('are taken when they are whole, and frozen', () => {
    const read = savedInstances(file(instance))
    expect(read).toEqual({ servedBy: 's', instances: [instance] })
    expect(Object.isFrozen(read?.instances[0]?.weights)).toBe(true)
  })

  it('have the weight of their status, whatever the file says', () => {
    const saved = file({ ...instance, status: 'warning', weight: 77 })
    expect(savedInstances(saved)?.instances[0]?.weight).toBe(1)
  })

  it.each(Object.keys(instance).filter((name) => name !== 'weight'))('are not taken when %s is missing', (name) => {
    expect(savedInstances(file({ ...instance, [name]: undefined }))).toBeUndefined()
  })

  it.each([
    ['status', 'odd'],
    ['port', '80'],
    ['tags', [1]],
    ['meta', { a: 1 }],
    ['ports', { a: 'b' }],
    ['weights', { passing: 1 }],
    ['weights', { warning: 1 }],
    ['taggedAddresses', { wan: { address: 'x' } }],
    ['taggedAddresses', { wan: { port: 1 } }],
    ['taggedAddresses', { wan: 'x' }],
  ])('are not taken when %s is %j', (name, value) => {
    expect(savedInstances(file({ ...instance, [name]: value }))).toBeUndefined()
  })

  it.each([[undefined], [[]], ['text'], [{ instances: [] }], [{ servedBy: 's', instances: {} }], [file(null)]])(
    'are not taken from %j',
    (value) => {
      expect(savedInstances(value)).toBeUndefined()
    },
  )
})

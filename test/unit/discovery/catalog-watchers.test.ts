import { describe, expect, it } from 'vitest'
import { checkEntry, nodeEntry } from '../../../src/api/health-entry.js'
import { CHECK, NODE, SERVICE_NAME, USER_EVENT } from '../../../src/discovery/catalog-watchers.js'

const node = {
  ID: '1',
  Node: 'n',
  Address: 'x',
  Datacenter: 'dc1',
  TaggedAddresses: { wan: 'y', lan: 'x' },
  Meta: { a: '1', b: '2' },
}
const check = { Node: 'n', CheckID: 'c', Status: 'passing', Output: 'o', CreateIndex: 1, ModifyIndex: 2 }

describe('the names of services', () => {
  it('are the same whatever the order in which their tags are listed', () => {
    expect(SERVICE_NAME.same({ name: 'a', tags: ['x', 'y'] }, { name: 'a', tags: ['y', 'x'] })).toBe(true)
    expect(SERVICE_NAME.same({ name: 'a', tags: ['x', 'y'] }, { name: 'a', tags: ['x'] })).toBe(false)
    expect(SERVICE_NAME.same({ name: 'a', tags: [] }, { name: 'b', tags: [] })).toBe(false)
    expect(SERVICE_NAME.key({ name: 'a', tags: [] })).toBe('a')
  })
})

describe('nodes', () => {
  it('are the same whatever the order of their metadata and addresses', () => {
    const turned = { ...node, TaggedAddresses: { lan: 'x', wan: 'y' }, Meta: { b: '2', a: '1' } }
    expect(NODE.same(nodeEntry(node), nodeEntry(turned))).toBe(true)
  })

  it.each([
    [{ ID: '2' }],
    [{ Node: 'm' }],
    [{ Address: 'z' }],
    [{ Datacenter: 'dc2' }],
    [{ TaggedAddresses: {} }],
    [{ Meta: { a: '1', b: '3' } }],
  ])('differ by %j', (other) => {
    expect(NODE.same(nodeEntry(node), nodeEntry({ ...node, ...other }))).toBe(false)
  })

  it('are told apart by datacenter and name', () => {
    const keys = [{}, { Node: 'm' }, { Datacenter: 'dc2' }].map((other) => NODE.key(nodeEntry({ ...node, ...other })))
    expect(new Set(keys).size).toBe(3)
  })
})

describe('checks', () => {
  it.each([
    [{ Node: 'm' }],
    [{ CheckID: 'd' }],
    [{ Status: 'warning' }],
    [{ Output: 'p' }],
    [{ CreateIndex: 2 }],
    [{ ModifyIndex: 3 }],
  ])('differ by %j', (other) => {
    expect(CHECK.same(checkEntry(check), checkEntry({ ...check, ...other }))).toBe(false)
    expect(CHECK.same(checkEntry(check), checkEntry({ ...check }))).toBe(true)
  })

  it('are told apart by node and id', () => {
    const keys = [{}, { Node: 'm' }, { CheckID: 'd' }].map((other) => CHECK.key(checkEntry({ ...check, ...other })))
    expect(new Set(keys).size).toBe(3)
  })
})

describe('events', () => {
  it('are told apart by their id', () => {
    const event = (id: string) => ({ id, name: 'n', payload: Buffer.from(''), version: 1, lTime: 1 }) as never
    expect(USER_EVENT.same(event('a'), event('a'))).toBe(true)
    expect(USER_EVENT.same(event('a'), event('b'))).toBe(false)
    expect(USER_EVENT.key(event('a'))).toBe('a')
  })
})

import { describe, expect, it } from 'vitest'
import { serviceRecord } from '../../../../src/api/health-entry.js'
import { resolveDefinition } from '../../../../src/registration/definition/resolve-definition.js'
import type { ServiceDefinition } from '../../../../src/registration/definition/service-definition.js'
import { serviceDrift } from '../../../../src/registration/record/service-drift.js'

const DEFINITION: ServiceDefinition = { name: 'web', id: 'w', port: 80, tags: ['a', 'b'], meta: { v: '1' } }
const RECORD = { ID: 'w', Service: 'web', Port: 80, Tags: ['b', 'a'], Meta: { v: '1', 'proconsul-boot': 'other' } }
const drift = (definition: ServiceDefinition, wire: object) =>
  serviceDrift(resolveDefinition(definition, { hostname: 'h', boot: 'b' }).service, serviceRecord(wire))

describe('serviceDrift', () => {
  it('finds nothing where only the order of tags, the boot or defaults of Consul differ', () => {
    expect(drift(DEFINITION, { ...RECORD, Weights: { Passing: 1, Warning: 1 } })).toEqual([])
    expect(drift({ name: 'web', id: 'w' }, { ID: 'w', Service: 'web', Tags: null, Meta: null })).toEqual([])
  })

  it.each([
    ['name', { Service: 'wed' }],
    ['address', { Address: '10.0.0.1' }],
    ['port', { Port: 81 }],
    ['tags', { Tags: ['a'] }],
    ['tags', { Tags: ['a', 'b', 'c'] }],
    ['meta', { Meta: { v: '2' } }],
    ['meta', { Meta: { v: '1', w: '1' } }],
  ])('finds a changed %s', (field, change) => {
    expect(drift(DEFINITION, { ...RECORD, ...change })).toEqual([field])
  })

  it('finds what was given of tagged addresses changed or gone, and leaves alone what others and Consul added', () => {
    const given = { ...DEFINITION, taggedAddresses: { wan: { address: '1.2.3.4', port: 80 } } }
    const wan = { Address: '1.2.3.4', Port: 80 }
    const shown = (addresses: object | null): readonly string[] =>
      drift(given, { ...RECORD, TaggedAddresses: addresses })
    expect(shown({ wan, lan_ipv4: { Address: '10.0.0.1', Port: 80 } })).toEqual([])
    const wrong = [null, {}, { wan: { ...wan, Port: 81 } }, { wan: { ...wan, Address: '6.6.6.6' } }, { lan: wan }]
    for (const addresses of wrong) expect(shown(addresses)).toEqual(['taggedAddresses'])
    expect(drift(DEFINITION, { ...RECORD, TaggedAddresses: { wan } })).toEqual([])
  })

  it('finds enableTagOverride changed where it was given', () => {
    const shown = (given: boolean | undefined, EnableTagOverride: boolean): readonly string[] =>
      drift({ ...DEFINITION, enableTagOverride: given }, { ...RECORD, EnableTagOverride })
    expect([shown(true, true), shown(false, false), shown(undefined, true)]).toEqual([[], [], []])
    expect([shown(true, false), shown(false, true)]).toEqual([['enableTagOverride'], ['enableTagOverride']])
  })

  it('heeds weights only where they were given, and leaves tags alone where others may change them', () => {
    expect(drift({ ...DEFINITION, weights: { passing: 5 } }, RECORD)).toEqual(['weights'])
    expect(drift(DEFINITION, { ...RECORD, Weights: { Passing: 9, Warning: 1 } })).toEqual([])
    const overridden = { ...RECORD, Tags: [], EnableTagOverride: true }
    expect(drift({ ...DEFINITION, enableTagOverride: true }, overridden)).toEqual([])
  })
})

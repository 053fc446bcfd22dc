import { describe, expect, it } from 'vitest'
import { checkEntry, serviceRecord } from '../../../../src/api/health-entry.js'
import { resolveDefinition } from '../../../../src/registration/definition/resolve-definition.js'
import type { ServiceDefinition } from '../../../../src/registration/definition/service-definition.js'
import { missingChecks, serviceDrift } from '../../../../src/registration/record/record-drift.js'

const DEFINITION: ServiceDefinition = { name: 'web', id: 'w', port: 80, tags: ['a', 'b'], meta: { v: '1' } }
const RECORD = { ID: 'w', Service: 'web', Port: 80, Tags: ['b', 'a'], Meta: { v: '1', 'proconsul-boot': 'other' } }
const drift = (definition: ServiceDefinition, wire: object) =>
  serviceDrift(resolveDefinition(definition, { hostname: 'h', boot: 'b' }), serviceRecord(wire))

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

  it('heeds weights only where they were given, and leaves tags alone where others may change them', () => {
    expect(drift({ ...DEFINITION, weights: { passing: 5 } }, RECORD)).toEqual(['weights'])
    expect(drift(DEFINITION, { ...RECORD, Weights: { Passing: 9, Warning: 1 } })).toEqual([])
    expect(drift({ ...DEFINITION, enableTagOverride: true }, { ...RECORD, Tags: [] })).toEqual([])
  })
})

describe('missingChecks', () => {
  it('counts a check that another service has taken as missing', () => {
    const resolved = resolveDefinition(DEFINITION, { hostname: 'h', boot: 'b' })
    const check = (serviceId: string) => checkEntry({ CheckID: 'service:w', ServiceID: serviceId })
    expect(missingChecks(resolved, [check('w')])).toEqual([])
    expect(missingChecks(resolved, [check('x')])).toEqual(['service:w'])
    expect(missingChecks(resolved, [])).toEqual(['service:w'])
  })
})

import { describe, expect, it } from 'vitest'
import { checkEntry } from '../../../../../src/api/health-entry.js'
import type { CheckDefinition } from '../../../../../src/registration/definition/check-definition.js'
import { resolveDefinition } from '../../../../../src/registration/definition/resolve-definition.js'
import type { ServiceDefinition } from '../../../../../src/registration/definition/service-definition.js'
import {
  changedKinds,
  checkDrift,
  leftChecks,
  otherKinds,
} from '../../../../../src/registration/record/checks/check-drift.js'

const DEFINITION: ServiceDefinition = { name: 'web', id: 'w', port: 80, tags: ['a', 'b'], meta: { v: '1' } }
const CHECK = { CheckID: 'service:w', ServiceID: 'w', Name: "Service 'web' check", Notes: '' }
const HTTP = { type: 'http', url: 'http://10.0.0.1/', interval: '90s', timeout: '1500ms' } as const
const resolve = (check: CheckDefinition) => resolveDefinition({ ...DEFINITION, check }, { hostname: 'h', boot: 'b' })
const drifted = (check: CheckDefinition, ...shown: object[]) => checkDrift(resolve(check), shown.map(checkEntry))

describe('checkDrift', () => {
  it('counts a check that another service has taken as missing', () => {
    expect(drifted({}, CHECK)).toEqual([])
    expect(drifted({}, { ...CHECK, ServiceID: 'x' })).toEqual(['check service:w'])
    expect(drifted({})).toEqual(['check service:w'])
  })

  it.each([
    ['every field as it was sent', { Type: 'http', Interval: '1m30s', Timeout: '1.5s' }],
    ['the same times in other words', { Type: 'http', Interval: '90000ms', Timeout: '1500ms' }],
    ['no times, as Consul 1.8', { Type: 'http' }],
    ['times left empty', { Type: 'http', Interval: '', Timeout: '' }],
    ['times of zero', { Type: 'http', Interval: '0s', Timeout: '0s' }],
    ['times that nobody can read', { Type: 'http', Interval: 'soon', Timeout: null }],
    ['no type and no name', { Type: null, Name: null, Interval: '90s' }],
    ['another status and output', { Type: 'http', Status: 'critical', Output: 'refused' }],
  ])('finds nothing where the agent shows %s', (_what, shown) => {
    expect(drifted(HTTP, { ...CHECK, ...shown })).toEqual([])
  })

  it.each([
    ['type', { Type: 'ttl' }],
    ['name', { Name: 'mine' }],
    ['notes', { Notes: 'changed by hand' }],
    ['interval', { Interval: '1m0s' }],
    ['timeout', { Timeout: '15s' }],
  ])('finds a changed %s', (field, shown) => {
    expect(drifted(HTTP, { ...CHECK, ...shown })).toEqual([`check service:w ${field}`])
  })

  it('finds all that differs in all checks', () => {
    const checks: readonly CheckDefinition[] = [{ notes: 'a' }, { ...HTTP, id: 'b', name: 'b' }, { ...HTTP, id: 'c' }]
    const resolved = resolveDefinition({ ...DEFINITION, checks }, { hostname: 'h', boot: 'b' })
    const shown = [CHECK, { ...CHECK, CheckID: 'b', Type: 'tcp', Interval: '1s' }].map(checkEntry)
    const drift = ['service:w notes', 'b type', 'b name', 'b interval', 'c'].map((field) => `check ${field}`)
    expect(checkDrift(resolved, shown)).toEqual(drift)
  })

  it("takes Consul's ten seconds for a timeout that was not given", () => {
    const check = { ...HTTP, timeout: undefined }
    expect(drifted(check, { ...CHECK, Timeout: '10s' })).toEqual([])
    expect(drifted(check, { ...CHECK, Timeout: '5s' })).toEqual(['check service:w timeout'])
  })

  it.each([
    ['ttl', {}],
    ['tcp', { type: 'tcp', address: '10.0.0.1:80' }],
    ['grpc', { type: 'grpc', address: '10.0.0.1:80/web' }],
    ['alias', { type: 'alias', service: 'other' }],
  ] as const)('knows the %s check by the name that Consul has for it', (type, check) => {
    const shown = { ...CHECK, Interval: '10s', Timeout: '' }
    expect(drifted(check, { ...shown, Type: type })).toEqual([])
    expect(drifted(check, { ...shown, Type: 'http' })).toEqual(['check service:w type'])
  })
})

describe('otherKinds', () => {
  it('names the ids under which there is another kind, whosever it is', () => {
    const shown = (fields: object) => otherKinds(resolve(HTTP), [checkEntry({ ...CHECK, ...fields })])
    expect(shown({ Type: 'tcp' })).toEqual(['service:w'])
    expect(shown({ Type: 'tcp', ServiceID: 'x' })).toEqual(['service:w'])
    expect(shown({ Type: 'http', ServiceID: 'x', Notes: 'theirs' })).toEqual([])
    expect(shown({ Type: '' })).toEqual([])
    expect(shown({ Type: 'maintenance', CheckID: '_service_maintenance:w' })).toEqual([])
  })
})

describe('leftChecks', () => {
  it('names what the service has no more, by the ids that checks get by themselves', () => {
    const ids = [
      'service:w',
      'service:w:1',
      'service:w:12',
      'service:w:x:3',
      'service:w2',
      'w',
      '_service_maintenance:w',
    ]
    const shown = [
      ...ids.map((id) => ({ ...CHECK, CheckID: id })),
      { ...CHECK, CheckID: 'service:w:3', ServiceID: 'x' },
    ]
    expect(leftChecks(resolve({}), shown.map(checkEntry))).toEqual(['service:w:1', 'service:w:12'])
    expect(leftChecks(resolve({ id: 'own' }), [checkEntry(CHECK)])).toEqual(['service:w'])
  })
})

describe('changedKinds', () => {
  it('names the ids that both have, each as another kind', () => {
    const tcp = { type: 'tcp', address: '10.0.0.1:80' } as const
    expect(changedKinds(resolve(HTTP), resolve(tcp))).toEqual(['service:w'])
    expect(changedKinds(resolve(HTTP), resolve({ ...HTTP, interval: 5_000 }))).toEqual([])
    expect(changedKinds(resolve(HTTP), resolve({ ...tcp, id: 'new' }))).toEqual([])
  })
})

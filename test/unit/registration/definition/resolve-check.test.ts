import { describe, expect, it } from 'vitest'
import type { CheckDefinition } from '../../../../src/registration/definition/check-definition.js'
import { resolveCheck, type ResolvedCheck } from '../../../../src/registration/definition/resolve-check.js'

const resolve = (definition: unknown, position = 0): ResolvedCheck =>
  resolveCheck(definition as CheckDefinition, { option: 'check', serviceId: 'w', serviceName: 'web', position })

const KINDS: readonly CheckDefinition[] = [
  { type: 'ttl' },
  { type: 'http', url: 'http://a/' },
  { type: 'tcp', address: 'a:1' },
  { type: 'grpc', address: 'a:1' },
  { type: 'alias', service: 'b' },
]

describe('a check of any kind', () => {
  it.each(KINDS)(
    'of type $type has Consul remove a service that is dead for ten minutes, unless it is told not to',
    (check) => {
      const after = (deregisterCriticalServiceAfter: unknown) =>
        resolve({ ...check, deregisterCriticalServiceAfter }).deregisterCriticalServiceAfterMs
      expect(after(undefined)).toBe(600_000)
      expect(after(false)).toBeUndefined()
      expect(after('1m')).toBe(60_000)
      expect(after('720h')).toBe(2_592_000_000)
      expect(after('2562047h')).toBe(9_223_369_200_000)
    },
  )

  it.each(['30s', 59_999, 10, true, null, 'never', Infinity, '2562048h'])(
    'cannot be told to remove it after %j',
    (deregisterCriticalServiceAfter) => {
      expect(() => resolve({ deregisterCriticalServiceAfter })).toThrow(
        expect.objectContaining({
          code: 'PROCONSUL_INVALID_OPTION',
          message: expect.stringMatching(/^check\.deregisterCriticalServiceAfter is /) as string,
        }),
      )
    },
  )

  it('has an id and a name of its own', () => {
    expect(resolve({})).toMatchObject({ id: 'service:w', name: "Service 'web' check" })
    expect(resolve({}, 1)).toMatchObject({ id: 'service:w:2', name: "Service 'web' check 2" })
    expect(resolve({ id: 'i', name: 'n', notes: 'for people' })).toMatchObject({
      id: 'i',
      name: 'n',
      notes: 'for people',
    })
  })

  it.each(['id', 'name', 'notes'])('has no empty %s', (field) => {
    expect(() => resolve({ [field]: '' })).toThrow(`check.${field} is `)
  })

  it('has no id that would not be found again, but whatever text describes it', () => {
    expect(() => resolve({ id: 'a\ud83d' })).toThrow('check.id is ')
    expect(resolve({ name: 'a\ud83d', notes: '\ude00' })).toMatchObject({ name: 'a\ud83d', notes: '\ude00' })
  })

  it.each(['..', 'a//b', '/a', 'a\tb'])('has no id %j, by which the agent could not be asked', (id) => {
    expect(() => resolve({ id })).toThrow('check.id is ')
  })

  it.each(KINDS)('of type $type has no option that means nothing to it', (check) => {
    expect(() => resolve({ ...check, script: 'x' })).toThrow('check.script is ')
    expect(() => resolve({ ...check, type: 'docker' })).toThrow('check.type is ')
  })

  it.each([undefined, null, 'ttl', [], () => 1])('is not %j', (definition) => {
    expect(() => resolve(definition)).toThrow('an object that describes a check')
  })
})

describe('a TTL check', () => {
  it('is beaten for within 15 seconds, or what it says', () => {
    expect(resolve({})).toMatchObject({ type: 'ttl', ttlMs: 15_000 })
    expect(resolve({ ttl: '1s' })).toMatchObject({ ttlMs: 1_000 })
    expect(resolve({ ttl: '1m30s' })).toMatchObject({ ttlMs: 90_000 })
  })

  it('tells whoever gives seconds that a number is milliseconds', () => {
    expect(() => resolve({ ttl: 15 })).toThrow(
      "check.ttl is 15; expected a duration from 1s to 596.5h. A number is milliseconds: did you mean '15s'?",
    )
    expect(() => resolve({ type: 'tcp', address: 'a:1', interval: 10 })).toThrow("did you mean '10s'?")
    expect(() => resolve({ deregisterCriticalServiceAfter: 600 })).toThrow("did you mean '600s'?")
  })
})

describe('a check that the agent carries out', () => {
  it('is carried out every ten seconds, or as it says', () => {
    expect(resolve({ type: 'tcp', address: 'a:1' })).toEqual({
      id: 'service:w',
      name: "Service 'web' check",
      deregisterCriticalServiceAfterMs: 600_000,
      type: 'tcp',
      address: 'a:1',
      intervalMs: 10_000,
    })
    const all = {
      interval: '720h',
      timeout: '1ms',
      status: 'warning',
      successBeforePassing: 0,
      failuresBeforeCritical: 1_000,
    }
    expect(resolve({ type: 'tcp', address: 'a:1', ...all })).toMatchObject({
      intervalMs: 2_592_000_000,
      timeoutMs: 1,
      status: 'warning',
      successBeforePassing: 0,
      failuresBeforeCritical: 1_000,
    })
  })

  it.each<[string, unknown]>([
    ['interval', '999ms'],
    ['timeout', 0],
    ['status', 'unknown'],
    ['successBeforePassing', -1],
    ['failuresBeforeCritical', 1_001],
  ])('has no %s of %j', (field, value) => {
    expect(() => resolve({ type: 'tcp', address: 'a:1', [field]: value })).toThrow(`check.${field} is `)
  })

  it('asks a URL with everything that a request has', () => {
    const headers = { a: 'b', c: ['d', 'e'] }
    const request = { url: 'http://a/', method: 'HEAD', body: '{}', tlsSkipVerify: true }
    expect(resolve({ type: 'http', ...request, headers })).toMatchObject({
      ...request,
      headers: { a: ['b'], c: ['d', 'e'] },
    })
  })

  it.each<[string, object]>([
    ['check.url', { url: 'http://${HOST}/' }],
    ['check.method', { method: '' }],
    ['check.headers', { headers: [] }],
    ['check.headers.a', { headers: { a: 1 } }],
    ['check.headers.a', { headers: { a: ['b', ''] } }],
    ['check.body', { body: '' }],
    ['check.tlsSkipVerify', { tlsSkipVerify: 'no' }],
  ])('asks no URL with a nonsensical %s', (option, part) => {
    expect(() => resolve({ type: 'http', url: 'http://a/', ...part })).toThrow(`${option} is `)
  })

  it('asks a service of gRPC, with TLS where it is told so', () => {
    const part = { type: 'grpc', address: 'a:1/health', useTls: true, tlsSkipVerify: false } as const
    expect(resolve(part)).toMatchObject({ ...part, intervalMs: 10_000 })
    expect(() => resolve({ ...part, useTls: 1 })).toThrow('check.useTls is ')
    expect(() => resolve({ ...part, tlsSkipVerify: 1 })).toThrow('check.tlsSkipVerify is ')
    expect(() => resolve({ type: 'tcp', address: 'a:1/health' })).toThrow('check.address is ')
  })
})

describe('an alias check', () => {
  it('is as another service or a node is', () => {
    expect(resolve({ type: 'alias', service: 's' })).toMatchObject({ service: 's' })
    expect(resolve({ type: 'alias', node: 'n' })).toMatchObject({ node: 'n' })
    expect(() => resolve({ type: 'alias' })).toThrow('check.service is undefined')
    expect(() => resolve({ type: 'alias', node: '' })).toThrow('check.node is ')
    expect(() => resolve({ type: 'alias', service: '\ud83d' })).toThrow('check.service is ')
  })
})

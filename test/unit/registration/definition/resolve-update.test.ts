import { describe, expect, it } from 'vitest'
import { resolveDefinition } from '../../../../src/registration/definition/resolve-definition.js'
import { resolveUpdate } from '../../../../src/registration/definition/resolve-update.js'
import type { ServiceDefinition } from '../../../../src/registration/definition/service-definition.js'

const resolve = (definition: ServiceDefinition) => resolveDefinition(definition, { hostname: 'host', boot: 'boot' })

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

  it('keeps the probes where the checks change and none of them has any, whatever their kind', () => {
    const [db, cache] = [() => true, () => true]
    const tcp = { type: 'tcp', address: 'h:1' } as const
    const probing: ServiceDefinition = {
      name: 'web',
      id: 'w',
      checks: [{ probes: { db } }, { ...tcp, probes: { cache } }],
    }
    const names = (update: Pick<ServiceDefinition, 'check' | 'checks'>) =>
      resolveUpdate(probing, resolve(probing), update).resolved.probes.map(({ name }) => name)
    expect(names({ check: { ...tcp, notes: 'n' } })).toEqual(['db', 'cache'])
    expect(names({ checks: [tcp, {}] })).toEqual(['db', 'cache'])
    expect(names({ check: { ...tcp, probes: { fresh: () => true } } })).toEqual(['fresh'])
    expect(names({ checks: [tcp, { probes: {} }] })).toEqual([])
    expect(names({ checks: [] })).toEqual([])
  })

  it('goes on from the update before', () => {
    const probing: ServiceDefinition = { ...current, check: { ttl: '5s', probes: { db: () => true } } }
    const first = resolveUpdate(probing, resolve(probing), { check: { notes: 'n' } })
    const second = resolveUpdate(first.definition, first.resolved, { check: { name: 'x' } })
    expect(second.resolved).toMatchObject({ ttl: { ttlMs: 5_000 }, probes: [{ name: 'db' }] })
    expect(second.resolved.service.checks).toMatchObject([{ name: 'x', notes: undefined }])
  })

  it('ends a slow start with weights that are set by hand', () => {
    const slow: ServiceDefinition = { ...current, weights: { passing: 9 }, slowStart: '1s' }
    expect(resolveUpdate(slow, resolve(slow), { tags: [] }).resolved.slowStartMs).toBe(1_000)
    expect(resolveUpdate(slow, resolve(slow), { weights: { passing: 1 } }).resolved.slowStartMs).toBe(0)
  })

  it.each([
    { checks: 'x' },
    { checks: [null] },
    { check: 1 },
    { probes: {} },
    { name: 'x' },
    { id: 'x' },
    { check: { ttl: '9ms' } },
    { port: -1 },
  ])('refuses %j', (update) => {
    expect(() => resolveUpdate(current, resolve(current), update as never)).toThrow(
      expect.objectContaining({ code: 'PROCONSUL_INVALID_OPTION' }),
    )
  })
})

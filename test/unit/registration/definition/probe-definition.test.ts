import { AsyncLocalStorage } from 'node:async_hooks'
import { describe, expect, it } from 'vitest'
import { isSameProbe, resolveProbes } from '../../../../src/registration/definition/probe-definition.js'

const run = (): boolean => true

describe('probes', () => {
  it('have three seconds, run three times within a TTL, and mean critical when they fail', () => {
    expect(resolveProbes('probes', { db: run }, 9_000)).toMatchObject([
      { name: 'db', run, timeoutMs: 3_000, intervalMs: 3_000, onFailure: 'critical' },
    ])
    expect(resolveProbes('probes', { db: { run } }, undefined)).toMatchObject([{ intervalMs: 10_000 }])
  })

  it('have what they are given', () => {
    const given = { run, timeout: '1ms', interval: 10, onFailure: 'warning' }
    expect(resolveProbes('probes', { ['n'.repeat(64)]: given }, 9_000)).toMatchObject([
      { timeoutMs: 1, intervalMs: 10, onFailure: 'warning' },
    ])
    expect(resolveProbes('probes', {}, 9_000)).toEqual([])
  })

  it.each<[string, unknown]>([
    ['p', undefined],
    ['p', null],
    ['p', []],
    ['p', run],
    ['p.db', { db: 1 }],
    ['p.db', { db: {} }],
    ['p.db', { db: { run: 'x' } }],
    ['p.db.every', { db: { run, every: '1s' } }],
    ['p.db.timeout', { db: { run, timeout: 0 } }],
    ['p.db.interval', { db: { run, interval: '9ms' } }],
    ['p.db.onFailure', { db: { run, onFailure: 'passing' } }],
    ['p.', { '': run }],
    [`p.${'n'.repeat(65)}`, { ['n'.repeat(65)]: run }],
  ])('have no nonsensical %s', (option, probes) => {
    expect(() => resolveProbes('p', probes, 9_000)).toThrow(
      expect.objectContaining({
        code: 'PROCONSUL_INVALID_OPTION',
        message: expect.stringMatching(new RegExp(`^${option} is `)) as string,
      }),
    )
  })

  it('run in the async context of whoever gave them', () => {
    const storage = new AsyncLocalStorage<string>()
    const [probe] = storage.run('mine', () => resolveProbes('probes', { db: () => storage.getStore() }, 9_000))
    const { signal } = new AbortController()
    expect(storage.run('a request', () => probe?.runInContext({ signal }))).toBe('mine')
  })

  it('are the same when all that decides about them is, whoever gave them', () => {
    const given = { run, timeout: 1, interval: 10, onFailure: 'warning' }
    const one = (name: string, change: object = {}) => {
      const [probe] = resolveProbes('probes', { [name]: { ...given, ...change } }, 9_000)
      if (probe === undefined) throw new Error('no probe')
      return probe
    }
    expect(isSameProbe(one('a'), one('a'))).toBe(true)
    expect(isSameProbe(one('a'), one('b'))).toBe(false)
    for (const change of [{ run: () => true }, { timeout: 2 }, { interval: 11 }, { onFailure: 'critical' }]) {
      expect(isSameProbe(one('a'), one('a', change))).toBe(false)
    }
  })
})

/**
 * What a program without types, or with a slip of the hand, does to the client. A call that cannot be meant fails at once and names the
 * option; nothing that the client hands out can be changed to the harm of others.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Proconsul } from '../../src/proconsul.js'
import { startEmbeddedConsul, type EmbeddedConsul } from '../../src/testing/index.js'
import { eventually } from '../support/eventually.js'

let agent: EmbeddedConsul
let consul: Proconsul
let requests: string[]

beforeEach(async () => {
  requests = []
  agent = await startEmbeddedConsul({ onRequest: ({ path }) => requests.push(path) })
  consul = new Proconsul({ address: agent.url, timeout: '1s' })
})

afterEach(async () => {
  await consul.close({ timeout: '500ms' })
  await agent.close()
})

/** A value of a type that the compiler would have refused. */
function wrong(value: unknown): never
function wrong(value: unknown): unknown {
  return value
}

/** Matches the error that names an option. */
function refusal(option: string): unknown {
  const message: unknown = expect.stringContaining(option)
  return expect.objectContaining({ code: 'PROCONSUL_INVALID_OPTION', message })
}

describe('a call that cannot be meant', () => {
  test.each<[string, string, () => unknown]>([
    ['watchService', 'signal', () => consul.watchService('a', { signal: wrong(5) })],
    ['watchService', 'query', () => consul.watchService('a', wrong(null))],
    ['watchServices', 'signal', () => consul.watchServices({ signal: wrong({}) })],
    ['watchEvents', 'query.nme', () => consul.watchEvents(wrong({ nme: 'deploy' }))],
    ['watchEvents', 'query', () => consul.watchEvents(wrong(null))],
    ['watchEvents', 'name', () => consul.watchEvents({ name: '' })],
    ['watchEvents', 'datacenter', () => consul.watchEvents({ datacenter: wrong(5) })],
    ['watchEvents', 'signal', () => consul.watchEvents({ signal: wrong(5) })],
    ['watchPreparedQuery', 'query.intervl', () => consul.watchPreparedQuery('near', wrong({ intervl: '1s' }))],
    ['watchPreparedQuery', 'query', () => consul.watchPreparedQuery('near', wrong(null))],
    ['watchPreparedQuery', 'query', () => consul.watchPreparedQuery('')],
    ['watchPreparedQuery', 'interval', () => consul.watchPreparedQuery('near', { interval: 1 })],
    ['watchPreparedQuery', 'near', () => consul.watchPreparedQuery('near', { near: wrong(5) })],
    ['discover', 'query', () => consul.discover('a', wrong(null))],
    ['discover', 'query.tiemout', () => consul.discover('a', wrong({ tiemout: '1s' }))],
    ['discover', 'signal', () => consul.discover('a', { signal: wrong('x') })],
    ['ready', 'signal', () => consul.watchService('a').ready({ signal: wrong(5) })],
    ['ready of a key', 'signal', () => consul.kv.watch('a').ready({ signal: wrong(5) })],
    ['config', 'signal', () => consul.config({ layers: ['a'], signal: wrong(5) })],
    ['on', 'listener', () => consul.watchService('a').on('change', wrong(undefined))],
    ['kv.watch', 'key', () => consul.kv.watch(wrong(5))],
    ['kv.watch', 'kv.watchTree', () => consul.kv.watch('app/')],
    ['kv.watch', 'Did you mean datacenter', () => consul.kv.watch('a', wrong({ datacentre: 'dc2' }))],
    ['kv.watchTree', 'prefix', () => consul.kv.watchTree('app//')],
    ['ready of a tree', 'Did you mean timeout', () => consul.kv.watchTree('a/').ready(wrong({ timeoutMs: 5 }))],
    ['on', 'Did you mean change', () => consul.kv.watch('a').on(wrong('changed'), () => undefined)],
    ['registerService', "did you mean '15s'", () => consul.registerService({ name: 'a', port: 1, check: { ttl: 15 } })],
    ['session.create', "did you mean '15s'", () => consul.session.create({ ttl: 15 })],
    ['kv.update', 'change', () => consul.kv.update('a', wrong(5))],
    ['kv.transaction', 'operations', () => consul.kv.transaction(wrong(5))],
    ['kv.transaction', 'operations[0]', () => consul.kv.transaction([wrong(null)])],
    ['kv.transaction', 'flag', () => consul.kv.transaction([wrong({ type: 'set', key: 'a', value: 'b', flag: 1 })])],
    ['session.create', 'tll', () => consul.session.create(wrong({ tll: '30s' }))],
    ['catalog.register', 'nodemeta', () => consul.catalog.register(wrong({ node: 'a', address: 'b', nodemeta: {} }))],
    ['close', 'drain', () => consul.close({ drain: wrong('soon') })],
    ['new Proconsul', 'clock.now', () => new Proconsul({ clock: wrong(5) })],
    ['new Proconsul', 'random', () => new Proconsul({ random: wrong(5) })],
    ['startEmbeddedConsul', 'port', () => startEmbeddedConsul({ port: -1 })],
  ])('is refused before anything is sent: %s with a wrong %s', async (_call, option, call) => {
    await expect(Promise.resolve().then(call)).rejects.toEqual(refusal(option))
    expect(requests.filter((path) => !path.startsWith('/v1/health/service/a'))).toEqual([])
  })

  test.each<[string, () => unknown]>([
    ['startEmbeddedConsul', () => startEmbeddedConsul({ port: -1 })],
    ['close', () => consul.close({ drain: wrong('soon') })],
  ])('rejects and does not throw where a promise is promised: %s', async (_call, call) => {
    const outcome = call()
    await expect(outcome).rejects.toEqual(refusal(''))
  })

  test('is refused by live settings as well', async () => {
    await consul.kv.set('app/a', '1')
    const settings = await consul.config({ layers: ['app'] })
    expect(() => settings.get(wrong(5))).toThrow(refusal('path'))
    expect(() => settings.watch(wrong(5), () => undefined)).toThrow(refusal('select'))
    expect(() => settings.watch(({ a }) => a, wrong(5))).toThrow(refusal('listener'))
  })

  test('is told from a function of the application that fails', async () => {
    const cause = new Error('no')
    const failing = consul.kv.update('a', () => Promise.reject(cause))
    await expect(failing).rejects.toMatchObject({ code: 'PROCONSUL_HOOK_FAILED', cause })
    expect(await consul.kv.get('a')).toBeUndefined()
  })
})

describe('what is handed out cannot be changed', () => {
  function expectFrozen(value: unknown): void {
    if (typeof value !== 'object' || value === null) return
    expect(Object.isFrozen(value)).toBe(true)
    for (const part of Object.values(value)) expectFrozen(part)
  }

  test('not the changes of a service', async () => {
    const changes: unknown[] = []
    const users = consul.watchService('users').on('change', (change) => changes.push(change))
    await consul.registerService({ name: 'users', port: 1, check: { ttl: '5s' } })
    await eventually(() => expect(users.instances).toHaveLength(1))
    expect(changes).toHaveLength(2)
    for (const change of changes) expectFrozen(change)
  })

  test('not the changes of a configuration', async () => {
    await consul.kv.set('app/a', '1')
    const settings = await consul.config({ layers: ['app'], debounce: 0 })
    const change = new Promise((resolve) => settings.on('change', resolve))
    await consul.kv.set('app/a', '2')
    expectFrozen(await change)
  })

  test('not the keys that are watched', async () => {
    await consul.kv.set('app/a', '1')
    const [tree, key] = [consul.kv.watchTree('app/'), consul.kv.watch('app/a')]
    expectFrozen(await tree.ready())
    expectFrozen(await key.ready())
    const ofTree = new Promise((resolve) => tree.once('change', resolve))
    const ofKey = new Promise((resolve) => key.once('change', resolve))
    await consul.kv.set('app/a', '2')
    expectFrozen(await ofTree)
    expectFrozen(await ofKey)
  })

  test('not the health of a registration', async () => {
    const registration = await consul.registerService({
      name: 'users',
      port: 1,
      check: { ttl: '5s', probes: { database: () => 'passing' } },
    })
    await eventually(() => expect(registration.health.status).toBe('passing'))
    expectFrozen(registration.health)
  })
})

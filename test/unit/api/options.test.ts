import { describe, expect, it } from 'vitest'
import { AgentApi } from '../../../src/api/agent.js'
import { CatalogApi } from '../../../src/api/catalog.js'
import { EventApi } from '../../../src/api/event.js'
import { HealthApi } from '../../../src/api/health.js'
import { KvApi } from '../../../src/api/kv.js'
import { PreparedQueryApi } from '../../../src/api/prepared-query.js'
import { SessionApi } from '../../../src/api/session.js'
import { StatusApi } from '../../../src/api/status.js'
import { TxnApi } from '../../../src/api/txn.js'
import { Kv } from '../../../src/kv/kv.js'
import { makeEngine } from '../watch/harness.js'
import { ScriptedHttp } from './scripted-http.js'

type Call = (http: ScriptedHttp, options: never) => unknown

const kvOf = (http: ScriptedHttp): Kv => {
  const { clock, engine } = makeEngine()
  const logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }
  return new Kv({ clock, random: () => 0.5, logger }, new KvApi(http), new TxnApi(http), engine)
}

/** Every method that takes options. */
const CALLS: readonly [name: string, call: Call][] = [
  ['agent.self', (http, options) => new AgentApi(http).self(options)],
  ['agent.members', (http, options) => new AgentApi(http).members(options)],
  ['agent.maintenance', (http, options) => new AgentApi(http).maintenance(true, 'why', options)],
  ['agent.services.list', (http, options) => new AgentApi(http).services.list(options)],
  ['agent.services.get', (http, options) => new AgentApi(http).services.get('a', options)],
  ['agent.services.register', (http, options) => new AgentApi(http).services.register({ id: 'a', name: 'a' }, options)],
  ['agent.services.deregister', (http, options) => new AgentApi(http).services.deregister('a', options)],
  ['agent.services.maintenance', (http, options) => new AgentApi(http).services.maintenance('a', true, 'why', options)],
  ['agent.services.health', (http, options) => new AgentApi(http).services.health('a', options)],
  ['agent.checks.list', (http, options) => new AgentApi(http).checks.list(options)],
  [
    'agent.checks.register',
    (http, options) => new AgentApi(http).checks.register({ id: 'c', name: 'c', type: 'ttl', ttlMs: 1_000 }, options),
  ],
  ['agent.checks.deregister', (http, options) => new AgentApi(http).checks.deregister('c', options)],
  ['agent.checks.pass', (http, options) => new AgentApi(http).checks.pass('c', 'note', options)],
  ['agent.checks.warn', (http, options) => new AgentApi(http).checks.warn('c', 'note', options)],
  ['agent.checks.fail', (http, options) => new AgentApi(http).checks.fail('c', 'note', options)],
  ['agent.checks.update', (http, options) => new AgentApi(http).checks.update('c', 'passing', 'note', options)],
  ['catalog.services', (http, options) => new CatalogApi(http).services(options)],
  ['catalog.service', (http, options) => new CatalogApi(http).service('a', options)],
  ['catalog.nodes', (http, options) => new CatalogApi(http).nodes(options)],
  ['catalog.node', (http, options) => new CatalogApi(http).node('n', options)],
  ['catalog.datacenters', (http, options) => new CatalogApi(http).datacenters(options)],
  ['catalog.register', (http, options) => new CatalogApi(http).register({ node: 'n', address: '10.0.0.1' }, options)],
  ['catalog.deregister', (http, options) => new CatalogApi(http).deregister({ node: 'n' }, options)],
  ['event.fire', (http, options) => new EventApi(http).fire('e', options)],
  ['event.list', (http, options) => new EventApi(http).list(options)],
  ['health.service', (http, options) => new HealthApi(http).service('a', options)],
  ['health.connect', (http, options) => new HealthApi(http).connect('a', options)],
  ['health.checks', (http, options) => new HealthApi(http).checks('a', options)],
  ['health.node', (http, options) => new HealthApi(http).node('n', options)],
  ['health.state', (http, options) => new HealthApi(http).state('any', options)],
  ['query.execute', (http, options) => new PreparedQueryApi(http).execute('q', options)],
  ['query.list', (http, options) => new PreparedQueryApi(http).list(options)],
  ['query.create', (http, options) => new PreparedQueryApi(http).create({ service: { name: 'a' } }, options)],
  ['query.delete', (http, options) => new PreparedQueryApi(http).delete('q', options)],
  ['session.create', (http, options) => new SessionApi(http).create({}, options)],
  ['session.destroy', (http, options) => new SessionApi(http).destroy('s', options)],
  ['session.renew', (http, options) => new SessionApi(http).renew('s', options)],
  ['session.info', (http, options) => new SessionApi(http).info('s', options)],
  ['session.node', (http, options) => new SessionApi(http).node('n', options)],
  ['session.list', (http, options) => new SessionApi(http).list(options)],
  ['status.leader', (http, options) => new StatusApi(http).leader(options)],
  ['status.peers', (http, options) => new StatusApi(http).peers(options)],
  ['kv.get', (http, options) => kvOf(http).get('k', options)],
  ['kv.set', (http, options) => kvOf(http).set('k', 'v', options)],
  ['kv.delete', (http, options) => kvOf(http).delete('k', options)],
  ['kv.deleteTree', (http, options) => kvOf(http).deleteTree('k/', options)],
  ['kv.list', (http, options) => kvOf(http).list('k/', options)],
  ['kv.keys', (http, options) => kvOf(http).keys('k/', options)],
  ['kv.update', (http, options) => kvOf(http).update('k', () => 'v', options)],
  ['kv.transaction', (http, options) => kvOf(http).transaction([{ type: 'get', key: 'k' }], options)],
  ['kv.export', (http, options) => kvOf(http).export('k/', options)],
  ['kv.import', (http, options) => kvOf(http).import('k/', { a: '1' }, options)],
  ['kv.watch', async (http, options) => await kvOf(http).watch('k', options).close()],
  ['kv.watchTree', async (http, options) => await kvOf(http).watchTree('k/', options).close()],
]

async function outcome(call: () => unknown): Promise<unknown> {
  try {
    return await call()
  } catch (error) {
    return error
  }
}

describe.each(CALLS)('%s', (name, call) => {
  it('refuses an option that it does not know before it asks anything, and says which was meant', async () => {
    const http = new ScriptedHttp()
    expect(await outcome(() => call(http, { tokn: 't1' } as never))).toMatchObject({
      code: 'PROCONSUL_INVALID_OPTION',
      message: expect.stringMatching(
        new RegExp(`^${name}: options\\.tokn is "t1"; expected one of the options .*\\. Did you mean token\\?$`),
      ) as string,
    })
    expect(http.requests).toEqual([])
  })

  it.each([null, 5, 'text', []])('refuses %j in the place of its options', async (options) => {
    const http = new ScriptedHttp()
    expect(await outcome(() => call(http, options as never))).toMatchObject({
      code: 'PROCONSUL_INVALID_OPTION',
      message: expect.stringContaining(`${name}: options is`) as string,
    })
    expect(http.requests).toEqual([])
  })

  it.each([
    ['signal', 5],
    ['timeout', '1 year'],
    ['token', ''],
    ['datacenter', 5],
  ])('refuses %s: %j', async (option, value) => {
    if (option === 'timeout' && name.startsWith('kv.watch')) return
    const http = new ScriptedHttp()
    expect(await outcome(() => call(http, { [option]: value } as never))).toMatchObject({
      code: 'PROCONSUL_INVALID_OPTION',
      message: expect.stringMatching(new RegExp(`^(?:${name}: options\\.)?${option} is `)) as string,
    })
    expect(http.requests).toEqual([])
  })
})

describe('an option that is undefined', () => {
  it('counts as left out, also one that the call does not know', async () => {
    const http = new ScriptedHttp({ body: '[]' })
    await new HealthApi(http).service('a', { peer: undefined, filter: undefined, token: undefined })
    expect(await outcome(() => new StatusApi(http).leader({ filter: undefined } as never))).not.toMatchObject({
      code: 'PROCONSUL_INVALID_OPTION',
    })
  })
})

describe('an option of another call', () => {
  it.each<[string, Call, object]>([
    ['kv.get', (http, options) => kvOf(http).get('k', options), { filter: 'x == y' }],
    ['kv.list', (http, options) => kvOf(http).list('k/', options), { near: '_agent' }],
    ['session.list', (http, options) => new SessionApi(http).list(options), { peer: 'east' }],
    ['status.leader', (http, options) => new StatusApi(http).leader(options), { stale: true }],
    ['query.execute', (http, options) => new PreparedQueryApi(http).execute('q', options), { filter: 'x == y' }],
    ['agent.members', (http, options) => new AgentApi(http).members(options), { filter: 'x == y' }],
    ['health.checks', (http, options) => new HealthApi(http).checks('a', options), { passing: true }],
  ])('is refused by %s, which the agent would answer as if there were none', async (_name, call, options) => {
    expect(await outcome(() => call(new ScriptedHttp(), options as never))).toMatchObject({
      code: 'PROCONSUL_INVALID_OPTION',
    })
  })
})

describe('the value of an option', () => {
  it.each([
    ['stale', 'yes'],
    ['consistent', 1],
    ['cached', null],
    ['index', -1],
    ['index', 1.5],
    ['index', '7'],
    ['wait', '11m'],
    ['compress', 'off'],
    ['filter', 5],
    ['near', ''],
    ['peer', {}],
    ['nodeMeta', { zone: 5 }],
    ['nodeMeta', 'zone:a'],
    ['repeat', 'no'],
  ])('%s: %j is refused', async (option, value) => {
    const http = new ScriptedHttp()
    const options = { index: 1, [option]: value } as never
    expect(await outcome(() => new HealthApi(http).service('a', options))).toMatchObject({
      code: 'PROCONSUL_INVALID_OPTION',
      message: expect.stringMatching(new RegExp(`^${option}(?:\\.zone)? is `)) as string,
    })
    expect(http.requests).toEqual([])
  })
})

import { type } from 'arktype'
import * as v from 'valibot'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { ConfigChange, RejectedConfig, Settings } from '../../src/config/settings.js'
import { configClient, type ConfigClient } from '../support/config-client.js'
import { startConsul, type ConsulAgent } from '../support/consul-agent.js'
import { eventually } from '../support/eventually.js'
import { recordingLogger } from '../support/recording-logger.js'

let agent: ConsulAgent
let client: ConfigClient
let root: string
let count = 0

beforeAll(async () => {
  agent = await startConsul()
})

afterAll(async () => {
  await agent.close()
})

beforeEach(() => {
  root = `config-${++count}`
  client = configClient({ address: agent.url })
})

afterEach(async () => {
  await client[Symbol.asyncDispose]()
})

function nextChange<T>(settings: Settings<T>): Promise<ConfigChange<T>> {
  return new Promise((resolve) => settings.once('change', resolve))
}

function nextRejection<T>(settings: Settings<T>): Promise<RejectedConfig> {
  return new Promise((resolve) => settings.once('rejected', resolve))
}

async function put(entries: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, value] of Object.entries(entries)) await client.kv.set(`${root}/${name}`, value)
}

describe('a configuration of keys', () => {
  it('merges its layers, later ones winning, and says where each value comes from', async () => {
    await put({ 'application/db/host': 'shared', 'application/db/port': '5432', 'orders/db/host': 'own' })
    const settings = await client.config.open({
      layers: [`${root}/application`, `${root}/orders`],
      defaults: { db: { pool: { size: 5 } } },
    })
    expect(settings.value).toEqual({ db: { host: 'own', port: '5432', pool: { size: 5 } } })
    expect(settings.get('db.pool.size')).toBe(5)
    expect(settings.origin('db.host')).toMatchObject({ layer: `${root}/orders`, key: `${root}/orders/db/host` })
    expect(settings.origin('db.pool.size')).toEqual({ layer: 'defaults' })
    expect(settings.version).toBe(settings.origin('db.host')?.modifyIndex)
    expect(Object.isFrozen(settings.get('db'))).toBe(true)
  })

  it('applies changes, additions and deletions of any layer while it runs', async () => {
    await put({ 'a/one': '1', 'b/two': '2' })
    const settings = await client.config.open({ layers: [`${root}/a`, `${root}/b`], optional: true, debounce: 0 })
    const seen: unknown[] = []
    settings.on('change', ({ value, paths }) => seen.push([value, paths]))
    await put({ 'b/two': '3' })
    await eventually(() => expect(seen).toEqual([[{ one: '1', two: '3' }, ['two']]]))
    await put({ 'a/new/leaf': 'x' })
    await eventually(() => expect(seen.at(-1)).toEqual([{ one: '1', two: '3', new: { leaf: 'x' } }, ['new.leaf']]))
    await client.kv.delete(`${root}/a/one`)
    await eventually(() => expect(seen.at(-1)).toEqual([{ two: '3', new: { leaf: 'x' } }, ['one']]))
    await client.kv.deleteTree(`${root}/b/`)
    await eventually(() => expect(settings.value).toEqual({ new: { leaf: 'x' } }))
    expect(settings.stale).toBe(false)
  })

  it('picks up a layer when it appears', async () => {
    await put({ 'a/one': '1' })
    const settings = await client.config.open({
      layers: [`${root}/a`, `${root}/b`],
      optional: [`${root}/b`],
      debounce: 0,
    })
    await put({ 'b/one': '2' })
    await eventually(() => expect(settings.value).toEqual({ one: '2' }))
  })

  it('tells a watch of a part only of changes of that part', async () => {
    await put({ 'a/db/host': 'x', 'a/log/level': 'info' })
    const settings = await client.config.open({ layers: [`${root}/a`], debounce: 0 })
    const parts: unknown[] = []
    settings.watch(
      (value) => value['db'],
      (db, previous) => parts.push([db, previous]),
    )
    await put({ 'a/log/level': 'debug' })
    await eventually(() => expect(settings.get('log.level')).toBe('debug'))
    await put({ 'a/db/host': 'y' })
    await eventually(() => expect(parts).toEqual([[{ host: 'y' }, { host: 'x' }]]))
  })

  it('makes one change of many keys that are written together', async () => {
    await put({ 'a/k0': '0' })
    const settings = await client.config.open({ layers: [`${root}/a`], debounce: '150ms' })
    let changes = 0
    settings.on('change', () => (changes += 1))
    for (let index = 0; index < 20; index += 1) await put({ [`a/k${index}`]: 'new' })
    await eventually(() => expect(Object.keys(settings.value).length).toBe(20))
    expect(changes).toBe(1)
  })

  it('reads the layout of an application with profiles', async () => {
    await put({
      'application/a': '1',
      'application,prod/a': '2',
      'orders/a': '3',
      'orders,prod/b': '4',
      'billing/a': 'of another',
    })
    const settings = await client.config.open({ layers: { application: 'orders', profiles: ['prod'], prefix: root } })
    expect(settings.value).toEqual({ a: '3', b: '4' })
    await put({ 'orders,prod/a': '5' })
    await eventually(() => expect(settings.get('a')).toBe('5'))
  })

  it.each([
    ['alone', ['a']],
    ['of two in one folder', ['a', 'b']],
  ])('does not take a layer for empty that must be there, when it is emptied as a whole: %s', async (_what, names) => {
    await put({ 'a/one': '1', 'b/two': '2' })
    const settings = await client.config.open({ layers: names.map((name) => `${root}/${name}`), debounce: 0 })
    const before = settings.value
    const rejected = nextRejection(settings)
    await client.kv.deleteTree(`${root}/a/`)
    expect(await rejected).toMatchObject({ error: { code: 'PROCONSUL_NOT_FOUND' }, origin: { layer: `${root}/a` } })
    expect(settings.value).toBe(before)
    await put({ 'a/one': '3' })
    await eventually(() => expect(settings.get('one')).toBe('3'))
    expect(settings.rejection).toBeUndefined()
  })

  it.each([
    ['a trailing blank', 'odd '],
    ['two slashes', 'odd//name'],
    ['a tab', 'o\tdd'],
    ['a no-break space', 'o\u00a0dd'],
    ['a part of dots', 'x/../odd'],
    ['a line feed', 'odd\n'],
  ])('sees at once that a key is deleted whose name has %s', async (_what, name) => {
    const transact = async (verb: string): Promise<void> => {
      const step = { Verb: verb, Key: `${root}/a/${name}`, ...(verb === 'set' && { Value: 'eA==' }) }
      expect((await agent.request('PUT', '/v1/txn', { body: [{ KV: step }] })).status).toBe(200)
    }
    await put({ 'a/one': '1' })
    await transact('set')
    const settings = await client.config.open({ layers: [`${root}/a`], debounce: 0 })
    expect(settings.value).not.toEqual({ one: '1' })
    const stale: unknown[] = []
    settings.on('stale', (staleness) => stale.push(staleness))
    await transact('delete')
    await eventually(() => expect(settings.value).toEqual({ one: '1' }))
    await put({ 'a/one': '2' })
    await eventually(() => expect(settings.value).toEqual({ one: '2' }))
    expect(stale).toEqual([])
  })

  it('says at once, and not at the deadline, which layer holds nothing, and what was probably meant', async () => {
    await put({ 'orders/a': '1', 'billing/a': '1' })
    const logger = recordingLogger()
    await using logged = configClient({ address: agent.url, logger })
    const opened = logged.config.open({ layers: [`${root}/oders`], timeout: '20s' })
    opened.catch(() => undefined)
    const missing = (): unknown[] => logger.entries.filter(({ fields }) => fields['event'] === 'layers-missing')
    await eventually(() => expect(missing()).toHaveLength(1))
    expect(logger.messages('warn').join('\n')).toContain(`Did you mean ${root}/orders?`)
    await put({ 'oders/a': '2' })
    expect((await opened).value).toEqual({ a: '2' })
  })

  it('has a cold start without its layer fail after its deadline, naming layer and reason', async () => {
    await put({ 'a/one': '1' })
    const opened = client.config.open({ layers: [`${root}/a`, `${root}/nope`], timeout: '200ms' })
    await expect(opened).rejects.toMatchObject({ code: 'PROCONSUL_NOT_FOUND' })
    await expect(opened).rejects.toThrow(new RegExp(`nothing is stored under "${root}/nope"`))
  })
})

describe('a typed configuration', () => {
  const schema = z.object({ port: z.coerce.number().int().min(1), name: z.string().default('orders') })

  it('has the type of its zod schema, keeps the last good value, and reports a bad state once', async () => {
    await put({ 'a/port': '80' })
    const settings = await client.config.open({ layers: [`${root}/a`], schema, debounce: 0 })
    const port: number = settings.value.port
    expect(port).toBe(80)
    expect(settings.value.name).toBe('orders')

    const rejected: unknown[] = []
    settings.on('rejected', ({ issues, origin }) => rejected.push([issues.map(({ path }) => path), origin.key]))
    await put({ 'a/port': 'eighty' })
    await eventually(() => expect(rejected).toEqual([[['port'], `${root}/a/port`]]))
    expect(settings.value.port).toBe(80)
    expect(settings.rejection?.error.code).toBe('PROCONSUL_CONFIG_INVALID')

    const changed = nextChange(settings)
    await put({ 'a/port': '81' })
    await changed
    expect(settings.value.port).toBe(81)
    expect(settings.rejection).toBeUndefined()
    expect(rejected.length).toBe(1)
  })

  it('has the type of its valibot schema', async () => {
    await put({ 'a/hosts/0': 'x', 'a/hosts/1': 'y' })
    const settings = await client.config.open({
      layers: [`${root}/a`],
      schema: v.object({ hosts: v.array(v.string()) }),
    })
    const hosts: readonly string[] = settings.value.hosts
    expect(hosts).toEqual(['x', 'y'])
  })

  it('has the type of its arktype schema, whose complaints tell no secret', async () => {
    await put({ 'a/port': '80', 'a/token': 'abc' })
    const settings = await client.config.open({
      layers: [`${root}/a`],
      schema: type({ port: 'string.integer.parse', token: 'string <= 3' }),
      secrets: ['token'],
      debounce: 0,
    })
    const port: number = settings.value.port
    expect(port).toBe(80)
    const rejected = nextRejection(settings)
    await put({ 'a/token': 'hunter2' })
    const { issues } = await rejected
    expect(issues).toMatchObject([{ path: 'token', key: `${root}/a/token` }])
    expect(JSON.stringify(issues)).not.toContain('hunter2')
    expect(settings.value).toEqual({ port: 80, token: 'abc' })
  })

  it('fails to start on a configuration that is not acceptable, naming the key', async () => {
    await put({ 'a/port': '0' })
    await expect(client.config.open({ layers: [`${root}/a`], schema })).rejects.toThrow(
      new RegExp(`${root}/a/port: port: `),
    )
  })

  it('can be vetoed by a hook', async () => {
    await put({ 'a/port': '1' })
    const settings = await client.config.open({
      layers: [`${root}/a`],
      schema,
      debounce: 0,
      beforeApply: async (next) => {
        await Promise.resolve()
        if (next.port === 13) throw new Error('13 is taken')
      },
    })
    const rejected = nextRejection(settings)
    await put({ 'a/port': '13' })
    expect(await rejected).toMatchObject({ issues: [{ message: '13 is taken' }] })
    expect(settings.value.port).toBe(1)
  })
})

describe('a configuration of documents', () => {
  it.each([
    ['json', '{"db":{"port":5432},"hosts":["a"]}', '{"db":{"port":1}}'],
    ['yaml', 'db: {port: 5432}\nhosts: [a]', 'db:\n  port: 1\n'],
  ] as const)('reads %s of one key or of a folder', async (format, lower, upper) => {
    await put({ base: lower, 'orders/data': upper })
    const layers = [`${root}/base`, `${root}/orders`]
    const settings = await client.config.open({ layers, optional: [`${root}/orders`], format, debounce: 0 })
    expect(settings.value).toEqual({ db: { port: 1 }, hosts: ['a'] })
    expect(settings.origin('db.port')?.key).toBe(`${root}/orders/data`)
    await client.kv.delete(`${root}/orders/data`)
    await eventually(() => expect(settings.get('db.port')).toBe(5432))
  })

  it('reports key and line of a document that cannot be read, and goes on with the last good one', async () => {
    await put({ base: '{"a":1}' })
    const settings = await client.config.open({ layers: [`${root}/base`], format: 'json', debounce: 0 })
    const rejected = nextRejection(settings)
    await put({ base: '{\n  "password": hunter2\n}' })
    expect(await rejected).toMatchObject({
      issues: [{ message: 'is not JSON', line: 2, column: 15, key: `${root}/base`, layer: `${root}/base` }],
    })
    expect(settings.value).toEqual({ a: 1 })
    expect(settings.rejection?.error.message).not.toContain('hunter2')
  })
})

import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ConfigOptions } from '../../src/config/options/config-options.js'
import type { Settings } from '../../src/config/settings.js'
import type { TreeObject } from '../../src/config/tree/tree.js'
import { ProconsulError } from '../../src/errors/proconsul-error.js'
import { startEmbeddedConsul } from '../../src/testing/index.js'
import { configClient, type ConfigClient } from '../support/config-client.js'
import { startConsul, type ConsulAgent } from '../support/consul-agent.js'
import { eventually } from '../support/eventually.js'

let agent: ConsulAgent
let client: ConfigClient
let folder: string
let cacheFile: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'proconsul-config-'))
  cacheFile = join(folder, 'cache.json')
  agent = await startConsul()
  client = configClient({ address: agent.url })
})

afterEach(async () => {
  await client[Symbol.asyncDispose]()
  await agent.close()
  await rm(folder, { recursive: true })
})

async function seed(): Promise<void> {
  await client.kv.set('app/db/host', 'db-1')
  await client.kv.set('app/db/password', 'hunter2')
}

async function open(options: Partial<ConfigOptions> = {}): Promise<Settings<TreeObject>> {
  return await client.config.open({ layers: ['app'], debounce: 0, timeout: '3s', ...options })
}

/** A configuration that was running once, with what it left in its cache file. */
async function ranOnce(options: Partial<ConfigOptions> = {}): Promise<void> {
  await seed()
  const settings = await open({ cacheFile, ...options })
  await settings.close()
  // A client of its own, as after a restart of the process.
  await client[Symbol.asyncDispose]()
  client = configClient({ address: agent.url })
}

function events(settings: Settings<TreeObject>): string[] {
  const seen: string[] = []
  for (const name of ['change', 'rejected', 'stale', 'recovered'] as const) settings.on(name, () => seen.push(name))
  return seen
}

describe('Consul is down at the start', () => {
  it('fails within the deadline, naming the layers and the reason', async () => {
    await agent.kill()
    await expect(open({ timeout: '1s' })).rejects.toMatchObject({ code: 'PROCONSUL_UNAVAILABLE' })
    await expect(open({ timeout: '1s' })).rejects.toThrow(/layers "app" could not be loaded within 1s: .*ECONNREFUSED/)
  })

  it('waits for Consul as long as the deadline allows', async () => {
    await agent.kill()
    const opened = open({ timeout: '20s', optional: true })
    await agent.start()
    expect((await opened).value).toEqual({})
  })

  it('starts from the cache, says that it may be out of date, and follows Consul once it answers', async () => {
    await ranOnce()
    await agent.kill()
    const settings = await open({ cacheFile })
    expect(settings.value).toEqual({ db: { host: 'db-1', password: 'hunter2' } })
    expect(settings.stale).toBe(true)
    expect(settings.staleness?.error.code).toBe('PROCONSUL_UNAVAILABLE')
    const seen = events(settings)
    await agent.start()
    await client.kv.import('app', { db: { host: 'db-2', password: 'hunter2' } })
    await eventually(() => expect(settings.get('db.host')).toBe('db-2'), { within: 15_000 })
    expect(settings.stale).toBe(false)
    expect(seen).toEqual(['recovered', 'change'])
  })

  it('starts from the cache when the agent hangs', async () => {
    await ranOnce()
    await agent.pause()
    const settings = await open({ cacheFile, timeout: '1s' })
    expect(settings.get('db.host')).toBe('db-1')
    await agent.resume()
    await eventually(() => expect(settings.stale).toBe(false), { within: 20_000 })
  })
})

describe('a start from the cache beside watches of the same client', () => {
  it('is as quick as alone while Consul is down', async () => {
    await ranOnce()
    await agent.kill()
    const watchers = Array.from({ length: 12 }, (_, index) => client.kv.watch(`other/${index}`))
    await eventually(() => expect(watchers.every(({ failure }) => failure !== undefined)).toBe(true))
    const at = performance.now()
    const settings = await open({ cacheFile, timeout: '20s' })
    expect(performance.now() - at).toBeLessThan(2_000)
    expect(settings.stale).toBe(true)
  })
})

describe('a process that started from the cache', () => {
  it.each([
    ['required', {}],
    ['optional', { optional: true }],
  ])('does not take an empty Consul for the truth, nor its first key for the whole: %s', async (_what, options) => {
    await ranOnce(options)
    const kept = await readFile(cacheFile, 'utf8')
    await agent.kill()
    const settings = await open({ cacheFile, ...options })
    const changes: unknown[] = []
    settings.on('change', ({ value }) => changes.push(value))
    // Its state is gone: it was never on a disk.
    await agent.start()
    await eventually(() => expect(settings.staleness?.error.message).toMatch(/2 keys are missing/), { within: 20_000 })
    await client.kv.set('app/db/host', 'db-2')
    await eventually(() => expect(settings.staleness?.error.message).toMatch(/1 keys are missing/), { within: 20_000 })
    expect(settings.value).toEqual({ db: { host: 'db-1', password: 'hunter2' } })
    expect(await readFile(cacheFile, 'utf8')).toBe(kept)
    await client.kv.set('app/db/password', 'hunter2')
    await eventually(() => expect(settings.stale).toBe(false), { within: 20_000 })
    expect(changes).toEqual([{ db: { host: 'db-2', password: 'hunter2' } }])
  })

  it('is one as well when Consul answers at once and has lost everything', async () => {
    await ranOnce({ optional: true })
    const kept = await readFile(cacheFile, 'utf8')
    await agent.restart()
    const settings = await open({ cacheFile, optional: true, defaults: { db: { host: 'default' } } })
    expect(settings.get('db.host')).toBe('db-1')
    expect(settings.stale).toBe(true)
    expect(await readFile(cacheFile, 'utf8')).toBe(kept)
  })

  it('is none when keys were deleted while nobody looked', async () => {
    await ranOnce()
    await client.kv.delete('app/db/password')
    const settings = await open({ cacheFile })
    expect(settings.value).toEqual({ db: { host: 'db-1' } })
    expect(settings.stale).toBe(false)
  })

  it('is none when all optional keys were deleted while nobody looked', async () => {
    await ranOnce({ optional: true })
    await client.kv.deleteTree('app/')
    const settings = await open({ cacheFile, optional: true })
    expect(settings.value).toEqual({})
    expect(settings.stale).toBe(false)
  })
})

describe('a start with the defaults', () => {
  it('comes without Consul and without a cache, and follows Consul once it answers', async () => {
    await agent.kill()
    const settings = await open({ defaults: { db: { host: 'default' } }, startWith: 'defaults', timeout: '1s' })
    expect(settings.value).toEqual({ db: { host: 'default' } })
    expect(settings.staleness?.error.code).toBe('PROCONSUL_UNAVAILABLE')
    const seen = events(settings)
    await agent.start()
    await client.kv.set('app/db/host', 'db-1')
    await eventually(() => expect(settings.get('db.host')).toBe('db-1'), { within: 20_000 })
    expect(settings.stale).toBe(false)
    expect(seen[0]).toBe('recovered')
  })
})

describe('a cache file', () => {
  it('is private and holds no secret', async () => {
    await ranOnce({ secrets: ['db.password'] })
    expect((await stat(cacheFile)).mode & 0o777).toBe(0o600)
    const content = await readFile(cacheFile, 'utf8')
    expect(content).toContain('db-1')
    expect(content).not.toContain('hunter2')
    await agent.kill()
    expect((await open({ cacheFile, secrets: ['db.password'] })).value).toEqual({ db: { host: 'db-1' } })
  })

  it('holds the secrets too when it is encrypted, and is of no use without the key', async () => {
    const cacheKey = Buffer.alloc(32, 7)
    await ranOnce({ cacheKey, secrets: ['db.password'] })
    const content = await readFile(cacheFile, 'utf8')
    expect(content).not.toContain('db-1')
    expect(content).not.toContain(Buffer.from('hunter2').toString('base64'))
    await agent.kill()
    expect((await open({ cacheFile, cacheKey, secrets: ['db.password'] })).get('db.password')).toBe('hunter2')
    await expect(open({ cacheFile, timeout: '1s' })).rejects.toMatchObject({ code: 'PROCONSUL_UNAVAILABLE' })
    const otherKey = Buffer.alloc(32, 8)
    await expect(open({ cacheFile, cacheKey: otherKey, timeout: '1s' })).rejects.toMatchObject({
      code: 'PROCONSUL_UNAVAILABLE',
    })
  })

  it.each<[string, () => Promise<void>]>([
    ['torn', async () => writeFile(cacheFile, (await readFile(cacheFile)).subarray(0, -5))],
    ['truncated to nothing', async () => writeFile(cacheFile, '')],
    ['changed', async () => writeFile(cacheFile, (await readFile(cacheFile, 'utf8')).replace('db-1', 'evil'))],
    [
      'of another version',
      async () => writeFile(cacheFile, (await readFile(cacheFile, 'utf8')).replace('"version":1', '"version":99')),
    ],
    ['readable by others', async () => chmod(cacheFile, 0o644)],
  ])('that is %s is not used', async (_name, damage) => {
    await ranOnce()
    await damage()
    await agent.kill()
    await expect(open({ cacheFile, timeout: '1s' })).rejects.toMatchObject({ code: 'PROCONSUL_UNAVAILABLE' })
  })

  it.each<[string, Partial<ConfigOptions>]>([
    ['configuration', { layers: ['other'] }],
    ['datacenter', { datacenter: 'production' }],
    ['namespace', { namespace: 'team-b' }],
  ])('of another %s is not used', async (_what, other) => {
    await ranOnce()
    await agent.kill()
    await expect(open({ ...other, cacheFile, timeout: '1s' })).rejects.toMatchObject({
      code: 'PROCONSUL_UNAVAILABLE',
    })
  })

  it('that cannot be written is reported and harms nothing', async () => {
    await seed()
    const settings = await open({ cacheFile: folder })
    const failed = new Promise((resolve) => settings.once('error', resolve))
    await client.kv.set('app/db/host', 'db-2')
    expect(await failed).toMatchObject({ code: 'PROCONSUL_CACHE_FAILED' })
    expect(settings.get('db.host')).toBe('db-2')
  })
})

describe('Consul loses its state while the configuration runs', () => {
  it('is not taken for a deletion: the last good value stays until the keys are back', async () => {
    await seed()
    const settings = await open({ lossGuard: { hold: '1m' } })
    const seen = events(settings)
    await agent.restart()
    await eventually(() => expect(settings.staleness?.error.message).toMatch(/keys are missing/), { within: 15_000 })
    expect(settings.value).toEqual({ db: { host: 'db-1', password: 'hunter2' } })

    // One key of two is back: still the same loss.
    await client.kv.set('app/db/host', 'db-3')
    await eventually(async () => expect((await client.kv.list('app/')).length).toBe(1))
    await client.kv.set('app/db/password', 'hunter2')
    await eventually(() => expect(settings.get('db.host')).toBe('db-3'), { within: 15_000 })
    expect(settings.stale).toBe(false)
    expect(seen).toEqual(['stale', 'recovered', 'change'])
  })

  it('is believed after the guard has waited for its time', async () => {
    await seed()
    const settings = await open({ lossGuard: { hold: '1s' }, optional: true })
    await agent.restart()
    await eventually(() => expect(settings.value).toEqual({}), { within: 20_000 })
    expect(settings.stale).toBe(false)
  })

  it('is guarded against as well when layers are read one by one', async () => {
    await seed()
    await client.kv.set('foreign/key', 'x')
    const settings = await open({ layers: ['app', 'base'], optional: ['base'] })
    await agent.restart()
    await eventually(() => expect(settings.stale).toBe(true), { within: 15_000 })
    await seed()
    await eventually(() => expect(settings.stale).toBe(false), { within: 15_000 })
    expect(settings.value).toEqual({ db: { host: 'db-1', password: 'hunter2' } })
  })
})

describe('Consul is away for a while and keeps its state', () => {
  it('is stale meanwhile, and sees what changed', async () => {
    await using durable = await startConsul({ durable: true })
    await using other = configClient({ address: durable.url })
    await other.kv.set('app/a', '1')
    const settings = await other.config.open({ layers: ['app'], debounce: 0 })
    const seen = events(settings)
    await durable.kill()
    await eventually(() => expect(settings.stale).toBe(true))
    expect(settings.value).toEqual({ a: '1' })
    await durable.start()
    await other.kv.set('app/a', '2')
    await eventually(() => expect(settings.value).toEqual({ a: '2' }), { within: 15_000 })
    expect(seen.filter((name) => name !== 'change')).toEqual(['stale', 'recovered'])
  })
})

describe('the right to read is revoked', () => {
  it('keeps the last good value and says so', async () => {
    await using guarded = await startConsul({ acl: true })
    const token = await guarded.acl.createToken('key_prefix "app/" { policy = "read" }')
    await using writer = configClient({ address: guarded.url, token: guarded.acl.managementToken })
    await writer.kv.set('app/a', '1')
    await using reader = configClient({ address: guarded.url, token: token.secret }, { wait: '1s' })
    const settings = await reader.config.open({ layers: ['app'], debounce: 0 })
    await guarded.acl.deleteToken(token)
    await eventually(() => expect(settings.staleness?.error.code).toBe('PROCONSUL_PERMISSION_DENIED'), {
      within: 15_000,
    })
    expect(settings.value).toEqual({ a: '1' })
  })

  it('is no deletion when the agent merely leaves the keys out', async () => {
    await using guarded = await startConsul({ acl: true })
    await using writer = configClient({ address: guarded.url, token: guarded.acl.managementToken })
    await writer.kv.set('app/a', '1')
    const policy = await aclPolicy(guarded, 'key_prefix "app/" { policy = "read" }')
    await using reader = configClient({ address: guarded.url, token: policy.secret }, { wait: '1s' })
    const settings = await reader.config.open({ layers: ['app'], debounce: 0 })
    await policy.change('key_prefix "other/" { policy = "read" }')
    await eventually(() => expect(settings.staleness?.error.message).toMatch(/keys are missing/), { within: 15_000 })
    expect(settings.value).toEqual({ a: '1' })
    await policy.change('key_prefix "app/" { policy = "read" }')
    await eventually(() => expect(settings.stale).toBe(false), { within: 15_000 })
  })

  it.each([
    ['others change', 'payments/x', 'few'],
    ['others outgrow the largest answer', 'payments/x'.padEnd(60_000, 'x'), 'few'],
    ['another layer changes', 'base/x', 'few'],
    ['what is left of the layer changes', 'orders/x', 'few'],
    ['another layer changes, beside many others', 'base/x', 'many'],
    ['what is left of the layer changes, beside many others', 'orders/x', 'many'],
  ])('for a key is no deletion when %s meanwhile', async (_what, change, others) => {
    const [key, value] = [change.slice(0, 10), change]
    await using guarded = await startConsul({ acl: true })
    await using writer = configClient({ address: guarded.url, token: guarded.acl.managementToken })
    await writer.kv.import('app', { 'base/a': '1', 'orders/b': '1' })
    const names = Array.from({ length: others === 'many' ? 450 : 1 }, (_, index) => [`${index}`, ''] as const)
    await writer.kv.import('app/payments', Object.fromEntries(names))
    const [wide, narrow] = await tokens(guarded, { app: 'read' }, { app: 'read', 'app/orders/b': 'deny' })
    let token = wide
    await using reader = configClient(
      { address: guarded.url, token: () => token, maxResponseBytes: 50_000 },
      { interval: 1, wait: '1s' },
    )
    const settings = await reader.config.open({ layers: ['app/base', 'app/orders'], debounce: 0 })
    const seen = events(settings)
    token = narrow
    let round = 0
    const changing = async (): Promise<unknown> => writer.kv.set(`app/${key}`, `${++round}${value}`)
    await eventually(
      async () => {
        await changing()
        expect(settings.staleness?.error.message).toMatch(/keys are missing/)
      },
      { within: 15_000 },
    )
    expect(settings.get('b')).toBe('1')
    token = wide
    await eventually(
      async () => {
        await changing()
        expect(settings.stale).toBe(false)
      },
      { within: 15_000 },
    )
    expect(settings.get('b')).toBe('1')
    expect(seen.filter((name) => name !== 'change')).toEqual(['stale', 'recovered'])
  })

  it('for the folder around the layers, while the layers may be listed, goes unnoticed', async () => {
    await using guarded = await startConsul({ acl: true, hcl: 'acl { enable_key_list_policy = true }' })
    await using writer = configClient({ address: guarded.url, token: guarded.acl.managementToken })
    await writer.kv.import('app', { 'a/x': '1', 'b/x': '2', 'b/old': '1' })
    const [wide, narrow] = await tokens(guarded, { 'app/': 'list' }, { 'app/a/': 'list', 'app/b/': 'list' })
    let token = wide
    await using reader = configClient({ address: guarded.url, token: () => token }, { wait: '1s' })
    const settings = await reader.config.open({ layers: ['app/a', 'app/b'], debounce: 0 })
    const seen = events(settings)
    token = narrow
    await eventually(() => expect(kinds(reader)).toContain('config.layer'), { within: 15_000 })
    await writer.kv.set('app/b/x', '3')
    await eventually(() => expect(settings.value).toEqual({ x: '3', old: '1' }))
    await writer.kv.delete('app/b/old')
    await eventually(() => expect(settings.value).toEqual({ x: '3' }))
    expect(seen).toEqual(['change', 'change'])
  })

  it('for the folder around the layers, found after an outage, ends as a recovery', async () => {
    await using guarded = await startConsul({ acl: true, hcl: 'acl { enable_key_list_policy = true }' })
    await using writer = configClient({ address: guarded.url, token: guarded.acl.managementToken })
    await writer.kv.import('app', { 'a/x': '1', 'b/x': '2' })
    const [wide, narrow] = await tokens(guarded, { 'app/': 'list' }, { 'app/a/': 'list', 'app/b/': 'list' })
    let token = wide
    let isDown = false
    await using reader = configClient({ address: guarded.url, token: () => token }, { wait: '1s' }, (request, http) =>
      isDown ? Promise.reject(new ProconsulError('PROCONSUL_UNAVAILABLE', 'down')) : http.request(request),
    )
    const settings = await reader.config.open({ layers: ['app/a', 'app/b'], debounce: 0 })
    const seen = events(settings)
    isDown = true
    await eventually(() => expect(settings.stale).toBe(true), { within: 15_000 })
    token = narrow
    isDown = false
    await eventually(() => expect(settings.stale).toBe(false), { within: 15_000 })
    expect(seen).toEqual(['stale', 'recovered'])
    expect(kinds(reader)).toContain('config.layer')
  })

  it('to all but the layers leaves a deletion a deletion, where the agent tells that it left something out', async () => {
    await using telling = await startEmbeddedConsul({ acl: {} })
    await using writer = configClient({ address: telling.address, token: telling.acl.managementToken })
    await writer.kv.import('app', { 'a/x': '1', 'b/x': '2', 'b/old': '1', 'payments/x': '1' })
    const tokenOf = (...folders: string[]): string =>
      telling.acl.createToken(folders.map((folder) => `key_prefix "${folder}" { policy = "read" }`).join('\n')).secretId
    let token = tokenOf('app/')
    await using reader = configClient({ address: telling.address, token: () => token }, { wait: '1s' })
    const settings = await reader.config.open({ layers: ['app/a', 'app/b'], debounce: 0 })
    const seen = events(settings)
    token = tokenOf('app/a/', 'app/b/')
    await eventually(() => expect(kinds(reader)).toContain('config.layer'), { within: 15_000 })
    await writer.kv.delete('app/b/old')
    await eventually(() => expect(settings.value).toEqual({ x: '2' }))
    expect(seen).toEqual(['change'])
  })

  it('is asked with the token of the configuration itself where one is given', async () => {
    await using guarded = await startConsul({ acl: true })
    const { managementToken: token } = guarded.acl
    await using anonymous = configClient({ address: guarded.url })
    expect(await anonymous.kv.set('app/a', '1', { token })).toBe(true)
    const [settings, watcher] = [
      await anonymous.config.open({ layers: ['app'], token, datacenter: 'dc1' }),
      anonymous.kv.watch('app/a', { token }),
    ]
    expect(settings.value).toEqual({ a: '1' })
    expect((await watcher.ready())?.value).toBe('1')
    const denied = anonymous.config.open({ layers: ['app'], timeout: '500ms' })
    await expect(denied).rejects.toMatchObject({ code: 'PROCONSUL_NOT_FOUND' })
    await expect(denied).rejects.toThrow(/or the token may not read it/)
    await expect(anonymous.kv.set('app/a', '2')).rejects.toMatchObject({ code: 'PROCONSUL_PERMISSION_DENIED' })
    const step = { type: 'set', key: 'app/a', value: '2' } as const
    await expect(anonymous.kv.transaction([step])).rejects.toMatchObject({ code: 'PROCONSUL_PERMISSION_DENIED' })
  })

  it.each([
    ['one layer', ['app/a'], {}],
    ['two layers in one folder', ['app/a', 'app/b'], {}],
    ['two layers in two folders', ['app/a', 'bpp/a'], {}],
    ['a list', ['app/a', 'app/b'], { hcl: 'acl { enable_key_list_policy = true }' }],
    ['a list of one', ['app/a'], { hcl: 'acl { enable_key_list_policy = true }' }],
  ])('to read is no reason to start on defaults alone: %s', async (_what, layers, options) => {
    await using guarded = await startConsul({ acl: true, ...options })
    await using writer = configClient({ address: guarded.url, token: guarded.acl.managementToken })
    for (const layer of layers) await writer.kv.set(`${layer}/x`, '1')
    const defaults = { x: 'default' }
    await (await writer.config.open({ layers, defaults, cacheFile })).close()
    const kept = await readFile(cacheFile, 'utf8')
    const { secret } = await guarded.acl.createToken('key_prefix "other/" { policy = "read" }')
    await using reader = configClient({ address: guarded.url, token: secret })
    const denied = { code: 'PROCONSUL_PERMISSION_DENIED' }
    await expect(reader.config.open({ layers, defaults })).rejects.toMatchObject(denied)
    await expect(reader.config.open({ layers, defaults, cacheFile })).rejects.toMatchObject(denied)
    expect(await readFile(cacheFile, 'utf8')).toBe(kept)
  })

  it('is asked for by name only where nothing is there: optional layers need not exist', async () => {
    await using guarded = await startConsul({ acl: true })
    const { secret } = await guarded.acl.createToken('key_prefix "app/" { policy = "read" }')
    await using reader = configClient({ address: guarded.url, token: secret })
    const settings = await reader.config.open({ layers: ['app/a', 'app/b'], defaults: { x: 1 } })
    expect(settings.value).toEqual({ x: 1 })
    expect(settings.stale).toBe(false)
  })

  it.each([['app/a'], ['app/a', 'app/b'], ['app/a', 'bpp/b']])(
    'to read is told by newer agents, which is heeded as well: %s %s',
    async (...layers) => {
      await using telling = await startEmbeddedConsul({ acl: {} })
      await using writer = configClient({ address: telling.address, token: telling.acl.managementToken })
      for (const layer of layers) await writer.kv.set(`${layer}/x`, '1')
      const { secretId } = telling.acl.createToken('key_prefix "other/" { policy = "read" }')
      await using reader = configClient({ address: telling.address, token: secretId })
      const opened = reader.config.open({ layers, defaults: { x: 'default' } })
      await expect(opened).rejects.toMatchObject({ code: 'PROCONSUL_PERMISSION_DENIED' })
    },
  )

  it('to read stays lost for longer than the guard holds, and what was read stays as well', async () => {
    await using guarded = await startConsul({ acl: true })
    await using writer = configClient({ address: guarded.url, token: guarded.acl.managementToken })
    await writer.kv.set('app/a', '1')
    const [wide, narrow] = await tokens(guarded, { app: 'read' }, { other: 'read' })
    let token = wide
    await using reader = configClient({ address: guarded.url, token: () => token }, { wait: '1s' })
    const settings = await reader.config.open({ layers: ['app'], optional: true, lossGuard: { hold: 50 }, debounce: 0 })
    const doubts: unknown[] = []
    settings.on('stale', ({ error }) => doubts.push(error.code))
    token = narrow
    await eventually(() => expect(doubts).toEqual(['PROCONSUL_PERMISSION_DENIED']), { within: 15_000 })
    let asked = 0
    await eventually(() => expect(++asked).toBeGreaterThan(20))
    expect(settings.value).toEqual({ a: '1' })
    token = wide
    await eventually(() => expect(settings.stale).toBe(false), { within: 15_000 })
  })

  it('to list is not needed for the folder around the layers', async () => {
    await using guarded = await startConsul({ acl: true, hcl: 'acl { enable_key_list_policy = true }' })
    await using writer = configClient({ address: guarded.url, token: guarded.acl.managementToken })
    await writer.kv.set('app/a/x', '1')
    await writer.kv.set('app/b/x', '2')
    const rules = ['app/a/', 'app/b/'].map((prefix) => `key_prefix "${prefix}" { policy = "list" }`)
    const { secret } = await guarded.acl.createToken(rules.join('\n'))
    await using reader = configClient({ address: guarded.url, token: secret })
    await expect(reader.kv.keys('app/')).rejects.toMatchObject({ code: 'PROCONSUL_PERMISSION_DENIED' })
    const settings = await reader.config.open({ layers: ['app/a', 'app/b'], debounce: 0 })
    expect(settings.value).toEqual({ x: '2' })
    await writer.kv.set('app/b/x', '3')
    await eventually(() => expect(settings.value).toEqual({ x: '3' }))
  })

  it('does not start from the cache with a token that is refused', async () => {
    await using guarded = await startConsul({ acl: true })
    await using writer = configClient({ address: guarded.url, token: guarded.acl.managementToken })
    await writer.kv.set('app/a', '1')
    await (await writer.config.open({ layers: ['app'], cacheFile })).close()
    await using stranger = configClient({ address: guarded.url, token: '0c8a2a36-0000-4000-8000-000000000000' })
    await expect(stranger.config.open({ layers: ['app'], cacheFile })).rejects.toMatchObject({
      code: 'PROCONSUL_PERMISSION_DENIED',
    })
  })
})

/** A token for each set of rules: prefix and policy. */
async function tokens(guarded: ConsulAgent, ...rules: Readonly<Record<string, string>>[]): Promise<[string, string]> {
  const secrets: string[] = []
  for (const rule of rules) {
    const texts = Object.entries(rule).map(([prefix, policy]) => `key_prefix "${prefix}" { policy = "${policy}" }`)
    secrets.push((await guarded.acl.createToken(texts.join('\n'))).secret)
  }
  const [first = '', second = ''] = secrets
  return [first, second]
}

/** The queries by which a client follows its configurations. */
function kinds(client: ConfigClient): string[] {
  const { watches } = client.engine.debug()
  return watches.filter(({ subscribers }) => subscribers > 0).map(({ kind }) => kind)
}

interface ChangeablePolicy {
  readonly secret: string
  change(rules: string): Promise<void>
}

async function aclPolicy(guarded: ConsulAgent, rules: string): Promise<ChangeablePolicy> {
  const put = async (path: string, body: unknown): Promise<Record<string, string>> =>
    stringsOf((await guarded.request('PUT', path, { body })).json())
  const { ID = '' } = await put('/v1/acl/policy', { Name: 'changing', Rules: rules })
  const { SecretID = '' } = await put('/v1/acl/token', { Policies: [{ Name: 'changing' }] })
  return {
    secret: SecretID,
    change: async (changed) => {
      await put(`/v1/acl/policy/${ID}`, { Name: 'changing', Rules: changed })
    },
  }
}

function stringsOf(value: unknown): Record<string, string> {
  return Object.fromEntries(Object.entries(value ?? {}).map(([name, part]) => [name, String(part)]))
}

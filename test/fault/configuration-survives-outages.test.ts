import { chmod, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ConfigOptions } from '../../src/config/options/config-options.js'
import type { Settings } from '../../src/config/settings.js'
import type { TreeObject } from '../../src/config/tree/tree.js'
import { configClient, type ConfigClient } from '../support/config-client.js'
import { startConsul, type ConsulAgent } from '../support/consul-agent.js'
import { eventually } from '../support/eventually.js'
import { cacheFolder, events } from './running-configuration.js'

let agent: ConsulAgent
let client: ConfigClient
let folder: string
let cacheFile: string

beforeEach(async () => {
  folder = await cacheFolder()
  cacheFile = join(folder, 'cache.json')
  agent = await startConsul()
  client = configClient({ address: agent.url })
})

afterEach(async () => {
  await client[Symbol.asyncDispose]()
  await agent.close()
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

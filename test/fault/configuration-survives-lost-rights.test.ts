import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ProconsulError } from '../../src/errors/proconsul-error.js'
import { startEmbeddedConsul } from '../../src/testing/index.js'
import { configClient, type ConfigClient } from '../support/config-client.js'
import { startConsul, type ConsulAgent } from '../support/consul-agent.js'
import { eventually } from '../support/eventually.js'
import { cacheFolder, events } from './running-configuration.js'

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
    const cacheFile = join(await cacheFolder(), 'cache.json')
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
    const cacheFile = join(await cacheFolder(), 'cache.json')
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

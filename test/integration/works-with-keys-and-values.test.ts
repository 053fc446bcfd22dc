import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { configClient, type ConfigClient } from '../support/config-client.js'
import { startConsul, type ConsulAgent } from '../support/consul-agent.js'
import { eventually } from '../support/eventually.js'

let agent: ConsulAgent
let client: ConfigClient
let root: string
let count = 0

beforeAll(async () => {
  agent = await startConsul()
  client = configClient({ address: agent.url })
})

afterAll(async () => {
  await client[Symbol.asyncDispose]()
  await agent.close()
})

beforeEach(() => {
  root = `kv-${++count}`
})

describe('keys and values', () => {
  it('are written, read, listed and deleted', async () => {
    const { kv } = client
    expect(await kv.get(`${root}/a`)).toBeUndefined()
    expect(await kv.set(`${root}/a`, '1', { flags: 7 })).toBe(true)
    await kv.set(`${root}/b/c`, '')
    expect(await kv.get(`${root}/a`)).toMatchObject({ key: `${root}/a`, value: '1', flags: 7, lockIndex: 0 })
    expect((await kv.list(`${root}/`)).map(({ key, value }) => [key, value])).toEqual([
      [`${root}/a`, '1'],
      [`${root}/b/c`, ''],
    ])
    expect(await kv.keys(`${root}/`, { separator: '/' })).toEqual([`${root}/a`, `${root}/b/`])
    expect(await kv.delete(`${root}/a`)).toBe(true)
    expect(await kv.delete(`${root}/a`)).toBe(true)
    await kv.deleteTree(`${root}/`)
    expect(await kv.keys(`${root}/`)).toEqual([])
  })

  it('are written only under the condition that was asked for', async () => {
    const { kv } = client
    expect(await kv.set(`${root}/a`, '1', { cas: 0 })).toBe(true)
    expect(await kv.set(`${root}/a`, '2', { cas: 0 })).toBe(false)
    const { modifyIndex = 0 } = (await kv.get(`${root}/a`)) ?? {}
    expect(await kv.set(`${root}/a`, '2', { cas: modifyIndex })).toBe(true)
    expect(await kv.delete(`${root}/a`, { cas: modifyIndex })).toBe(false)
    expect((await kv.get(`${root}/a`))?.value).toBe('2')
    const session = await client.session.create({ lockDelay: 0 })
    expect(await kv.set(`${root}/a`, '3', { acquire: session })).toBe(true)
    expect((await kv.get(`${root}/a`))?.session).toBe(session)
    expect(await kv.set(`${root}/a`, '4', { release: session })).toBe(true)
    await client.session.destroy(session)
    expect((await client.session.info(session)).value).toBeUndefined()
  })

  it('keep every byte and all 64 bits of the flags, also in a transaction', async () => {
    const { kv } = client
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))
    await kv.set(`${root}/a`, bytes, { flags: 2n ** 64n - 1n })
    expect(await kv.get(`${root}/a`, { encoding: 'buffer' })).toMatchObject({ value: bytes, flags: 2n ** 64n - 1n })
    await kv.transaction([{ type: 'set', key: `${root}/b`, value: bytes, flags: 2n ** 63n + 1n }])
    expect((await kv.list(`${root}/`, { encoding: 'buffer' }))[1]).toMatchObject({
      value: bytes,
      flags: 2n ** 63n + 1n,
    })
  })

  it('may be 512 KiB and not a byte more', async () => {
    const largest = Buffer.alloc(512 * 1024, 1)
    expect(await client.kv.set(`${root}/a`, largest)).toBe(true)
    expect((await client.kv.get(`${root}/a`, { encoding: 'buffer' }))?.value.equals(largest)).toBe(true)
    await expect(client.kv.set(`${root}/a`, Buffer.alloc(512 * 1024 + 1))).rejects.toThrow(/at most 524288 bytes/)
  })

  it('are changed by a function without a lost update, however many do so at once', async () => {
    const key = `${root}/counter`
    const bump = (): Promise<boolean> => client.kv.update(key, (value) => String(Number(value ?? 0) + 1))
    expect(await Promise.all(Array.from({ length: 20 }, bump))).toEqual(Array.from({ length: 20 }, () => true))
    expect((await client.kv.get(key))?.value).toBe('20')
    expect(await client.kv.update(key, () => undefined)).toBe(false)
  })

  it('keep their flags in an update, which gives up when others never stop', async () => {
    const key = `${root}/a`
    await client.kv.set(key, '0', { flags: 9 })
    await client.kv.update(key, (value) => `${value ?? ''}!`)
    expect(await client.kv.get(key)).toMatchObject({ value: '0!', flags: 9 })
    const meddling = client.kv.update(
      key,
      async (value) => {
        await client.kv.set(key, `${value ?? ''}?`)
        return 'mine'
      },
      { patience: '100ms' },
    )
    await expect(meddling).rejects.toMatchObject({ code: 'PROCONSUL_CONFLICT' })
  })

  it('are changed together or not at all', async () => {
    const { kv } = client
    await kv.set(`${root}/a`, '1')
    const failed = await kv.transaction([
      { type: 'set', key: `${root}/a`, value: '2' },
      { type: 'check-not-exists', key: `${root}/a` },
    ])
    expect(failed).toEqual({ committed: false, failures: [{ step: 1, reason: `key "${root}/a" exists` }] })
    expect((await kv.get(`${root}/a`))?.value).toBe('1')
    const committed = await kv.transaction([
      { type: 'get', key: `${root}/a` },
      { type: 'set', key: `${root}/b`, value: '2' },
      { type: 'get-tree', prefix: `${root}/nothing/` },
      { type: 'delete', key: `${root}/a` },
    ])
    expect(committed.committed && committed.entries.map(({ key, value }) => [key, value])).toEqual([
      [`${root}/a`, '1'],
      [`${root}/b`, ''],
    ])
    expect(await kv.keys(`${root}/`)).toEqual([`${root}/b`])
  })
})

describe('a watch', () => {
  it('ends with its signal, and refuses an option that it does not know', async () => {
    const controller = new AbortController()
    const watcher = client.kv.watch(`${root}/signalled`, { signal: controller.signal })
    await watcher.ready({ timeout: '5s' })
    const closed = new Promise<void>((resolve) => watcher.on('closed', resolve))
    controller.abort()
    await closed
    // @ts-expect-error no such option
    expect(() => client.kv.watch('a', { foo: 1 })).toThrow(
      'kv.watch: options.foo is 1; expected one of the options signal, token',
    )
  })

  it('of a key tells of its values, also of its absence, and of nothing else', async () => {
    const watcher = client.kv.watch(`${root}/a`)
    const seen: unknown[] = []
    watcher.on('change', ({ value, previous }) => seen.push([value?.value, previous?.value]))
    expect(await watcher.ready()).toBeUndefined()
    await client.kv.set(`${root}/neighbour`, 'x')
    await client.kv.set(`${root}/a`, '1')
    await eventually(() => expect(watcher.value?.value).toBe('1'))
    await client.kv.set(`${root}/a`, '1')
    await client.kv.set(`${root}/a2`, 'x')
    await client.kv.set(`${root}/a`, '2')
    await eventually(() => expect(watcher.value?.value).toBe('2'))
    await client.kv.delete(`${root}/a`)
    await eventually(() => expect(watcher.value).toBeUndefined())
    expect(seen).toEqual([
      [undefined, undefined],
      ['1', undefined],
      ['2', '1'],
      [undefined, '2'],
    ])
    await watcher.close()
  })

  it('of a tree tells of every change below it, and keeps the entries that did not change', async () => {
    await client.kv.set(`${root}/a`, '1')
    await client.kv.set(`${root}/b`, '1')
    const watcher = client.kv.watchTree(`${root}/`)
    const [first] = await watcher.ready()
    await client.kv.set(`${root}/b`, '2')
    await eventually(() => expect(watcher.value[1]?.value).toBe('2'))
    expect(watcher.value[0]).toBe(first)
    await watcher.close()
  })

  it('keeps quiet while it is paused, and tells once what changed when it goes on', async () => {
    await using watcher = client.kv.watch(`${root}/a`)
    await using tree = client.kv.watchTree(`${root}/`)
    await Promise.all([watcher.ready(), tree.ready()])
    const seen: unknown[] = []
    watcher.on('change', ({ value, previous }) => seen.push([value?.value, previous?.value]))
    watcher.pause()
    for (const value of ['1', '2']) await client.kv.set(`${root}/a`, value)
    await eventually(() => expect(tree.value[0]?.value).toBe('2'))
    expect([watcher.value, seen]).toEqual([undefined, []])
    const resumedAt = Date.now()
    watcher.resume()
    await eventually(() => expect(seen).toEqual([['2', undefined]]))
    expect(watcher.receivedAt).toBeGreaterThanOrEqual(resumedAt)
    await client.kv.set(`${root}/a`, '3')
    await eventually(() => expect(watcher.value?.value).toBe('3'))
  })

  it('can be iterated, latest first, until it is closed', async () => {
    const watcher = client.kv.watch(`${root}/a`)
    const seen: (string | undefined)[] = []
    await client.kv.set(`${root}/a`, '1')
    for await (const entry of watcher) {
      seen.push(entry?.value)
      if (entry?.value === '1') await client.kv.set(`${root}/a`, '2')
      if (entry?.value === '2') await watcher.close()
    }
    expect(seen.slice(-2)).toEqual(['1', '2'])
  })
})

describe('an import', () => {
  it('touches only what differs, in one transaction, and reports it', async () => {
    const { kv } = client
    await kv.set(`${root}/same`, '1')
    await kv.set(`${root}/changed`, '1')
    await kv.set(`${root}/extra`, '1')
    const before = await kv.get(`${root}/same`)
    const report = await kv.import(root, { same: 1, changed: true, new: { list: ['x', 'y'] } })
    expect(report).toEqual({
      created: [`${root}/new/list/0`, `${root}/new/list/1`],
      updated: [`${root}/changed`],
      deleted: [],
      unchanged: [`${root}/same`],
      atomic: true,
    })
    expect(await kv.get(`${root}/same`)).toEqual(before)
    expect((await kv.import(root, { same: '1' }, { prune: true })).deleted.length).toBe(4)
    expect(await kv.keys(`${root}/`)).toEqual([`${root}/same`])
  })

  it('is split where one transaction cannot hold it, and says so before and after', async () => {
    const tree = Object.fromEntries(Array.from({ length: 130 }, (_, index) => [`k${index}`, `${index}`]))
    await expect(client.kv.import(root, tree, { atomic: true })).rejects.toThrow(/one transaction; this one takes 3/)
    expect(await client.kv.keys(`${root}/`)).toEqual([])
    expect(await client.kv.import(root, tree, { dryRun: true })).toMatchObject({ atomic: false })
    expect((await client.kv.import(root, tree)).created.length).toBe(130)
    expect((await client.kv.keys(`${root}/`)).length).toBe(130)
  })

  it('writes values of every size and brings an export back', async () => {
    const large = Buffer.alloc(500_000, 2)
    await client.kv.import(root, { large, half: Buffer.alloc(300_000, 3), other: Buffer.alloc(300_000, 4) })
    const entries = await client.kv.export(root)
    await client.kv.deleteTree(`${root}/`)
    await client.kv.import(root, entries)
    expect((await client.kv.get(`${root}/large`, { encoding: 'buffer' }))?.value.equals(large)).toBe(true)
    expect((await client.kv.import(root, entries)).unchanged.length).toBe(3)
  })

  it.each<[string, object, RegExp]>([
    ['a key outside of the folder', { '../x': '1' }, /"\.\."/],
    ['a name that is empty', { a: { '': '1' } }, /non-empty name/],
    ['a value that is no text', { a: null }, /JSON text/],
    ['a value that is too large', { a: 'x'.repeat(524_289) }, /at most 524288/],
  ])('refuses %s before it writes anything', async (_name, tree, message) => {
    await expect(client.kv.import(root, { fine: '1', ...tree })).rejects.toThrow(message)
    expect(await client.kv.keys(`${root}/`)).toEqual([])
  })
})

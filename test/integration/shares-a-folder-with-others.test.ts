import { afterAll, afterEach, beforeAll, beforeEach, expect, describe, it } from 'vitest'
import type { ConfigOptions } from '../../src/config/options/config-options.js'
import type { Settings } from '../../src/config/settings.js'
import type { ProconsulOptions } from '../../src/options/client-options.js'
import { configClient, type ConfigClient, type OnTheWay } from '../support/config-client.js'
import { startConsul, type ConsulAgent } from '../support/consul-agent.js'
import { eventually } from '../support/eventually.js'

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
  root = `shared-${++count}`
  client = connect()
})

afterEach(async () => {
  await client[Symbol.asyncDispose]()
})

/** As many reads as the agent gives, so that no test waits for the pace of a watch. */
function connect(options: ProconsulOptions = {}, onTheWay?: OnTheWay): ConfigClient {
  return configClient({ address: agent.url, ...options }, { interval: 1 }, onTheWay)
}

async function open(by = client, options: Partial<ConfigOptions<unknown>> = {}): Promise<Settings<unknown>> {
  await client.kv.import(`${root}/application`, { a: '1' })
  await client.kv.import(`${root}/orders`, { b: '1' })
  return await by.config.open({ layers: [`${root}/application`, `${root}/orders`], debounce: 0, ...options })
}

/** How the layers are read: together in one query, or apart. */
function way(): 'together' | 'apart' | undefined {
  const kinds = new Set(client.engine.debug().watches.map(({ kind, subscribers }) => subscribers > 0 && kind))
  if (kinds.has('config.layers')) return 'together'
  return kinds.has('config.layer') ? 'apart' : undefined
}

async function crowd(keys: number, value = 'x'): Promise<void> {
  const others = Array.from({ length: keys }, (_, index) => [`key-${index}`, value] as const)
  await client.kv.import(`${root}/payments`, Object.fromEntries(others))
}

/** A change of its own is seen, whatever others do. */
async function expectToFollow(settings: Settings<unknown>): Promise<void> {
  const changes: unknown[] = []
  settings.on('change', ({ value }) => changes.push(value))
  await client.kv.set(`${root}/orders/b`, '2')
  await eventually(() => expect(settings.value).toEqual({ a: '1', b: '2' }))
  expect(changes).toEqual([{ a: '1', b: '2' }])
}

describe('a configuration whose folder others use as well', () => {
  it('is read by one query as long as the others are few', async () => {
    await crowd(50)
    const settings = await open()
    expect(way()).toBe('together')
    await expectToFollow(settings)
  })

  it('is read apart from them when they are many', async () => {
    await crowd(450)
    const settings = await open()
    expect(way()).toBe('apart')
    await expectToFollow(settings)
  })

  it('is read apart from them when they are large', async () => {
    await crowd(3, 'x'.repeat(40_000))
    const settings = await open()
    await eventually(() => expect(way()).toBe('apart'))
    await expectToFollow(settings)
  })

  it('is read apart from them when all together is more than one answer may hold', async () => {
    await crowd(5, 'x'.repeat(40_000))
    await client[Symbol.asyncDispose]()
    client = connect({ maxResponseBytes: 100_000 })
    await expectToFollow(await open())
    expect(way()).toBe('apart')
  })

  it('starts beside one whose names alone are more than one answer may hold', async () => {
    const others = Array.from({ length: 2_000 }, (_, index) => [`${index}-`.padEnd(60, 'x'), ''] as const)
    await client.kv.import(`${root}/payments`, Object.fromEntries(others))
    await client[Symbol.asyncDispose]()
    client = connect({ maxResponseBytes: 100_000 })
    await expectToFollow(await open())
    expect(way()).toBe('apart')
  })

  it('reads no endless list of names to find out how many the others have', async () => {
    const limits = new Map<unknown, number | undefined>()
    await using watched = connect({}, async (request, http) => {
      if (request.operation === 'kv.keys') limits.set(request.query?.['separator'], request.maxBytes)
      return await http.request(request)
    })
    await crowd(1)
    await open(watched)
    expect([...limits]).toEqual([
      ['/', 262_144],
      [undefined, 262_144],
    ])
  })

  it('is read apart from them when they move in later', async () => {
    const settings = await open()
    expect(way()).toBe('together')
    await crowd(600)
    await eventually(() => expect(way()).toBe('apart'))
    await expectToFollow(settings)
  })

  it('is not validated again when others move in', async () => {
    let validations = 0
    const schema = (value: unknown): unknown => {
      validations += 1
      return value
    }
    const settings = await open(client, { schema })
    await crowd(3, 'x'.repeat(40_000))
    await eventually(() => expect(way()).toBe('apart'))
    await expectToFollow(settings)
    expect(validations).toBe(2)
  })

  it('sees at once that a key of its own is deleted while it changes over', async () => {
    let isOpen = false
    let isDeleted = false
    await using late = connect({}, async (request, http) => {
      if (isOpen && request.operation === 'txn' && !isDeleted) {
        isDeleted = true
        await client.kv.delete(`${root}/application/a`)
      }
      return await http.request(request)
    })
    const settings = await open(late, { optional: true })
    isOpen = true
    const seen: string[] = []
    for (const name of ['stale', 'change'] as const) settings.on(name, () => seen.push(name))
    await crowd(3, 'x'.repeat(40_000))
    await eventually(() => expect(settings.value).toEqual({ b: '1' }))
    expect(isDeleted).toBe(true)
    expect(seen).toEqual(['change'])
  })

  it.each([
    ['a key', 10, 'keys', 'orders/b'],
    ['a whole layer', 10, 'keys', 'orders/'],
    ['a whole layer', 450, 'keys', 'orders/'],
    ['a document', 10, 'json', 'orders'],
    ['a document', 450, 'json', 'orders'],
  ] as const)('sees at once that %s is deleted, beside %i keys of others', async (_what, others, format, gone) => {
    await crowd(others)
    const keys = Array.from({ length: 100 }, (_, index) => [`orders/key-${index}`, '1'] as const)
    await client.kv.import(
      root,
      format === 'json' ? { orders: '{"b":1}' } : { 'orders/b': '1', ...Object.fromEntries(keys) },
    )
    const layers = [`${root}/application`, `${root}/orders`]
    const settings = await client.config.open({ layers, format, optional: true, debounce: 0 })
    const stale: unknown[] = []
    settings.on('stale', (event) => stale.push(event))
    expect(settings.get('b')).toBeDefined()
    await client.kv.deleteTree(`${root}/${gone}`)
    await eventually(() => expect(settings.get('b')).toBeUndefined())
    expect(stale).toEqual([])
  })

  it('leaves no query behind when it is closed by the state that makes it change over', async () => {
    await crowd(3, 'x'.repeat(40_000))
    await client.kv.import(root, { 'application/a': '1', 'orders/b': '1' })
    const layers = ['application', 'orders'].map((name) => {
      const path = `${root}/${name}`
      return { path, folder: `${path}/`, optional: false }
    })
    await new Promise<void>((resolve) => {
      const hold = client.layers.source({ layers, format: 'keys', access: {} }).observe({
        onValue: () => {
          void hold.close()
          resolve()
        },
        onFailure: () => undefined,
        onDoubt: () => undefined,
        onSaved: () => undefined,
        onProblem: () => undefined,
      })
    })
    expect(way()).toBeUndefined()
  })

  it('is read apart from one that changes all the time, and hears nothing of it', async () => {
    const settings = await open()
    const changes: unknown[] = []
    settings.on('change', ({ value }) => changes.push(value))
    let round = 0
    await eventually(async () => {
      await client.kv.set(`${root}/payments/restless`, `${++round}`)
      expect(way()).toBe('apart')
    })
    expect(changes).toEqual([])
    expect(round).toBeGreaterThan(10)
    await expectToFollow(settings)
  })

  it('is what its own format makes of it, when another configuration reads the same layers in another format', async () => {
    await client.kv.import(root, { 'application/x': '{"x":1}', 'orders/y': '{"y":1}', orders: '{"z":1}' })
    const layers = [`${root}/application`, `${root}/orders`]
    const keys = await client.config.open({ layers })
    const documents = await client.config.open({ layers, format: 'json' })
    expect(keys.value).toEqual({ x: '{"x":1}', y: '{"y":1}' })
    expect(documents.value).toEqual({ x: 1, y: 1, z: 1 })
  })
})

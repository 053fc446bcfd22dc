import { afterAll, afterEach, beforeAll, beforeEach, expect, describe, it } from 'vitest'
import type { Settings } from '../../src/config/settings.js'
import type { ProconsulOptions } from '../../src/options.js'
import { configClient, type ConfigClient } from '../support/config-client.js'
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
function connect(options: ProconsulOptions = {}): ConfigClient {
  return configClient({ address: agent.url, ...options }, { interval: 1, burst: 100 })
}

async function open(): Promise<Settings<unknown>> {
  await client.kv.import(`${root}/application`, { a: '1' })
  await client.kv.import(`${root}/orders`, { b: '1' })
  return await client.config.open({ layers: [`${root}/application`, `${root}/orders`], debounce: 0 })
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

  it('is read apart from them when they move in later', async () => {
    const settings = await open()
    expect(way()).toBe('together')
    await crowd(600)
    await eventually(() => expect(way()).toBe('apart'))
    await expectToFollow(settings)
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
})

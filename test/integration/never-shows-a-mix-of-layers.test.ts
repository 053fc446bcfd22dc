import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { configClient, type ConfigClient, type OnTheWay } from '../support/config-client.js'
import { startConsul, type ConsulAgent } from '../support/consul-agent.js'
import { eventually } from '../support/eventually.js'

const FLIPS = 1_000

let agent: ConsulAgent
let client: ConfigClient

beforeAll(async () => {
  agent = await startConsul()
  // As many reads as the agent gives, so that many of them fall between two flips.
  client = configClient({ address: agent.url }, { interval: 1 })
})

afterAll(async () => {
  await client[Symbol.asyncDispose]()
  await agent.close()
})

async function flip(root: string, value: number): Promise<void> {
  const steps = ['a', 'b', 'c'].map(
    (layer) => ({ type: 'set', key: `${root}/${layer}/${layer}`, value: `${value}` }) as const,
  )
  const result = await client.kv.transaction(steps)
  expect(result.committed).toBe(true)
}

describe('layers that are changed together, a thousand times', () => {
  it.each([
    ['in a folder of their own, read by one query', 'alone', 0],
    ['in a folder with few keys of others, read by one query', 'shared', 10],
    ['in a folder with many keys of others, read by one transaction', 'crowded', 500],
  ])('are never shown half changed: layers %s', async (_name, root, foreignKeys) => {
    const others = Array.from({ length: foreignKeys }, (_, index) => [`another-application/key-${index}`, 'x'] as const)
    await client.kv.import(root, Object.fromEntries(others))
    await flip(root, 0)
    const layers = ['a', 'b', 'c'].map((layer) => `${root}/${layer}`)
    const settings = await client.config.open({ layers, debounce: 0 })
    const mixes: unknown[] = []
    let changes = 0
    settings.on('change', ({ value }) => {
      changes += 1
      if (new Set([value['a'], value['b'], value['c']]).size !== 1) mixes.push(value)
    })
    for (let value = 1; value <= FLIPS; value += 1) await flip(root, value)
    await eventually(() => expect(settings.get('c')).toBe(`${FLIPS}`))
    expect(mixes).toEqual([])
    // A reader that saw only a few states would prove nothing.
    expect(changes).toBeGreaterThan(FLIPS / 10)
    await settings.close()
  })
})

describe('layers that are opened', () => {
  async function open(root: string, onTheWay: OnTheWay, names = ['a', 'b', 'c']): Promise<unknown> {
    await using opened = configClient({ address: agent.url }, {}, onTheWay)
    const settings = await opened.config.open({ layers: names.map((name) => `${root}/${name}`), optional: true })
    return settings.value
  }

  it('are read side by side', async () => {
    await flip('quiet', 1)
    const sent: string[] = []
    const value = await open('quiet', async (request, http) => {
      if (request.query?.['index'] === undefined) sent.push(`${request.operation} ${request.path}`)
      return await http.request(request)
    })
    expect(value).toEqual({ a: '1', b: '1', c: '1' })
    expect(sent).toEqual(['kv.keys /kv/quiet/', ...['a', 'b', 'c'].map((layer) => `kv.list /kv/quiet/${layer}/`)])
  })

  it.each(['a', 'b', 'c'])('are not shown half changed by a change that comes before %s is read', async (late) => {
    const root = `late-${late}`
    await flip(root, 1)
    let answered = 0
    const value = await open(root, async (request, http) => {
      if (request.path === `/kv/${root}/${late}/`) {
        await eventually(() => expect(answered).toBe(2))
        await flip(root, 2)
      }
      const answer = await http.request(request)
      if (request.operation === 'kv.list') answered += 1
      return answer
    })
    expect(value).toEqual({ a: '2', b: '2', c: '2' })
  })

  it.each<[string, string, (root: string) => Promise<unknown>]>([
    ['comes', 'c', (root) => client.kv.set(`${root}/c/c`, '2')],
    ['goes', 'a', (root) => client.kv.deleteTree(`${root}/a/`)],
  ])('are one look at the store when a layer %s meanwhile', async (what, layer, change) => {
    const root = `layer-${what}`
    await client.kv.import(root, { 'a/a': '1', 'b/b': '1' })
    const read: string[] = []
    const value = await open(root, async (request, http) => {
      if (request.path === `/kv/${root}/${layer}/`) await change(root)
      read.push(request.operation)
      return await http.request(request)
    })
    const now = await client.kv.list(root)
    expect(value).toEqual(Object.fromEntries(now.map((entry) => [entry.key.slice(-1), entry.value])))
    expect(read).toContain('txn')
  })

  it('need no transaction when one of them does not exist, and others changed something since', async () => {
    await client.kv.import('partly/there', { a: '1' })
    await client.kv.set('elsewhere', '1')
    const sent = new Set<string>()
    const onTheWay: OnTheWay = (request, http) => {
      sent.add(request.operation)
      return http.request(request)
    }
    expect(await open('partly', onTheWay, ['there', 'missing'])).toEqual({ a: '1' })
    expect([...sent]).toEqual(['kv.keys', 'kv.list'])
  })

  it('take no request when they are open already', async () => {
    await flip('twice', 1)
    let sent = 0
    await using opened = configClient({ address: agent.url }, {}, (request, http) => {
      if (request.query?.['index'] === undefined) sent += 1
      return http.request(request)
    })
    const layers = ['a', 'b', 'c'].map((layer) => `twice/${layer}`)
    const first = await opened.config.open({ layers })
    sent = 0
    const second = await opened.config.open({ layers })
    expect(second.value).toEqual(first.value)
    expect(sent).toBe(0)
  })
})

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { configClient, type ConfigClient } from '../support/config-client.js'
import { startConsul, type ConsulAgent } from '../support/consul-agent.js'
import { eventually } from '../support/eventually.js'

const FLIPS = 1_000

let agent: ConsulAgent
let client: ConfigClient

beforeAll(async () => {
  agent = await startConsul()
  // As many reads as the agent gives, so that many of them fall between two flips.
  client = configClient({ address: agent.url }, { interval: 1, burst: 100 })
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

import { beforeEach, afterEach, describe, expect, it } from 'vitest'
import type { ServiceSnapshot, ServiceWatcher } from '../../src/instances/service-watcher.js'
import { discoveryClient, type DiscoveryClient } from '../integration/discovery-client.js'
import { collectGarbage } from '../support/collect-garbage.js'
import { startConsul, type ConsulAgent } from '../support/consul-agent.js'
import { eventually } from '../support/eventually.js'

let agent: ConsulAgent
let client: DiscoveryClient

beforeEach(async () => {
  agent = await startConsul()
  // Every change is read by itself: what is skipped is skipped by the reader.
  client = discoveryClient({ address: agent.url }, { interval: 1 })
})

afterEach(async () => {
  await client.close()
  await agent.close()
})

/** Gives the one instance of the service a version. */
async function release(version: number): Promise<void> {
  const body = { Name: 'web', ID: 'a', Port: 80, Meta: { version: String(version) } }
  expect((await agent.request('PUT', '/v1/agent/service/register', { body })).status).toBe(200)
}

const versionOf = ({ instances }: ServiceSnapshot): number => Number(instances[0]?.meta['version'])

/** The versions that a subscriber who does all right has seen, in order. */
function follow(watcher: ServiceWatcher): number[] {
  const versions: number[] = []
  watcher.on('change', ({ snapshot }) => void versions.push(versionOf(snapshot)))
  return versions
}

/** What the test lets through when it likes. */
function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open = (): void => undefined
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open: () => open() }
}

const upTo = (last: number): number[] => Array.from({ length: last + 1 }, (_, version) => version)

describe('beside a well-behaved subscriber of the same service', () => {
  it('one that throws at every event takes nothing from it, also through an outage', async () => {
    await release(0)
    const bad = client.discovery.watchService('web')
    const thrown: string[] = []
    for (const event of ['change', 'stale', 'recovered', 'error', 'closed'] as const) {
      bad.on(event, () => {
        thrown.push(event)
        throw new Error(`thrown at ${event}`)
      })
      bad.on(event, async () => {
        await Promise.resolve()
        throw new Error(`rejected at ${event}`)
      })
    }
    const good = client.discovery.watchService('web')
    const versions = follow(good)
    for (let version = 1; version <= 10; version++) {
      await eventually(() => expect(versions.at(-1)).toBe(version - 1))
      await release(version)
    }
    await eventually(() => expect(versions).toEqual(upTo(10)))
    await agent.kill()
    await eventually(() => expect(good.snapshot.stale).toBe(true))
    await agent.start()
    await release(11)
    await eventually(() => expect(versions.at(-1)).toBe(11), { within: 15_000 })
    expect(good.snapshot.stale).toBe(false)
    // All that was to be told was told to both, and each time it threw.
    expect(versionOf(bad.snapshot)).toBe(11)
    expect(thrown.filter((event) => event === 'change')).toHaveLength(versions.length)
    await bad.close()
    expect(new Set(thrown)).toEqual(new Set(['change', 'stale', 'error', 'recovered', 'closed']))
    await release(12)
    await eventually(() => expect(versions.at(-1)).toBe(12))
  })

  it('one whose loop takes long holds up nobody: it goes on with the latest, and one state at most waits for it', async () => {
    await release(0)
    const slow = client.discovery.watchService('web')
    const shown: WeakRef<ServiceSnapshot>[] = []
    slow.on('change', ({ snapshot }) => void shown.push(new WeakRef(snapshot)))
    const good = client.discovery.watchService('web')
    const versions = follow(good)
    const taken: number[] = []
    const { opened, open } = gate()
    const reading = (async () => {
      for await (const snapshot of slow) {
        taken.push(versionOf(snapshot))
        await opened
      }
    })()
    await eventually(() => expect(taken).toEqual([0]))
    for (let version = 1; version <= 50; version++) {
      await release(version)
      await eventually(() => expect(versions.at(-1)).toBe(version), { every: 2 })
    }
    expect(versions).toEqual(upTo(50))
    expect(shown).toHaveLength(51)
    expect(taken).toEqual([0])
    // Of all those states only the one in its hands and the one that waits for it are still in memory.
    await eventually(() => {
      collectGarbage()
      expect(shown.filter((snapshot) => snapshot.deref() !== undefined).length).toBeLessThanOrEqual(2)
    })
    open()
    await eventually(() => expect(taken).toEqual([0, 50]))
    await release(51)
    await eventually(() => expect(taken).toEqual([0, 50, 51]))
    await slow.close()
    await reading
    await release(52)
    await eventually(() => expect(versions.at(-1)).toBe(52))
  })

  it('one that blocks the thread at every change delays it, and neither misses where a storm of changes ends', async () => {
    await release(0)
    const bad = client.discovery.watchService('web')
    const good = client.discovery.watchService('web')
    const blocked: number[] = []
    bad.on('change', ({ snapshot }) => {
      const until = performance.now() + 50
      while (performance.now() < until);
      blocked.push(versionOf(snapshot))
    })
    const versions = follow(good)
    await eventually(() => expect(versions).toEqual([0]))
    for (let storm = 0; storm < 5; storm++) {
      const last = storm * 10 + 10
      for (let version = last - 9; version <= last; version++) await release(version)
      await eventually(() => expect(versions.at(-1)).toBe(last))
      expect(blocked.at(-1)).toBe(last)
    }
    // In order, and nothing twice.
    expect(versions).toEqual([...new Set(versions)].sort((a, b) => a - b))
    expect(good.snapshot.stale).toBe(false)
  })
})

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { Proconsul } from '../../src/proconsul.js'
import type { ConsulAgent } from '../support/consul-agent.js'
import { eventually } from '../support/eventually.js'
import { afterTest, client, consulAgent } from '../support/opened.js'
import { answers, scriptedAgent } from '../support/scripted-agent.js'

let agent: ConsulAgent
let folder: string

/**
 * A client that has followed a dozen services in vain for so long that its next try is seconds away. Eight read at once to begin with,
 * and then one of all of them, each time after a longer pause.
 */
async function inAnOutage(): Promise<Proconsul> {
  const consul = client(agent.url)
  for (let number = 0; number < 12; number += 1) consul.watchService(`other-${number}`)
  const reads = (): number => consul.debug().watches.reduce((sum, watch) => sum + watch.reads, 0)
  await eventually(() => expect(reads()).toBeGreaterThanOrEqual(12), { within: 20_000 })
  return consul
}

/** How long `work` took, in milliseconds. The next try of the outage would come after two seconds or more. */
async function took(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now()
  await work()
  return performance.now() - startedAt
}

describe('beside watches that have failed for long', () => {
  beforeEach(async () => {
    agent = await consulAgent()
    folder = await mkdtemp(join(tmpdir(), 'proconsul-outage-'))
    afterTest(() => rm(folder, { recursive: true }))
  })

  it('a configuration starts from its file at once', async () => {
    const cacheFile = join(folder, 'config.cache')
    const before = client(agent.url)
    await before.kv.set('app/orders/limit', '7')
    await (await before.config({ layers: ['app/orders'], cacheFile })).close()
    await agent.kill()
    const consul = await inAnOutage()
    const open = async (): Promise<void> => {
      const settings = await consul.config({ layers: ['app/orders'], cacheFile })
      expect([settings.get('limit'), settings.stale]).toEqual(['7', true])
    }
    expect(await took(open)).toBeLessThan(1_000)
  })

  it('a configuration without a file, a key and a service say what is wrong', async () => {
    await agent.kill()
    const consul = await inAnOutage()
    const starts = [
      consul.config({ layers: ['app/orders'], timeout: '500ms' }),
      consul.kv.watch('key').ready({ timeout: '500ms' }),
      consul.watchService('users').ready({ timeout: '500ms' }),
    ]
    for (const settled of await Promise.allSettled(starts)) {
      expect(settled).toMatchObject({ reason: { message: expect.stringContaining('ECONNREFUSED') as string } })
    }
  })

  it('all of them go on by themselves when the agent is back', async () => {
    await agent.kill()
    const consul = await inAnOutage()
    const watcher = consul.kv.watch('key')
    const told: string[] = []
    watcher.on('error', ({ code }) => void told.push(code))
    await agent.start()
    await eventually(() => expect(watcher.stale).toBe(false), { within: 20_000 })
    expect(told).toEqual(['PROCONSUL_UNAVAILABLE'])
  })
})

it.concurrent.each(['3600', '9999999999', 'Fri, 01 Jan 2100 00:00:00 GMT'])(
  'an agent that asks to wait for an hour, or for ever, is asked again within seconds: %s',
  async (asked) => {
    await using busy = await scriptedAgent(
      answers(429, 'slow down', { 'retry-after': asked }),
      answers(200, '[]', { 'x-consul-index': '1', 'x-consul-knownleader': 'true' }),
    )
    await using consul = new Proconsul({ address: busy.url, timeout: '3s' })
    const watcher = consul.watchNodes()
    const failures: (number | undefined)[] = []
    watcher.on('error', ({ retryAfterMs }) => void failures.push(retryAfterMs))
    await eventually(() => expect(failures).toEqual([60_000]))
    expect(busy.requests).toHaveLength(1)
    await eventually(() => expect(watcher.failure).toBeUndefined(), { within: 20_000 })
  },
)

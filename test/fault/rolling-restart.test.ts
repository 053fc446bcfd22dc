import { once } from 'node:events'
import { Agent, createServer, get, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { Proconsul } from '../../src/proconsul.js'
import { startConsul } from '../support/consul-agent.js'
import { eventually } from '../support/eventually.js'
import { afterTest } from '../support/opened.js'

/** Five instances under constant load from a caller that watches them, restarted one after another. */

const INSTANCES = 5
const CALLS_PER_SECOND = 200
const DRAIN_MS = 300
/** Each call takes this long, so that some are always under way. */
const WORK_MS = 20

interface Instance {
  readonly client: Proconsul
  readonly server: Server
}

async function startInstance(url: string): Promise<Instance> {
  const server = createServer((_request, response) => void setTimeout(() => response.end('done'), WORK_MS))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = new Proconsul({ address: url })
  const { port } = server.address() as AddressInfo
  await client.registerService({ name: 'rolled', port, check: { ttl: '10s' } })
  return { client, server }
}

/** Leaves discovery, lets callers notice, finishes what is under way. */
async function leave({ client, server }: Instance): Promise<void> {
  await client.close({ drain: DRAIN_MS, onDrained: () => server.close() })
}

/** What is usually written: deregister, then exit. */
async function exit({ client, server }: Instance): Promise<void> {
  await client.close()
  server.closeAllConnections()
  server.close()
}

/** Calls an instance of its watched list 200 times a second over kept connections; returns what stops it and counts. */
async function startLoad(url: string): Promise<() => Promise<{ calls: number; failed: string[] }>> {
  const client = new Proconsul({ address: url })
  const users = client.watchService('rolled')
  await eventually(() => expect(users.instances).toHaveLength(INSTANCES))
  const agent = new Agent({ keepAlive: true })
  const failed: string[] = []
  const running = new Set<Promise<void>>()
  let calls = 0
  const call = (): void => {
    const instance = users.instances[calls++ % Math.max(1, users.instances.length)]
    if (instance === undefined) {
      failed.push('nobody there')
      return
    }
    const { address, port } = instance
    const one = new Promise<void>((resolve) => {
      const done = (failure?: string): void => {
        if (failure !== undefined) failed.push(failure)
        resolve()
      }
      get({ host: address, port, agent }, (response) => {
        response.resume()
        response.on('end', () => done(response.statusCode === 200 ? undefined : `status ${response.statusCode}`))
        response.on('error', (error) => done(error.message))
      }).on('error', (error) => done(error.message))
    }).finally(() => running.delete(one))
    running.add(one)
  }
  const startedAt = performance.now()
  const due = (): number => ((performance.now() - startedAt) / 1_000) * CALLS_PER_SECOND
  // A timer that is late is made up for: the rate holds.
  const catchUp = (): void => {
    while (calls < due()) call()
  }
  const timer = setInterval(catchUp, 1_000 / CALLS_PER_SECOND)
  return async () => {
    clearInterval(timer)
    catchUp()
    await Promise.all(running)
    agent.destroy()
    await client.close()
    return { calls, failed }
  }
}

async function rollingRestart(rounds: number, stop: (instance: Instance) => Promise<void>) {
  const agent = await startConsul()
  afterTest(() => agent.close())
  const instances = await Promise.all(Array.from({ length: INSTANCES }, () => startInstance(agent.url)))
  afterTest(() => Promise.all(instances.map(leave)))
  const stopLoad = await startLoad(agent.url)
  for (let round = 0; round < rounds; round += 1) {
    for (const [index, instance] of instances.entries()) {
      await stop(instance)
      instances[index] = await startInstance(agent.url)
      await pause(100)
    }
  }
  return await stopLoad()
}

describe('a rolling restart of five instances under 200 calls a second', () => {
  it('fails no call, ten times in a row', { timeout: 120_000 }, async () => {
    const { calls, failed } = await rollingRestart(10, leave)
    expect(failed).toEqual([])
    // At least twenty seconds: each of the fifty drains and pauses.
    expect(calls).toBeGreaterThanOrEqual(4_000)
  })

  it('fails calls when instances deregister and exit, as without a drain', { timeout: 60_000 }, async () => {
    const { failed } = await rollingRestart(1, exit)
    expect(failed.length).toBeGreaterThan(0)
  })
})

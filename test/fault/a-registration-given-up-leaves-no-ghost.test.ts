import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Proconsul } from '../../src/index.js'
import { startConsul, type ConsulAgent } from '../support/consul-agent.js'
import { FaultProxy } from '../support/fault-proxy.js'

/** Each way takes so long, so that a registration can be given up while its answer is under way. */
const SLOW_MS = 150

let agent: ConsulAgent
let proxy: FaultProxy
let consul: Proconsul
beforeAll(async () => {
  agent = await startConsul()
})
afterAll(() => agent.close())
beforeEach(async () => {
  proxy = await FaultProxy.start(agent)
  consul = new Proconsul({ address: proxy.url })
})
afterEach(async () => {
  await consul.close()
  await proxy.close()
})

const registered = async (): Promise<readonly string[]> => Object.keys(await agent.read<object>('/v1/agent/services'))

describe('a registration that is given up while the agent is answering', () => {
  it.each([0, 1, 2, 4, 8, 16])('by its signal after %d ms, leaves no ghost', async (afterMs) => {
    const registering = consul.registerService({ name: 'aborted', port: 1 }, { signal: AbortSignal.timeout(afterMs) })
    await registering.catch((error: unknown) => expect(error).toMatchObject({ code: 'PROCONSUL_ABORTED' }))
    await consul.close()
    expect(await registered()).toEqual([])
  })

  it.each([2, 3, 4, 5])('by its timeout, %d trips into it, leaves no ghost', async (trips) => {
    proxy.delay(SLOW_MS, 'toServer')
    const timeout = SLOW_MS * trips - SLOW_MS / 2
    await consul.registerService({ name: 'late', port: 1 }, { timeout }).catch((error: unknown) => {
      expect(error).toMatchObject({ code: 'PROCONSUL_TIMEOUT' })
    })
    await consul.close()
    expect(await registered()).toEqual([])
  })

  it.each([1, 2, 3])('by the end of its client, %d trips into it, leaves no ghost', async (trips) => {
    proxy.delay(SLOW_MS, 'toServer')
    const registering = consul.registerService({ name: 'closed', port: 1 }).catch((error: unknown) => error)
    await new Promise((resolve) => setTimeout(resolve, SLOW_MS * trips - SLOW_MS / 2))
    expect(await consul.close()).toEqual({ leftBehind: [] })
    await registering
    expect(await registered()).toEqual([])
  })
})

import fc from 'fast-check'
import { describe, it } from 'vitest'
import { runModel, steps, type ModelledAgent } from '../integration/watch-model.js'
import { startEmbeddedConsul } from '../../src/testing/index.js'
import { startConsul } from '../support/consul-agent.js'
import { askConsul } from '../support/consul-http.js'
import { FaultProxy } from '../support/fault-proxy.js'

describe('a watcher beside Consul itself', () => {
  it(
    'says what Consul says at every rest, and told every step of the way, whatever happens',
    { timeout: 240_000 },
    async () => {
      await using agent = await startConsul()
      await using proxy = await FaultProxy.start(agent)
      const modelled: ModelledAgent = {
        url: proxy.url,
        request: (method, path, options) => agent.request(method, path, options),
        faults: {
          restart: async () => {
            await agent.restart()
          },
          cut: () => {
            proxy.cut()
            return Promise.resolve()
          },
          cutInBody: async () => {
            proxy.cutInBody(10)
            await agent.request('PUT', '/v1/kv/unrelated', { body: String(Math.random()) })
            proxy.cut()
            proxy.cutInBody(undefined)
          },
          refuse: async () => {
            await proxy.refuse()
            proxy.cut()
            await proxy.accept()
          },
        },
      }
      const sequences = steps(Object.keys(modelled.faults))
      await fc.assert(
        fc.asyncProperty(sequences, async (sequence) => await runModel(modelled, sequence)),
        { numRuns: 30, endOnFailure: true },
      )
    },
  )

  it('does so beside the embedded agent too, with every fault that it can have', { timeout: 120_000 }, async () => {
    await using agent = await startEmbeddedConsul()
    const { faults } = agent
    const few = { path: /\/v1\/health\//, times: 2 }
    const after = (start: () => unknown) => (): Promise<void> => {
      start()
      return Promise.resolve()
    }
    const modelled: ModelledAgent = {
      url: agent.url,
      request: (method, path, options) => askConsul({ url: agent.url }, method, path, options),
      faults: {
        restart: async () => {
          await agent.stop()
          await agent.start()
        },
        drop: after(() => faults.drop(few)),
        reset: after(() => faults.refuse(few)),
        cut: after(() => faults.cut(few)),
        unavailable: after(() => faults.status(500, few)),
        rateLimited: after(() => faults.rateLimited(few)),
        forbidden: after(() => faults.forbidden(few)),
        garbage: after(() => faults.garbage(few)),
        noLeader: after(() => faults.noLeader(few)),
        indexBackwards: after(() => faults.indexBackwards(few)),
        indexZero: after(() => faults.indexZero(few)),
      },
    }
    const sequences = steps(Object.keys(modelled.faults))
    await fc.assert(
      fc.asyncProperty(sequences, async (sequence) => {
        await runModel(modelled, sequence)
        faults.clear()
      }),
      { numRuns: 30, endOnFailure: true },
    )
  })
})

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Proconsul } from '../../src/index.js'
import { startEmbeddedConsul, type EmbeddedConsul } from '../../src/testing/index.js'
import { startConsul } from '../support/consul-agent.js'
import { eventually } from '../support/eventually.js'

const ids = async (url: string): Promise<readonly string[]> => {
  await using witness = new Proconsul({ address: url })
  return (await witness.agent.services.list()).map(({ id }) => id)
}

describe('a registration that is given up while the agent is answering', () => {
  it('by its signal, at any moment, leaves no ghost', async () => {
    await using agent = await startConsul()
    await using consul = new Proconsul({ address: agent.url })
    for (let port = 1; port <= 60; port++) {
      const signal = AbortSignal.timeout(port % 10)
      await consul.registerService({ name: 'aborted', port }, { signal }).then(
        (registration) => registration.deregister(),
        (error: unknown) => expect(error).toMatchObject({ code: 'PROCONSUL_ABORTED' }),
      )
    }
    await eventually(async () => expect(await ids(agent.url)).toEqual([]))
  })
})

describe('on an agent that takes its time, a registration that is given up', () => {
  const SLOW_MS = 100
  let agent: EmbeddedConsul
  let consul: Proconsul
  let onRequest: () => void
  beforeEach(async () => {
    onRequest = () => undefined
    agent = await startEmbeddedConsul({ onRequest: () => onRequest() })
    agent.faults.delay(SLOW_MS)
    consul = new Proconsul({ address: agent.url })
  })
  afterEach(async () => {
    await consul.close()
    await agent.close()
  })

  it.each([1, 2, 3, 4])('by its timeout, %d answers into it, leaves no ghost', async (answers) => {
    const timeout = SLOW_MS * (answers + 0.5)
    await consul.registerService({ name: 'late', port: 1 }, { timeout }).catch((error: unknown) => {
      expect(error).toMatchObject({ code: 'PROCONSUL_TIMEOUT' })
    })
    await consul.close()
    agent.faults.clear()
    await eventually(async () => expect(await ids(agent.url)).toEqual([]))
  })

  it.each([1, 2, 3])('by the end of its client, %d answers into it, leaves no ghost', async (answers) => {
    let seen = 0
    const asked = new Promise<void>((resolve) => {
      onRequest = () => {
        seen += 1
        if (seen === answers) resolve()
      }
    })
    const registering = consul.registerService({ name: 'closed', port: 1 }).catch((error: unknown) => error)
    await asked
    expect(await consul.close()).toEqual({ leftBehind: [] })
    await registering
    agent.faults.clear()
    await eventually(async () => expect(await ids(agent.url)).toEqual([]))
  })

  it.each([1, 2, 3])('in the background, by its signal, %d answers into it, leaves no ghost', async (answers) => {
    const abort = new AbortController()
    let seen = 0
    onRequest = () => {
      seen += 1
      if (seen === answers) abort.abort()
    }
    const registration = await consul.registerService(
      { name: 'behind', port: 1 },
      { background: true, signal: abort.signal },
    )
    expect(registration.state).toBe('registering')
    await eventually(() => expect(registration.state).toBe('deregistered'))
    await eventually(() => expect(consul.registrations).toEqual([]))
    expect(await ids(agent.url)).toEqual([])
  })
})

describe('a registration in the background', () => {
  it('is tried no more when its signal is aborted, and goes on where it is aborted later', async () => {
    await using agent = await startConsul()
    await using consul = new Proconsul({ address: agent.url })
    const abort = new AbortController()
    const options = { background: true, signal: abort.signal }
    const there = await consul.registerService({ name: 'there', check: { ttl: '2s' } }, options)
    let beats = 0
    there.on('heartbeat', () => (beats += 1))
    await eventually(() => expect(beats).toBeGreaterThan(1))
    await agent.kill()
    const late = await consul.registerService({ name: 'late' }, options)
    await eventually(() => expect(late.lastFailure?.code).toBe('PROCONSUL_UNAVAILABLE'))
    abort.abort()
    await eventually(() => expect(late.state).toBe('deregistered'))
    await expect(consul.registerService({ name: 'later' }, options)).rejects.toMatchObject({
      code: 'PROCONSUL_ABORTED',
    })
    await agent.start()
    await eventually(async () => expect(await ids(agent.url)).toEqual([there.id]), { within: 10_000 })
    expect(consul.registrations).toEqual([there])
  })
})

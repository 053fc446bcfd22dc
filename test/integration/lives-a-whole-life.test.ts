import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startConsul, type ConsulAgent } from '../support/consul-agent.js'
import { eventually } from '../support/eventually.js'
import { ExampleProcess } from '../support/example-process.js'

/** The example service is a program as a user writes it, started as a user starts it. */
const start = (agent: ConsulAgent, file: string, drain: string): ExampleProcess =>
  new ExampleProcess(`examples/service/${file}`, { CONSUL_HTTP_ADDR: agent.address, DRAIN: drain })

const instances = async (agent: ConsulAgent): Promise<readonly string[]> => {
  const entries = await agent.read<{ Service: { ID: string } }[]>('/v1/health/service/orders?passing')
  return entries.map((entry) => entry.Service.ID)
}

let agent: ConsulAgent
beforeAll(async () => {
  agent = await startConsul()
})
afterAll(() => agent.close())
beforeEach(async () => {
  await agent.request('DELETE', '/v1/kv/config?recurse')
})

describe.each(['service.mjs', 'service.cjs'])('a service of one file, %s', (file) => {
  it('registers, serves, sees its peers, follows its configuration, and leaves on SIGTERM', async () => {
    await using first = start(agent, file, '100ms')
    const url = await first.toPrint(/serving (http:\S+)/)
    const id = await first.toPrint(/registered as (\S+),/)
    expect(await instances(agent)).toEqual([id])
    await first.toPrint(/orders has 1 instances/)

    await using second = start(agent, file, '100ms')
    await second.toPrint(/registered as (\S+),/)
    await first.toPrint(/orders has 2 instances/)
    expect(await (await fetch(url)).text()).toBe('hello from one of 2\n')

    await agent.request('PUT', '/v1/kv/config/orders/greeting', { body: 'welcome' })
    await first.toPrint(/greeting is now welcome/)
    expect(await (await fetch(url)).text()).toBe('welcome from one of 2\n')

    expect(await second.end('SIGTERM')).toMatchObject({ code: null, signal: 'SIGTERM' })
    expect(await instances(agent)).toEqual([id])
    expect(second.output).toMatch(/left, 0 registrations stayed behind\n$/)
    await eventually(() => expect(first.output).toMatch(/orders has 1 instances\n$/))

    expect(await first.end('SIGTERM')).toMatchObject({ code: null, signal: 'SIGTERM' })
    expect(await instances(agent)).toEqual([])
    expect(first.errors).toBe('')
  })
})

describe('a service that is told to stop', () => {
  it('by SIGINT ends by SIGINT, deregistered', async () => {
    await using service = start(agent, 'service.mjs', '0ms')
    await service.toPrint(/registered as/)
    expect(await service.end('SIGINT')).toMatchObject({ code: null, signal: 'SIGINT' })
    expect(await instances(agent)).toEqual([])
  })

  it('by Ctrl-C, and by another a second later, ends at once, without waiting for its drain', async () => {
    await using service = start(agent, 'service.mjs', '9s')
    await service.toPrint(/registered as/)
    service.send('SIGINT')
    await eventually(async () => expect(await instances(agent)).toEqual([]))
    await pause(1_000)
    const ending = await service.end('SIGINT')
    expect(ending).toMatchObject({ code: null, signal: 'SIGINT' })
    expect(service.output).not.toContain('left, ')
  })

  it('while Consul does not answer, still ends by the signal, within its deadline, and says what it left', async () => {
    await using frozen = await startConsul()
    await using service = start(frozen, 'service.mjs', '100ms')
    const id = await service.toPrint(/registered as (\S+),/)
    await frozen.pause()
    const ending = await service.end('SIGTERM')
    expect(ending).toMatchObject({ code: null, signal: 'SIGTERM' })
    expect(ending.tookMs).toBeLessThan(10_000)
    expect(service.errors).toContain(`[PROCONSUL_LEFT_BEHIND] ProconsulWarning: ${id} is still registered in Consul`)
    expect(service.output).toContain('left, 1 registrations stayed behind')
  })
})

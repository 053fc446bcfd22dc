import type { IncomingMessage } from 'node:http'
import { describe, expect, it } from 'vitest'
import { eventually } from '../support/eventually.js'
import { client, consulAgent } from '../support/opened.js'
import { recordingLogger } from '../support/recording-logger.js'
import { relay } from '../support/relay.js'

/** Two agents behind one address, each of which gets its share by what the balancer counts. */
async function balanced(countedBy: (request: IncomingMessage) => unknown) {
  const agents = [await consulAgent(), await consulAgent()] as const
  const shares = new Map<unknown, number>()
  let isBalanced = true
  const address = await relay((request) => {
    if (!isBalanced) return agents[0].url
    const key = countedBy(request)
    if (!shares.has(key)) shares.set(key, shares.size % agents.length)
    return agents[shares.get(key) ?? 0]?.url ?? agents[0].url
  })
  const logger = recordingLogger()
  const consul = client(address, { logger })
  const ghosts = async (): Promise<readonly string[]> => {
    const known = await Promise.all(agents.map((agent) => agent.read<object>('/v1/agent/services')))
    return known.flatMap((services) => Object.keys(services))
  }
  const told = (): number => logger.entries.filter(({ fields }) => fields['event'] === 'agent-changed').length
  return { agents, consul, logger, ghosts, told, balance: (on: boolean) => void (isBalanced = on) }
}

describe.each([
  ['for each request', (request: IncomingMessage): unknown => request],
  ['for each connection', ({ socket }: IncomingMessage): unknown => socket],
])('several agents behind one address, chosen %s', (_how, countedBy) => {
  it('are noticed: the registration says so instead of resolving as if all were well, and leaves nothing', async () => {
    const { consul, ghosts, told } = await balanced(countedBy)
    const registering = consul.registerService({ name: 'split', port: 80, check: { ttl: '3s' } })
    await expect(registering).rejects.toMatchObject({
      code: 'PROCONSUL_CONFLICT',
      message: expect.stringMatching(/several agents answer at this address/) as string,
    })
    // So does a further one, which is told of nothing new.
    await expect(consul.registerService({ name: 'again', check: { ttl: '3s' } })).rejects.toMatchObject({
      code: 'PROCONSUL_CONFLICT',
    })
    const { leftBehind } = await consul.close()
    expect([told(), (await ghosts()).length]).toEqual([1, leftBehind.length])
  })

  it('are told of once when they come later, and what cannot be removed at the end is named', async () => {
    const { consul, ghosts, told, balance } = await balanced(countedBy)
    balance(false)
    const registration = await consul.registerService({ name: 'later', port: 80, check: { ttl: '3s' } })
    expect([registration.state, told()]).toEqual(['registered', 0])
    balance(true)
    await eventually(() => expect(told()).toBe(1), { within: 25_000 })
    const { leftBehind } = await consul.close({ timeout: '20s' })
    expect([told(), (await ghosts()).length]).toEqual([1, leftBehind.length])
  })
})

it('an agent that is replaced by one of another node is told of, and hinders no later registration', async () => {
  const [before, after] = [await consulAgent(), await consulAgent()]
  let current = before
  const logger = recordingLogger()
  let comparisons = 0
  const address = await relay(({ url = '' }) => {
    if (url.startsWith('/v1/agent/checks')) comparisons += 1
    return current.url
  })
  const consul = client(address, { logger })
  const registration = await consul.registerService({ name: 'moved', check: { ttl: '2s' } })
  await eventually(() => expect(comparisons).toBe(1), { within: 5_000 })
  await registration.update({ tags: ['compared'] })
  current = after
  await eventually(() => expect(registration.state).toBe('lost'), { within: 10_000 })
  await eventually(() => expect(registration.state).toBe('registered'), { within: 10_000 })
  const later = await consul.registerService({ name: 'later', check: { ttl: '2s' } })
  expect(later.state).toBe('registered')
  const told = logger.entries.filter(({ fields }) => fields['event'] === 'agent-changed')
  expect(told.map(({ fields }) => [fields['before'], fields['node']])).toEqual([[before.node, after.node]])
  expect(await consul.close()).toEqual({ leftBehind: [] })
  expect(await after.read<object>('/v1/agent/services')).toEqual({})
})

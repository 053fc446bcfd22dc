import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Proconsul } from '../../src/proconsul.js'
import type { Probes } from '../../src/registration/definition/probe-definition.js'
import { startConsul } from '../support/consul-agent.js'
import { eventually } from '../support/eventually.js'

/** What reached the process itself. */
const escaped: unknown[] = []
const keep = (error: unknown): void => void escaped.push(error)

beforeEach(() => {
  escaped.length = 0
  process.on('uncaughtException', keep).on('unhandledRejection', keep)
})
afterEach(() => {
  process.off('uncaughtException', keep).off('unhandledRejection', keep)
})

const boom = (): never => {
  throw new Error('looked at')
}

const ODD: Readonly<Record<string, () => unknown>> = {
  'an error whose message is an object': () => Object.assign(new Error('x'), { message: { code: 7 } }),
  'an object without a prototype': () => Object.create(null) as unknown,
  'a proxy that throws': () => new Proxy({}, { get: boom, has: boom, getPrototypeOf: boom, ownKeys: boom }),
  'a proxy that was revoked': () => {
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    return proxy
  },
  'a status that cannot be read': () => Object.defineProperty({}, 'status', { get: boom }),
  'a promise that cannot be awaited': () => Object.defineProperty({}, 'then', { get: boom }),
  nothing: () => undefined,
}

/** Each of the odd things thrown, rejected with and returned. */
function oddProbes(): Probes {
  const runs = Object.entries(ODD).flatMap(([name, make]): [string, () => unknown][] => {
    const fail = (): never => {
      throw make()
    }
    return [
      [`throws ${name}`, fail],
      [`rejects with ${name}`, () => Promise.resolve().then(fail)],
      [`returns ${name}`, make],
    ]
  })
  return Object.fromEntries(runs.map(([name, run]) => [name, { run, interval: '100ms', onFailure: 'warning' }]))
}

describe.each(['main', 'worker'] as const)('with heartbeats from the %s thread', (thread) => {
  it('a probe throws and returns whatever it likes: the beats go on and say so, and the process lives', async () => {
    await using agent = await startConsul()
    await using consul = new Proconsul({ address: agent.url })
    const registration = await consul.registerService({
      name: 'odd',
      check: { ttl: '1s', probes: oddProbes() },
      heartbeat: { thread },
    })
    const statuses: string[] = []
    registration.on('heartbeat', ({ status }) => statuses.push(status))
    await eventually(() => expect(statuses.length).toBeGreaterThan(8), { within: 15_000 })
    expect(new Set(statuses)).toEqual(new Set(['warning']))
    const checks = await agent.read<Record<string, { Status: string; Output: string }>>('/v1/agent/checks')
    expect(checks[`service:${registration.id}`]).toMatchObject({ Status: 'warning' })
    expect(Object.values(registration.health.probes).map(({ output }) => typeof output)).toEqual(
      Object.values(registration.health.probes).map(() => 'string'),
    )
    expect(escaped).toEqual([])
  })
})

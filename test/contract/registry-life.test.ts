import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Registration } from '../../src/registration/registration.js'
import { eventually } from '../support/eventually.js'
import { REGISTRIES, type RunningRegistry } from './support/registry-subject.js'

const NAMES = ['registered', 'lost', 'restored', 'repaired', 'conflict', 'deregistered'] as const

function heard(registration: Registration): string[] {
  const events: string[] = []
  for (const name of NAMES) registration.on(name, () => void events.push(name))
  return events
}

describe.each(REGISTRIES)('the life of a registration, on a registry ($name)', ({ start }) => {
  let registry: RunningRegistry
  beforeAll(async () => {
    registry = await start()
  })
  afterAll(() => registry.close())
  const found = async (name: string, ids: readonly string[], within = 10_000): Promise<void> =>
    await eventually(async () => expect(await registry.found(name)).toEqual(ids), { within })

  it('is found from the moment it is registered, and for as long as it beats', async () => {
    const registration = await registry.client().registerService({ name: 'beats', id: 'beats', check: { ttl: '1s' } })
    expect(await registry.found('beats')).toEqual(['beats'])
    let beats = 0
    registration.on('heartbeat', () => (beats += 1))
    await eventually(() => expect(beats).toBeGreaterThan(5), { within: 10_000 })
    expect(await registry.found('beats')).toEqual(['beats'])
  })

  it('is found while its probes let it, and no longer', async () => {
    let isUp = true
    const probes = { database: { run: () => isUp, interval: '50ms' } } as const
    const registration = await registry
      .client()
      .registerService({ name: 'probed', id: 'probed', check: { ttl: '3s', probes } })
    await found('probed', ['probed'])
    isUp = false
    await found('probed', [])
    expect([registration.state, registration.isReady]).toEqual(['registered', false])
    isUp = true
    await found('probed', ['probed'])
  })

  it('is registered again when the registry has lost it', async () => {
    const registration = await registry.client().registerService({ name: 'lost', id: 'lost', check: { ttl: '1s' } })
    const events = heard(registration)
    await registry.forget('lost')
    await eventually(() => expect(events).toEqual(['lost', 'restored']))
    await found('lost', ['lost'])
  })

  it('has others change its record for a moment only', async () => {
    const definition = { name: 'changed', id: 'changed', tags: ['ours'], check: { ttl: '3s' } } as const
    const registration = await registry.client().registerService(definition)
    const events = heard(registration)
    // What a run that has ended would have written.
    const dead = { hostname: 'here', pid: 99_999_999, thread: 0, runId: '33333333-3333-4333-8333-333333333333' }
    const { pidSpace } = await import('../../src/registration/identity/pid-space.js')
    const stranger = registry.record({ ...definition, tags: ['theirs'] }, { ...dead, pidSpace: pidSpace() })
    const { liveRuns } = await import('../../src/registration/identity/live-runs.js')
    liveRuns().delete(dead.runId)
    await stranger.put({ status: 'passing' }, new AbortController().signal)
    await eventually(() => expect(events).toEqual(['repaired']), { within: 15_000 })
    expect(registration.state).toBe('registered')
  })

  it('leaves its id to a newer process, and has it back soon after that has left', async () => {
    const definition = { name: 'handed', id: 'handed', check: { ttl: '3s' } } as const
    const [first, second] = [registry.client(), registry.client()]
    const older = await first.registerService(definition)
    const events = heard(older)
    await second.registerService(definition)
    await eventually(() => expect(older.state).toBe('lost'), { within: 15_000 })
    await second.leave()
    await found('handed', ['handed'], 2_000)
    await eventually(() => expect(older.state).toBe('registered'))
    expect(events).toEqual(['conflict', 'lost', 'restored'])
  })

  it('changes what it is registered as, and is out of sight during a maintenance', async () => {
    const registration = await registry
      .client()
      .registerService({ name: 'updated', id: 'updated', check: { ttl: '2s' } })
    const events = heard(registration)
    await registration.update({ tags: ['v2'], check: { ttl: '3s' } })
    await registration.maintenance(true, 'migration')
    await found('updated', [])
    await registration.maintenance(false)
    await found('updated', ['updated'])
    expect(events).toEqual([])
  })

  it('is out of sight when it has left, and nothing brings it back', async () => {
    const client = registry.client()
    const registration = await client.registerService({ name: 'leaves', id: 'leaves', check: { ttl: '1s' } })
    const events = heard(registration)
    await registration.deregister({ drain: '50ms' })
    expect([await registry.found('leaves'), events, registration.state]).toEqual([[], ['deregistered'], 'deregistered'])
    await expect(registration.update({ tags: [] })).rejects.toMatchObject({ code: 'PROCONSUL_CLOSED' })
    await client.leave()
    expect(await registry.has('leaves')).toBe(false)
  })

  it('is given up by its signal without a remnant', async () => {
    const signal = AbortSignal.abort()
    const registering = registry.client().registerService({ name: 'stopped', id: 'stopped' }, { signal })
    await expect(registering).rejects.toMatchObject({ code: 'PROCONSUL_ABORTED' })
    expect(await registry.has('stopped')).toBe(false)
  })
})

import { describe, expect, it } from 'vitest'
import type { EmptyReason, InstanceList } from '../../../src/instances/instance-source.js'
import { ServiceWatcher, type ServiceSnapshot } from '../../../src/instances/service-watcher.js'
import { FakeClock, settle } from '../../support/fake-clock.js'
import { idsOf, runtimeOn, ScriptedSource } from './scripted-source.js'

async function watch() {
  const clock = new FakeClock()
  const source = new ScriptedSource()
  const watcher = new ServiceWatcher('web', { runtime: runtimeOn(clock), source })
  const told: string[] = []
  const names = (list: readonly { readonly id: string }[]): string => list.map(({ id }) => id).join()
  watcher.on('change', ({ added, removed, updated, snapshot }) =>
    told.push(`change +${names(added)} -${names(removed)} ~${names(updated)} ${snapshot.stale ? 'stale' : 'fresh'}`),
  )
  watcher.on('stale', ({ error }) => told.push(`stale ${error.code}`))
  watcher.on('recovered', ({ receivedAt }) => told.push(`recovered ${receivedAt}`))
  await settle()
  return { clock, source, watcher, told }
}

describe('a watched list', () => {
  it('is empty and stale before the first answer, and knows when there is no leader', async () => {
    const { watcher, source } = await watch()
    expect(watcher.snapshot).toEqual({ instances: [], revision: undefined, receivedAt: undefined, stale: true })
    expect(Object.isFrozen(watcher.snapshot)).toBe(true)
    expect(Object.isFrozen(watcher.instances)).toBe(true)
    source.failure()
    expect(watcher.snapshot.emptyReason).toBeUndefined()
    source.failure('PROCONSUL_NO_LEADER')
    expect(watcher.snapshot.emptyReason).toBe('no-leader')
    source.value([])
    source.failure('PROCONSUL_NO_LEADER')
    expect(watcher.snapshot.emptyReason).toBeUndefined()
  })

  it('is named, and has what is known of it', async () => {
    const { watcher, source } = await watch()
    source.value(['a'], { revision: '17', confirmedAt: 5 })
    expect(watcher.name).toBe('web')
    expect(watcher.snapshot).toMatchObject({ revision: '17', receivedAt: 5, stale: false })
    expect(await watcher.ready()).toBe(watcher.snapshot)
    expect(Object.isFrozen(watcher.snapshot)).toBe(true)
  })

  it('tells of the first list as a change with everything added, also when it is empty', async () => {
    const { source, told } = await watch()
    source.value([])
    source.value(['a'])
    source.again()
    expect(told).toEqual(['change + - ~ fresh', 'change +a - ~ fresh'])
  })

  it('keeps the list through an outage, marked stale with its age', async () => {
    const { source, watcher, told } = await watch()
    source.value(['a'], { confirmedAt: 1_000 })
    source.failure()
    expect(watcher.snapshot).toMatchObject({ stale: true, receivedAt: 1_000 })
    expect(idsOf(watcher)).toBe('a')
    source.value(['b'], { confirmedAt: 2_000 })
    expect(told.slice(1)).toEqual(['stale PROCONSUL_UNAVAILABLE', 'recovered 2000', 'change +b -a ~ fresh'])
  })

  it('tells what changed in an instance, and hands over the snapshots before and after', async () => {
    const { source, watcher, told } = await watch()
    source.value(['a', 'b'])
    const before = watcher.snapshot
    const seen: (readonly [ServiceSnapshot, ServiceSnapshot])[] = []
    watcher.on('change', ({ previous, snapshot }) => void seen.push([previous, snapshot]))
    const [a, b] = before.instances
    if (a === undefined || b === undefined) throw new Error('two were given')
    source.again({ instances: [{ ...a, status: 'warning' }, b] })
    expect(told.at(-1)).toBe('change + - ~a fresh')
    expect(seen).toHaveLength(1)
    expect(seen[0]?.[0]).toBe(before)
    expect(seen[0]?.[1]).toBe(watcher.snapshot)
  })

  it('tells no change when an equal list is there again after a doubt, but one of its order or of why it is empty', async () => {
    const { source, watcher, told } = await watch()
    const after = (news: readonly string[], facts: Partial<InstanceList> = {}): string[] => {
      source.doubt()
      const from = told.length
      source.value(news, facts)
      return told.slice(from).filter((line) => line.startsWith('change'))
    }
    source.value(['a', 'b'])
    expect(after(['a', 'b'])).toEqual([])
    expect(after(['b', 'a'])).toEqual([])
    expect(after(['b', 'a'], { isOrdered: true })).toEqual([])
    expect(after(['a', 'b'], { isOrdered: true })).toEqual(['change + - ~ fresh'])
    expect(idsOf(watcher)).toBe('a,b')
    const empty = (emptyReason: EmptyReason): string[] => after([], { emptyReason })
    expect(empty('none-passing')).toEqual(['change + -a,b ~ fresh'])
    expect(empty('none-passing')).toEqual([])
    expect(empty('not-registered')).toEqual(['change + - ~ fresh'])
    expect(watcher.snapshot.emptyReason).toBe('not-registered')
  })

  it('starts from a saved list, marked stale, and says nothing when it is confirmed', async () => {
    const { source, watcher, told } = await watch()
    const ready = watcher.ready()
    source.saved(['a'], 500)
    expect(await ready).toMatchObject({ stale: true, receivedAt: 500 })
    source.value(['a'], { confirmedAt: 900 })
    expect(told).toEqual(['change +a - ~ stale', 'recovered 900'])
  })

  it('keeps the age of what was shown in the snapshot that was replaced', async () => {
    const { source, watcher } = await watch()
    const previous: (readonly [number | undefined, boolean])[] = []
    watcher.on('change', (change) => void previous.push([change.previous.receivedAt, change.previous.stale]))
    source.failure()
    for (const [id, confirmedAt] of [['a', 1_000] as const, ['b', 2_000] as const]) {
      source.value([id], { confirmedAt })
      source.failure()
    }
    source.value(['c'], { confirmedAt: 3_000 })
    source.value(['d'], { confirmedAt: 4_000 })
    expect(previous).toEqual([
      [undefined, true],
      [1_000, true],
      [2_000, true],
      [3_000, false],
    ])
  })

  it('has one and the same snapshot as long as nothing in it changed, and another when its age did', async () => {
    const { source, watcher } = await watch()
    source.value(['a'])
    const { snapshot } = watcher
    expect(watcher.snapshot).toBe(snapshot)
    source.again({ confirmedAt: 2_000 })
    expect(watcher.snapshot).not.toBe(snapshot)
    expect(watcher.snapshot.receivedAt).toBe(2_000)
    expect(watcher.instances).toBe(snapshot.instances)
  })

  it('yields snapshots to an iteration', async () => {
    const { source, watcher } = await watch()
    const iterator = watcher[Symbol.asyncIterator]()
    source.value(['a'])
    expect((await iterator.next()).value).toBe(watcher.snapshot)
    source.failure()
    expect((await iterator.next()).value).toMatchObject({ stale: true })
  })

  it('keeps its last list when it is closed, as one that may be out of date', async () => {
    const { source, watcher } = await watch()
    source.value(['a'])
    await watcher.close()
    expect(idsOf(watcher)).toBe('a')
    expect(watcher.snapshot.stale).toBe(true)
  })
})

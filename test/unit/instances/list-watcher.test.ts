import { describe, expect, it } from 'vitest'
XX
import { FakeClock, settle } from '../../support/fake-clock.js'
import { runtimeOn, ScriptedSource } from './sources/scripted-source.js'

interface Snapshot extends SnapshotFacts {
  readonly items: readonly string[]
}

function watch(signal?: AbortSignal) {
  const clock = new FakeClock()
  const source = new ScriptedSource()
  const logged: string[] = []
  const closed: string[] = []
  const watcher = new ListWatcher<string, Snapshot>(
    {
      label: 'the watch',
      key: (item) => item,
      same: (a, b) => a === b,
      snapshot: (items, facts) => Object.freeze({ items, ...facts }),
    },
    { runtime: runtimeOn(clock, logged), source, signal, onClose: () => void closed.push('closed') },
  )
  const told: string[] = []
  watcher.on('change', ({ added, removed, snapshot }) =>
    told.push(`change +${added.join()} -${removed.join()} ${snapshot.stale ? 'stale' : 'fresh'}`),
  )
  watcher.on('stale', ({ items }) => told.push(`stale ${items.join()}`))
  watcher.on('recovered', ({ items }) => told.push(`recovered ${items.join()}`))
  watcher.on('error', ({ code }) => told.push(`error ${code}`))
  watcher.on('closed', () => told.push('closed'))
  return { clock, source, watcher, told, logged, closed }
}

const neverAborted = (): AbortSignal => new AbortController().signal

describe('a watcher', () => {
  it('is empty and stale before the first answer, and knows when there is no leader', () => {
    const { watcher, source } = watch()
    expect(watcher.snapshot).toEqual({ items: [], index: undefined, receivedAt: undefined, stale: true })
    source.failure('PROCONSUL_NO_LEADER')
    expect(watcher.snapshot.emptyReason).toBe('no-leader')
  })

  it('tells of the first list as a change with everything added, also when it is empty', () => {
    const { source, told } = watch()
    source.value([])
    source.value(['a'])
    expect(told).toEqual(['change + - fresh', 'change +a - fresh'])
  })

  it('keeps the list through an outage, marked stale with its age, and tells of both ends', () => {
    const { source, watcher, told } = watch()
    source.confirmedAt = 1_000
    source.value(['a'])
    source.failure()
    expect(watcher.snapshot).toMatchObject({ items: ['a'], stale: true, receivedAt: 1_000 })
    expect(watcher.failure?.code).toBe('PROCONSUL_UNAVAILABLE')
    source.recovery(['a'])
    expect(watcher.snapshot.stale).toBe(false)
    expect(watcher.failure).toBeUndefined()
    expect(told).toEqual(['change +a - fresh', 'error PROCONSUL_UNAVAILABLE', 'stale a', 'recovered a'])
  })

  it('has recovered before it tells what changed meanwhile', () => {
    const { source, told } = watch()
    source.value(['a'])
    source.failure()
    source.value(['b'])
    expect(told.slice(3)).toEqual(['recovered b', 'change +b -a fresh'])
  })

  it('never calls the list from before an outage right when Consul tells another one after it', () => {
    const { source, watcher, told } = watch()
    source.value(['a'])
    source.failure()
    source.recovery(['b'])
    expect(watcher.snapshot).toMatchObject({ items: ['a'], stale: true })
    source.value(['b'])
    expect(watcher.snapshot).toMatchObject({ items: ['b'], stale: false })
    expect(told.slice(3)).toEqual(['recovered b', 'change +b -a fresh'])
  })

  it('tells no change when the same list is there again after a doubt, but one of its order or of why it is empty', () => {
    const { source, watcher, told } = watch()
    source.value(['a', 'b'])
    source.doubt()
    source.value(['a', 'b'])
    expect(watcher.snapshot.stale).toBe(false)
    expect(told).toEqual(['change +a,b - fresh', 'stale a,b', 'recovered a,b'])
    source.doubt()
    source.value(['a', 'b'], { isOrdered: true })
    expect(told.slice(3)).toEqual(['stale a,b', 'recovered a,b'])
    source.doubt()
    source.value(['b', 'a'], { isOrdered: true })
    expect(told.slice(5)).toEqual(['stale a,b', 'recovered b,a', 'change + - fresh'])
    source.value([], { emptyReason: 'none-passing' })
    source.failure()
    source.value([], { emptyReason: 'not-registered' })
    expect(told.slice(-2)).toEqual(['recovered ', 'change + - fresh'])
  })

  it('starts from a saved list, marked stale, and says nothing when Consul confirms it', async () => {
    const { source, watcher, told } = watch()
    const ready = watcher.ready()
    source.saved(['a'], 500)
    expect(await ready).toMatchObject({ items: ['a'], stale: true, receivedAt: 500 })
    source.value(['a'])
    expect(told).toEqual(['change +a - stale', 'recovered a'])
    source.saved(['z'], 1)
    expect(watcher.snapshot.items).toEqual(['a'])
  })

  it('is ready with the first list, and at once from then on', async () => {
    const { source, watcher } = watch()
    const ready = watcher.ready()
    source.value(['a'])
    expect((await ready).items).toEqual(['a'])
    expect((await watcher.ready()).items).toEqual(['a'])
  })

  it('is ready with the list that was waited for, also when a listener of that very change closes the watcher', async () => {
    const { clock, source, watcher } = watch()
    watcher.on('change', () => void watcher.close())
    const waiting = [watcher.ready(), watcher.ready({ timeout: '2s' }), watcher.ready({ signal: neverAborted() })]
    source.value(['a'])
    for (const snapshot of await Promise.all(waiting)) expect(snapshot).toMatchObject({ items: ['a'], stale: false })
    await expect(watcher.ready()).rejects.toMatchObject({ code: 'PROCONSUL_CLOSED' })
    expect(clock.pendingTimers).toBe(0)
  })

  it('is ready with the list that was waited for, also when a listener of that very change aborts the wait', async () => {
    const { source, watcher } = watch()
    const giveUp = new AbortController()
    watcher.on('change', () => giveUp.abort())
    const waiting = [watcher.ready({ signal: giveUp.signal }), watcher.ready({ signal: giveUp.signal, timeout: '2s' })]
    source.value(['a'])
    for (const { items } of await Promise.all(waiting)) expect(items).toEqual(['a'])
  })

  it('is ready with a saved list, also when a listener of that very change closes the watcher', async () => {
    const { source, watcher } = watch()
    watcher.on('change', () => void watcher.close())
    const ready = watcher.ready({ timeout: '2s' })
    source.saved(['a'], 500)
    expect(await ready).toMatchObject({ items: ['a'], stale: true, receivedAt: 500 })
  })

  it('is ready with a saved list that is shown because Consul refuses the question', async () => {
    const { source, watcher } = watch()
    const waiting = [watcher.ready(), watcher.ready({ timeout: '2s' })]
    source.failure('PROCONSUL_PERMISSION_DENIED')
    source.saved(['a'], 500)
    for (const snapshot of await Promise.all(waiting)) expect(snapshot).toMatchObject({ items: ['a'], stale: true })
  })

  it('is ready with the first list, and not with one that came right after it', async () => {
    const { source, watcher } = watch()
    const snapshots: Snapshot[] = []
    watcher.on('change', ({ snapshot }) => void snapshots.push(snapshot))
    const ready = watcher.ready()
    source.value(['a'])
    source.value(['b'])
    expect(await ready).toBe(snapshots[0])
    expect((await watcher.ready()).items).toEqual(['b'])
  })

  it('says why it cannot get ready, also when a listener of that very error closes the watcher', async () => {
    const { source, watcher } = watch()
    watcher.on('error', () => void watcher.close())
    const waiting = Promise.allSettled([watcher.ready(), watcher.ready({ timeout: '2s' })])
    source.failure('PROCONSUL_PERMISSION_DENIED')
    const denied = { status: 'rejected', reason: { code: 'PROCONSUL_PERMISSION_DENIED' } }
    expect(await waiting).toMatchObject([denied, denied])
  })

  it('is not ready in time: says so, and what failed', async () => {
    const { clock, source, watcher } = watch()
    const ready = watcher.ready({ timeout: '2s' })
    source.failure()
    await Promise.all([
      expect(ready).rejects.toMatchObject({
        code: 'PROCONSUL_TIMEOUT',
        message: 'the watch has no first answer within 2s; the last failure: a scripted failure',
      }),
      clock.advance(2_000),
    ])
    expect(clock.pendingTimers).toBe(0)
  })

  it('fails to get ready at once when repeating the question cannot help, and goes on watching', async () => {
    const { source, watcher } = watch()
    const ready = watcher.ready()
    source.failure('PROCONSUL_PERMISSION_DENIED')
    await expect(ready).rejects.toMatchObject({ code: 'PROCONSUL_PERMISSION_DENIED' })
    source.value(['a'])
    expect((await watcher.ready()).items).toEqual(['a'])
  })

  it('stops waiting when the signal says so, or when it is closed', async () => {
    const { watcher } = watch()
    await expect(watcher.ready({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'PROCONSUL_ABORTED' })
    const ready = watcher.ready()
    await watcher.close()
    await expect(ready).rejects.toMatchObject({ code: 'PROCONSUL_CLOSED' })
  })

  it('is closed by its signal, once, and tells nothing afterwards', async () => {
    const closing = new AbortController()
    const { source, watcher, told, closed } = watch(closing.signal)
    source.value(['a'])
    closing.abort()
    await watcher.close()
    source.value(['b'])
    source.failure()
    expect(told).toEqual(['change +a - fresh', 'closed'])
    expect(closed).toEqual(['closed'])
    expect(source.isClosed).toBe(true)
  })

  it('is harmed by no listener that throws', () => {
    const { source, watcher, told, logged } = watch()
    watcher.on('change', () => {
      throw new Error('boom')
    })
    watcher.on('change', () => void told.push('still called'))
    source.value(['a'])
    expect(told).toEqual(['change +a - fresh', 'still called'])
    expect(logged).toEqual(['a listener of "change" failed'])
  })

  it('gives a slow reader the latest state and skips what came between', async () => {
    const { source, watcher } = watch()
    const iterator = watcher[Symbol.asyncIterator]()
    const first = iterator.next()
    source.value(['a'])
    expect((await first).value).toMatchObject({ items: ['a'] })
    for (const item of 'bcdefg') source.value([item])
    expect((await iterator.next()).value).toMatchObject({ items: ['g'] })
    const next = iterator.next()
    await watcher.close()
    expect(await next).toEqual({ done: true, value: undefined })
  })

  it('begins every iteration with the state as it is: stale in an outage, and fresh after it', async () => {
    const { source, watcher } = watch()
    const first = async (): Promise<unknown> => (await watcher[Symbol.asyncIterator]().next()).value
    source.value(['a'])
    expect(await first()).toBe(watcher.snapshot)
    source.failure()
    expect(await first()).toMatchObject({ items: ['a'], stale: true })
    source.recovery(['a'])
    source.confirmedAt = 2_000
    expect(await first()).toMatchObject({ items: ['a'], stale: false, receivedAt: 2_000 })
  })

  it('begins an iteration fresh when Consul has confirmed a saved list', async () => {
    const { source, watcher } = watch()
    source.saved(['a'], 500)
    source.value(['a'])
    const { value } = await watcher[Symbol.asyncIterator]().next()
    expect(value).toMatchObject({ items: ['a'], stale: false })
  })

  it('yields an outage and its end to an iteration', async () => {
    const { source, watcher } = watch()
    const iterator = watcher[Symbol.asyncIterator]()
    const seen: unknown[] = []
    for (const happen of [() => source.value(['a']), () => source.failure(), () => source.recovery(['a'])]) {
      const next = iterator.next()
      happen()
      seen.push((await next).value)
    }
    expect(seen).toMatchObject([{ stale: false }, { stale: true }, { stale: false }])
  })

  it('keeps the age of what was shown in the snapshot that was replaced', () => {
    const { source, watcher } = watch()
    const previous: (number | undefined)[] = []
    watcher.on('change', (change) => void previous.push(change.previous.receivedAt))
    source.failure()
    for (const [items, at] of [['a', 1_000] as const, ['b', 2_000] as const]) {
      source.confirmedAt = at
      source.value([items])
      source.failure()
      source.failure('PROCONSUL_NO_LEADER')
    }
    source.confirmedAt = 3_000
    source.value(['c'])
    expect(previous).toEqual([undefined, 1_000, 2_000])
  })

  it('has one and the same snapshot as long as nothing in it changed', async () => {
    const { source, watcher } = watch()
    source.value(['a'])
    expect(watcher.snapshot).toBe(watcher.snapshot)
    await settle()
    source.confirmedAt = 2_000
    expect(watcher.snapshot.receivedAt).toBe(2_000)
  })
})

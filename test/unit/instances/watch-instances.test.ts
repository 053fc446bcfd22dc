import { getEventListeners } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { watchInstances, type WatchInstancesOptions } from '../../../src/instances/watch-instances.js'
import type { ServiceWatcher } from '../../../src/instances/service-watcher.js'
import { eventually } from '../../support/eventually.js'
import { FakeClock, settle } from '../../support/fake-clock.js'
import { afterTest } from '../../support/opened.js'
import { recordingLogger } from '../../support/recording-logger.js'
import { idsOf, ScriptedSource } from './scripted-source.js'

const FIVE = ['a', 'b', 'c', 'd', 'e']

function follow(source: ScriptedSource, options: WatchInstancesOptions = {}) {
  const clock = new FakeClock()
  const watcher = watchInstances(source, { clock, logger: recordingLogger(), ...options })
  afterTest(() => watcher.close())
  return { clock, watcher, told: record(watcher) }
}

function record(watcher: ServiceWatcher): string[] {
  const told: string[] = []
  watcher.on('change', ({ snapshot }) => void told.push(idsOf(snapshot)))
  watcher.on('stale', () => void told.push('stale'))
  watcher.on('recovered', () => void told.push('recovered'))
  watcher.on('error', ({ code }) => void told.push(code))
  return told
}

async function cacheFile(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'proconsul-given-'))
  afterTest(() => rm(folder, { recursive: true }))
  return join(folder, 'web.cache')
}

/** Leaves a file with five instances of the first source. */
async function leaveFive(path: string, sources: readonly ScriptedSource[] = []): Promise<void> {
  const [first = new ScriptedSource(), ...others] = sources
  const watcher = watchInstances(first, {
    cacheFile: path,
    ...(others.length > 0 && { failover: { sources: others } }),
  })
  await eventually(() => expect(first.isObserved).toBe(true))
  first.value(FIVE)
  await watcher.close()
}

describe('a watcher of any source', () => {
  it('is named as the source is, and is ready with its first list', async () => {
    const source = new ScriptedSource('the file')
    const { watcher } = follow(source)
    const ready = watcher.ready()
    await settle()
    source.value(['a'])
    expect(idsOf(await ready)).toBe('a')
    expect(watcher.name).toBe('the file')
  })

  it('keeps the last list through an outage', async () => {
    const source = new ScriptedSource()
    const { watcher, told } = follow(source)
    await settle()
    source.value(['a'])
    source.failure()
    source.again()
    expect(told).toEqual(['a', 'PROCONSUL_UNAVAILABLE', 'stale', 'recovered'])
    expect(watcher.snapshot.stale).toBe(false)
  })

  it('holds a sudden loss for ten seconds by default, and not at all when that is switched off', async () => {
    const [held, shown] = [new ScriptedSource(), new ScriptedSource()]
    const guarded = follow(held)
    const open = follow(shown, { lossGuard: false })
    const short = follow(new ScriptedSource(), { lossGuard: { hold: 5 } })
    await settle()
    for (const source of [held, shown]) {
      source.value(FIVE)
      source.value([])
    }
    expect(open.told).toEqual(['a,b,c,d,e', ''])
    await guarded.clock.advance(9_999)
    expect(guarded.told).toEqual(['a,b,c,d,e', 'stale'])
    await guarded.clock.advance(1)
    expect(guarded.told.slice(2)).toEqual(['recovered', ''])
    expect(short.told).toEqual([])
  })

  it('falls back on further sources, and guards each against a loss', async () => {
    const [first, second] = [new ScriptedSource('first'), new ScriptedSource('second')]
    const { clock, told } = follow(first, { failover: { sources: [second], backAfter: '1s' } })
    await settle()
    second.value(['x'])
    first.value(FIVE)
    first.value([])
    expect(told).toEqual(['a,b,c,d,e', 'stale'])
    await clock.advance(10_000)
    expect(told.slice(2)).toEqual(['recovered', 'x'])
    first.value(['a'])
    await clock.advance(1_000)
    expect(told.slice(4)).toEqual(['a'])
  })

  it('starts from its file when nothing can be read', async () => {
    const path = await cacheFile()
    await leaveFive(path)
    const source = new ScriptedSource()
    const { told, watcher } = follow(source, { cacheFile: path })
    await eventually(() => expect(source.isObserved).toBe(true))
    source.failure()
    expect(told).toEqual(['PROCONSUL_UNAVAILABLE', 'a,b,c,d,e'])
    expect(watcher.snapshot.stale).toBe(true)
  })

  it('takes no empty answer at once when its file knew instances, and does not overwrite the file', async () => {
    const path = await cacheFile()
    await leaveFive(path)
    for (let start = 0; start < 2; start += 1) {
      const source = new ScriptedSource()
      const { clock, told, watcher } = follow(source, { cacheFile: path })
      await eventually(() => expect(source.isObserved).toBe(true))
      source.value([])
      await clock.advance(9_999)
      expect(told).toEqual(['a,b,c,d,e'])
      expect(watcher.snapshot.stale).toBe(true)
      await watcher.close()
    }
  })

  it('does so with failover as well, for the source that the file is of', async () => {
    const path = await cacheFile()
    const sources = (): [ScriptedSource, ScriptedSource] => [new ScriptedSource('first'), new ScriptedSource('second')]
    await leaveFive(path, sources())
    const [first, second] = sources()
    const { clock, told } = follow(first, { cacheFile: path, failover: { sources: [second] } })
    await eventually(() => expect(second.isObserved).toBe(true))
    first.value([])
    second.value([])
    await clock.advance(9_999)
    expect(told).toEqual(['a,b,c,d,e'])
    first.value(FIVE)
    expect(told).toEqual(['a,b,c,d,e', 'recovered'])
  })

  it('believes the source that the file is not of', async () => {
    const path = await cacheFile()
    await leaveFive(path, [new ScriptedSource('other'), new ScriptedSource('first')])
    const source = new ScriptedSource('other')
    const second = new ScriptedSource('first')
    const { told } = follow(source, { cacheFile: path, failover: { sources: [second], minInstances: 2 } })
    await eventually(() => expect(second.isObserved).toBe(true))
    second.value([])
    source.value(['b', 'c', 'd'])
    expect(told).toEqual(['b,c,d'])
  })

  it('uses no file of another source', async () => {
    const path = await cacheFile()
    await leaveFive(path, [new ScriptedSource('another')])
    const source = new ScriptedSource('mine')
    const { told } = follow(source, { cacheFile: path })
    await eventually(() => expect(source.isObserved).toBe(true))
    source.value([])
    expect(told).toEqual(['PROCONSUL_CACHE_FAILED', ''])
  })

  it('is closed by its signal, and leaves nothing', async () => {
    const ending = new AbortController()
    const source = new ScriptedSource()
    const { clock, watcher } = follow(source, { signal: ending.signal })
    await settle()
    source.value(FIVE)
    source.value([])
    ending.abort()
    await watcher.close()
    expect(source.isClosed).toBe(true)
    expect(getEventListeners(ending.signal, 'abort')).toEqual([])
    await settle()
    expect(clock.pendingTimers).toBe(0)
  })

  it('tells the logger of turns of events, and is harmed by none that throws', async () => {
    const logger = recordingLogger()
    const source = new ScriptedSource()
    follow(source, { logger })
    const broken = new ScriptedSource()
    const fail = (): never => {
      throw new Error('no')
    }
    const { told } = follow(broken, { logger: { debug: fail, info: fail, warn: fail, error: fail } })
    await settle()
    for (const each of [source, broken]) {
      each.value(['a'])
      each.failure()
    }
    expect(logger.messages('warn')).toEqual(['web may be out of date'])
    expect(told).toEqual(['a', 'PROCONSUL_UNAVAILABLE', 'stale'])
  })

  it.each([
    [{ shrinkGuard: {} }, /^options\.shrinkGuard/],
    [{ lossGuard: true }, /^lossGuard is true/],
    [{ failover: {} }, /^failover\.sources is undefined/],
    [{ failover: null }, /^failover is null/],
    [{ failover: { sources: [] } }, /^failover\.sources is an array of 0/],
    [{ failover: { sources: [{}] } }, /^failover\.sources\[0\]\.label/],
    [{ failover: { datacenters: ['x'] } }, /^failover\.datacenters/],
    [{ cacheFile: '' }, /^cacheFile is ""/],
    [{ signal: 5 }, /^signal is 5/],
    [{ logger: {} }, /^logger\.debug is undefined/],
    [{ clock: {} }, /^clock\.now is undefined/],
    [null, /^options is null/],
  ])('is refused at once with %j', (options, message) => {
    expect(() => watchInstances(new ScriptedSource(), options as never)).toThrow(message)
  })
})

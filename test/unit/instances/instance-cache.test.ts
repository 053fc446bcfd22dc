import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { SnapshotFile, type SnapshotRead } from '../../../src/core/snapshot-file.js'
import { cachedSource, type SavedList } from '../../../src/instances/instance-cache.js'
import type { Hold } from '../../../src/live/live-source.js'
import { eventually } from '../../support/eventually.js'
import { FakeClock, settle } from '../../support/fake-clock.js'
import { idsOf, runtimeOn, ScriptedSource, ToldList } from './scripted-source.js'

let folder: string
const holds: Hold[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'proconsul-cache-'))
})

afterEach(async () => {
  // What is still being written would stand in the way.
  await Promise.all(holds.splice(0).map(async (hold) => await hold.close()))
  await rm(folder, { recursive: true })
})

function begin(path = join(folder, 'cache'), file = new SnapshotFile({ path, kind: 'web', version: 2 })) {
  const clock = new FakeClock()
  const source = new ScriptedSource()
  const heard = new ToldList()
  const logged: string[] = []
  const opened: (SavedList | undefined)[] = []
  let serve: (label: string) => void = () => undefined
  const cached = cachedSource({
    runtime: runtimeOn(clock, logged),
    file,
    label: 'web',
    open: (saved, onServing) => {
      opened.push(saved)
      serve = onServing
      return source
    },
  })
  const hold = cached.observe(heard)
  holds.push(hold)
  return { clock, source, hold, heard, told: heard.told, path, logged, opened, serve: (label: string) => serve(label) }
}

/** One whose file was read. */
async function cached(path?: string) {
  const made = begin(path)
  await eventually(() => expect(made.source.isObserved).toBe(true))
  return made
}

/** Leaves a file with these instances. */
async function leave(...ids: readonly string[]): Promise<string> {
  const { source, hold, path } = await cached()
  source.value(ids, { confirmedAt: 7 })
  await hold.close()
  return path
}

/** A file that is read when the test says so. */
function slowFile(path: string) {
  let answer: (read: SnapshotRead) => void = () => undefined
  const file = new SnapshotFile({ path, kind: 'web', version: 2 })
  file.read = () => new Promise((resolve) => (answer = resolve))
  return { file, answer: (read: SnapshotRead) => answer(read) }
}

describe('a list with a cache file', () => {
  it('is saved when it changes, privately, and shown at the next start when nothing can be read', async () => {
    const path = await leave('a', 'b')
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    const { source, told, opened } = await cached()
    source.failure()
    expect(told).toEqual(['failure PROCONSUL_UNAVAILABLE', 'saved a,b at 7'])
    expect(opened.map((saved) => saved && idsOf(saved))).toEqual(['a,b'])
  })

  it('is known before anything is read, so that the first answer can be measured against it', async () => {
    await leave('a')
    const { source, opened } = begin()
    expect(source.isObserved).toBe(false)
    await eventually(() => expect(source.isObserved).toBe(true))
    expect(opened[0]).toMatchObject({ confirmedAt: 7, isContinuous: false, servedBy: 'web' })
  })

  it('is not shown when there is an answer', async () => {
    await leave('a')
    const { source, clock, told } = await cached()
    source.value(['b'])
    source.failure()
    await clock.advance(60_000)
    expect(told).toEqual(['value b', 'failure PROCONSUL_UNAVAILABLE'])
  })

  it('is shown when the source keeps silent for a second, once', async () => {
    await leave('a')
    const { clock, source, told } = await cached()
    await clock.advance(999)
    expect(told).toEqual([])
    await clock.advance(1)
    expect(told).toEqual(['saved a at 7'])
    source.failure()
    expect(told.slice(1)).toEqual(['failure PROCONSUL_UNAVAILABLE'])
    expect(clock.pendingTimers).toBe(0)
  })

  it('is shown at once when what is read is in doubt', async () => {
    await leave('a')
    const { source, told } = await cached()
    source.doubt()
    expect(told).toEqual(['saved a at 7', 'doubt'])
  })

  it('is not shown while it is paused, also when it was read only then', async () => {
    await leave('a')
    for (const pausedFrom of ['the start', 'the wait'] as const) {
      const { clock, hold, told, source } = pausedFrom === 'the wait' ? await cached() : begin()
      hold.pause?.()
      await eventually(() => expect(clock.pendingTimers).toBe(0))
      await clock.advance(60_000)
      expect(told).toEqual([])
      expect(source.isObserved).toBe(pausedFrom === 'the wait')
      hold.resume?.()
      expect(source.isPaused).toBe(false)
      expect(source.isObserved).toBe(true)
      await clock.advance(1_000)
      expect(told).toEqual(['saved a at 7'])
    }
  })

  it('remembers which source served', async () => {
    const first = await cached()
    first.serve('far')
    first.source.value(['f'])
    await first.hold.close()
    const { opened } = await cached()
    expect(opened[0]?.servedBy).toBe('far')
  })

  it('is not overwritten by an empty one', async () => {
    const path = await leave('a')
    const second = await cached()
    second.source.value([])
    await second.clock.advance(5_000)
    await second.hold.close()
    expect(await readFile(path, 'utf8')).toContain('"a"')
  })

  it('is written once for a storm of changes, and not again while it stays the same', async () => {
    const { clock, source, path } = await cached()
    for (let round = 0; round < 100; round++) source.value([`v${round}`])
    expect(clock.pendingTimers).toBe(1)
    expect(clock.keepAliveTimers).toBe(0)
    await clock.advance(1_000)
    await eventually(async () => expect(await readFile(path, 'utf8')).toContain('v99'))
    source.again()
    expect(clock.pendingTimers).toBe(0)
  })

  it('says after a clean end until when it was right, also when it had not changed', async () => {
    const { clock, source, hold, path } = await cached()
    source.value(['a'], { confirmedAt: 7 })
    await clock.advance(1_000)
    source.again({ confirmedAt: 9_000 })
    await hold.close()
    expect(await new SnapshotFile({ path, kind: 'web', version: 2 }).read()).toMatchObject({ savedAt: 9_000 })
  })

  it('is reported and ignored when it is corrupt, or holds something else', async () => {
    const path = await leave('a')
    const good = await readFile(path, 'utf8')
    for (const bad of [good.slice(0, -3), good.replace('"a"', '"b"'), 'no header', '']) {
      await writeFile(path, bad)
      const { told, source, logged } = await cached()
      source.failure()
      expect(told).toEqual(['problem PROCONSUL_CACHE_FAILED', 'failure PROCONSUL_UNAVAILABLE'])
      expect(logged).toEqual(['web: the cache file is of no use'])
    }
    await writeFile(path, good)
    await chmod(path, 0o644)
    expect((await cached()).told).toEqual(['problem PROCONSUL_CACHE_FAILED'])
    await rm(path)
    await new SnapshotFile({ path, kind: 'web', version: 2 }).write(['a'], 1)
    expect((await cached()).told).toEqual(['problem PROCONSUL_CACHE_FAILED'])
  })

  it('keeps nobody waiting that cannot be read within a second', async () => {
    const { file, answer } = slowFile(join(folder, 'cache'))
    const { clock, source, told, opened } = begin(undefined, file)
    await clock.advance(999)
    expect(source.isObserved).toBe(false)
    await clock.advance(1)
    expect(source.isObserved).toBe(true)
    expect(told).toEqual(['problem PROCONSUL_CACHE_FAILED'])
    answer({ type: 'found', value: { servedBy: 'web', instances: [] }, savedAt: 1 })
    await settle()
    expect(opened).toEqual([undefined])
  })

  it('opens no source any more when it is closed while the file is read', async () => {
    const { file, answer } = slowFile(join(folder, 'cache'))
    const { clock, source, hold } = begin(undefined, file)
    await hold.close()
    answer({ type: 'missing' })
    await settle()
    expect(source.isObserved).toBe(false)
    expect(clock.pendingTimers).toBe(0)
  })

  it('is reported once when it cannot be written, and harms nothing', async () => {
    const path = join(folder, 'cache', 'under', 'a-file')
    const { clock, source, hold, told, logged } = await cached(path)
    await writeFile(join(folder, 'cache'), 'in the way')
    for (const id of ['a', 'b']) {
      source.value([id])
      await clock.advance(1_000)
      await eventually(() => expect(logged).toHaveLength(1))
    }
    await hold.close()
    expect(told).toEqual(['value a', 'problem PROCONSUL_CACHE_FAILED', 'value b'])
  })

  it('passes on what concerns others', async () => {
    const { source, told, hold } = await cached()
    source.saved(['x'], 3)
    source.problem()
    hold.refresh?.()
    expect(told).toEqual(['saved x at 3', 'problem PROCONSUL_CACHE_FAILED'])
    expect(source.refreshes).toBe(1)
    await hold.close()
    expect(source.isClosed).toBe(true)
  })
})

import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { SnapshotFile } from '../../../../src/core/snapshot-file.js'
import { cachedSource } from '../../../../src/discovery/sources/cached-source.js'
import type { ListHold } from '../../../../src/discovery/sources/list-source.js'
import { savedInstances } from '../../../../src/discovery/sources/saved-instances.js'
import { eventually } from '../../../support/eventually.js'
import { FakeClock } from '../../../support/fake-clock.js'
import { runtimeOn, ScriptedSource, ToldList } from './scripted-source.js'

let folder: string
const holds: ListHold[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'proconsul-cache-'))
})

afterEach(async () => {
  // What is still being written would stand in the way.
  await Promise.all(holds.splice(0).map((hold) => hold.close()))
  await rm(folder, { recursive: true })
})

function texts(value: unknown): readonly string[] | undefined {
  return Array.isArray(value) && value.every((entry) => typeof entry === 'string') ? value : undefined
}

function cached(path = join(folder, 'cache')) {
  const clock = new FakeClock()
  const source = new ScriptedSource()
  const told = new ToldList()
  const file = new SnapshotFile({ path, kind: 'texts', version: 1 })
  const hold = cachedSource(source, { runtime: runtimeOn(clock), file, parse: texts }).subscribe(told)
  holds.push(hold)
  return { clock, source, hold, told: told.told, path }
}

describe('a list with a cache file', () => {
  it('is saved when it changes, privately, and shown at the next start when Consul fails', async () => {
    const first = cached()
    first.source.value(['a', 'b'], { index: 7 })
    await first.hold.close()
    expect((await stat(first.path)).mode & 0o777).toBe(0o600)
    const second = cached()
    second.source.failure()
    await eventually(() => expect(second.told).toEqual(['failure PROCONSUL_UNAVAILABLE', 'saved a,b at 7']))
  })

  it('is not shown when Consul answers', async () => {
    const first = cached()
    first.source.value(['a'])
    await first.hold.close()
    const second = cached()
    second.source.value(['b'])
    await second.clock.advance(60_000)
    expect(second.told).toEqual(['value b'])
  })

  it('is shown when Consul keeps silent for a second', async () => {
    const first = cached()
    first.source.value(['a'], { index: 7 })
    await first.hold.close()
    const second = cached()
    await eventually(() => expect(second.clock.pendingTimers).toBe(1))
    await second.clock.advance(1_000)
    expect(second.told).toEqual(['saved a at 7'])
  })

  it('is not shown while it is paused, also when it was read only then', async () => {
    const first = cached()
    first.source.value(['a'], { index: 7 })
    await first.hold.close()
    for (const pausedFrom of ['the start', 'the wait'] as const) {
      const { clock, hold, told, source } = cached()
      if (pausedFrom === 'the wait') await eventually(() => expect(clock.pendingTimers).toBe(1))
      hold.pause()
      await expect(new SnapshotFile({ path: first.path, kind: 'texts', version: 1 }).read()).resolves.toBeDefined()
      await clock.advance(60_000)
      expect([told, source.isPaused]).toEqual([[], true])
      hold.resume()
      await eventually(() => expect(clock.pendingTimers).toBe(1))
      await clock.advance(1_000)
      expect(told).toEqual(['saved a at 7'])
    }
  })

  it('is what the source below is told to be shown, until the first answer', async () => {
    const first = cached()
    first.source.value(['a'], { index: 7 })
    await first.hold.close()
    const { source, told } = cached()
    expect(source.shown?.()).toBeUndefined()
    source.failure()
    await eventually(() => expect(told).toContain('saved a at 7'))
    expect(source.shown?.()).toEqual(['a'])
    source.value(['b'])
    expect(source.shown?.()).toBeUndefined()
  })

  it('is not overwritten by an empty one', async () => {
    const first = cached()
    first.source.value(['a'], { index: 7 })
    await first.hold.close()
    const second = cached()
    second.source.value([])
    await second.hold.close()
    expect(await readFile(second.path, 'utf8')).toContain('"a"')
  })

  it('is reported and ignored when it is corrupt, or holds something else', async () => {
    const { path, source, hold } = cached()
    source.value(['a'])
    await hold.close()
    const good = await readFile(path, 'utf8')
    for (const bad of [good.slice(0, -3), good.replace('"a"', '"b"'), 'no header', '']) {
      await writeFile(path, bad)
      const { told, source: silent } = cached()
      silent.failure()
      await eventually(() => expect(told).toContain('problem PROCONSUL_CACHE_FAILED'))
      expect(told.filter((line) => line.startsWith('saved'))).toEqual([])
    }
    await writeFile(path, good)
    await chmod(path, 0o644)
    const { told } = cached()
    await eventually(() => expect(told).toEqual(['problem PROCONSUL_CACHE_FAILED']))
  })

  it('is reported when it cannot be written, and harms nothing', async () => {
    const { source, hold, told } = cached(join(folder, 'cache', 'under', 'a-file'))
    await writeFile(join(folder, 'cache'), 'in the way')
    source.value(['a'])
    await hold.close()
    expect(told).toEqual(['value a', 'problem PROCONSUL_CACHE_FAILED'])
  })

  it('writes once for a storm of changes', async () => {
    const { clock, source, path } = cached()
    for (let round = 0; round < 100; round++) source.value([`v${round}`])
    expect(clock.pendingTimers).toBe(1)
    await clock.advance(1_000)
    await eventually(async () => expect(await readFile(path, 'utf8')).toContain('v99'))
  })
})

describe('saved instances', () => {
  const instance = {
    id: 'a',
    name: 's',
    address: '10.0.0.1',
    port: 80,
    ports: {},
    tags: [],
    meta: {},
    weights: { passing: 1, warning: 1 },
    node: 'n',
    datacenter: 'dc1',
    status: 'passing',
  }

  it('are taken when they are whole, and frozen', () => {
    const read = savedInstances([instance])
    expect(read).toEqual([instance])
    expect(Object.isFrozen(read?.[0]?.weights)).toBe(true)
  })

  it.each(Object.keys(instance))('are not taken when %s is missing', (name) => {
    expect(savedInstances([{ ...instance, [name]: undefined }])).toBeUndefined()
  })
})

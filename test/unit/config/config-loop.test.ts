import { beforeEach, describe, expect, it } from 'vitest'
import { Applier } from '../../../src/config/assembly/applier.js'
import { ConfigLoop } from '../../../src/config/config-loop.js'
import { resolveConfigOptions, type ConfigOptions } from '../../../src/config/config-options.js'
import { DocumentReader } from '../../../src/config/assembly/documents.js'
import { Settings } from '../../../src/config/settings.js'
import { keepEntries, type LayerState, type StateObserver } from '../../../src/config/source/layer-state.js'
import type { TreeObject } from '../../../src/config/tree/tree.js'
import { ProconsulError } from '../../../src/errors/proconsul-error.js'
import { FakeClock, settle } from '../../support/fake-clock.js'
import { recordingLogger, type RecordingLogger } from '../../support/recording-logger.js'
import { entriesOf, type Store } from './pipeline.js'

let clock: FakeClock
let logger: RecordingLogger

beforeEach(() => {
  clock = new FakeClock()
  logger = recordingLogger()
})

/** A configuration whose states a test pushes by hand. */
class Harness {
  readonly loop: ConfigLoop<TreeObject>
  isSourceClosed = false
  #observer: StateObserver | undefined
  #state: LayerState = { entries: [], index: 0, advanced: true, isCrowded: false }

  constructor(options: Partial<ConfigOptions> = {}) {
    const resolved = resolveConfigOptions({ layers: ['a'], ...options })
    this.loop = new ConfigLoop<TreeObject>({
      runtime: { clock, logger, random: () => 0.5 },
      options: resolved,
      documents: new DocumentReader(resolved.layers, { type: 'keys', coerce: false }),
      applier: new Applier<TreeObject>(resolved, 'keys', clock),
      cache: undefined,
      watch: (observer) => {
        this.#observer = observer
        return { close: () => (this.isSourceClosed = true) }
      },
    })
  }

  async open(store: Store = { 'a/x': '1' }): Promise<Settings<TreeObject>> {
    const starting = this.loop.start(undefined)
    await this.push(store)
    return new Settings(this.loop, await starting, logger)
  }

  async push(store: Store, advanced = true): Promise<void> {
    const { entries, index } = this.#state
    this.#state = { entries: keepEntries(entries, entriesOf(store)), index: index + 1, advanced, isCrowded: false }
    this.#observer?.onState(this.#state)
    await settle()
  }

  fail(code: ConstructorParameters<typeof ProconsulError>[0] = 'PROCONSUL_UNAVAILABLE'): void {
    this.#observer?.onFailure(new ProconsulError(code, 'no answer'))
  }

  recover(isSame: boolean): void {
    this.#observer?.onRecovery(isSame)
  }
}

describe('the first load', () => {
  it('waits for layers that must be there, and names them when they do not come', async () => {
    const harness = new Harness({ layers: ['a', 'b', 'c'], optional: ['c'], timeout: '10s' })
    const starting = harness.loop.start(undefined)
    const failed = expect(starting).rejects.toMatchObject({
      code: 'PROCONSUL_NOT_FOUND',
      message: expect.stringContaining('"b"') as string,
    })
    await harness.push({ 'a/x': '1' })
    await clock.advance(10_000)
    await failed
    expect(harness.isSourceClosed).toBe(true)
    expect(clock.pendingTimers).toBe(0)
  })

  it('goes on through failures that may pass, and stops at one that will not', async () => {
    const patient = new Harness()
    const starting = patient.loop.start(undefined)
    patient.fail()
    await patient.push({ 'a/x': '1' })
    expect((await starting).value).toEqual({ x: '1' })
    const refused = new Harness()
    const failing = refused.loop.start(undefined)
    refused.fail('PROCONSUL_PERMISSION_DENIED')
    await expect(failing).rejects.toMatchObject({ code: 'PROCONSUL_PERMISSION_DENIED' })
  })

  it('ends by its deadline when nothing answers, and by its signal', async () => {
    const silent = new Harness({ timeout: '1s' })
    const failed = expect(silent.loop.start(undefined)).rejects.toMatchObject({ code: 'PROCONSUL_TIMEOUT' })
    await clock.advance(1_000)
    await failed
    const abort = new AbortController()
    const aborted = expect(new Harness({ signal: abort.signal }).loop.start(undefined)).rejects.toMatchObject({
      code: 'PROCONSUL_ABORTED',
    })
    abort.abort()
    await aborted
    await expect(new Harness({ signal: AbortSignal.abort() }).loop.start(undefined)).rejects.toMatchObject({
      code: 'PROCONSUL_ABORTED',
    })
  })
})

describe('changes', () => {
  it('are applied when the keys have been quiet, as one', async () => {
    const harness = new Harness({ debounce: '100ms' })
    const settings = await harness.open()
    const seen: unknown[] = []
    settings.on('change', ({ value, previous, paths }) => seen.push([value, previous, paths]))
    await harness.push({ 'a/x': '2' })
    await clock.advance(60)
    await harness.push({ 'a/x': '3' })
    await clock.advance(299)
    expect(seen).toEqual([])
    await clock.advance(1)
    expect(seen).toEqual([[{ x: '3' }, { x: '1' }, ['x']]])
  })

  it('are applied at the latest after ten times the debounce', async () => {
    const harness = new Harness({ debounce: '400ms' })
    const settings = await harness.open()
    for (let push = 0; push < 20; push += 1) {
      await harness.push({ 'a/x': `${push}` })
      await clock.advance(200)
    }
    expect(settings.get('x')).toBe('19')
  })

  it('are applied one at a time, and only the last of those that came meanwhile', async () => {
    let go: () => void = () => undefined
    const asked: unknown[] = []
    const harness = new Harness({
      debounce: 0,
      beforeApply: async (next, { previous }) => {
        asked.push(next['x'])
        if (previous !== undefined) await new Promise<void>((resolve) => (go = resolve))
      },
    })
    const settings = await harness.open()
    for (const value of ['2', '3', '4']) await harness.push({ 'a/x': value })
    go()
    await settle()
    go()
    await settle()
    expect(asked).toEqual(['1', '2', '4'])
    expect(settings.get('x')).toBe('4')
  })

  it('of keys that leave the value as it was move the version and fire nothing', async () => {
    const harness = new Harness({ debounce: 0, schema: (tree) => ({ x: tree['x'] ?? null }) })
    const settings = await harness.open()
    const before = settings.value
    let changes = 0
    settings.on('change', () => (changes += 1))
    await harness.push({ 'a/x': '1', 'a/y': '1' })
    expect([settings.version, changes]).toEqual([2, 0])
    expect(settings.value).toBe(before)
  })

  it('are vetoed by a hook that does not settle in time', async () => {
    const harness = new Harness({
      debounce: 0,
      timeout: '2s',
      beforeApply: (_next, { previous }) => (previous === undefined ? undefined : new Promise(() => undefined)),
    })
    const settings = await harness.open()
    await harness.push({ 'a/x': '2' })
    await clock.advance(2_000)
    expect(settings.rejection?.issues[0]?.message).toMatch(/did not settle within 2s/)
    expect(settings.get('x')).toBe('1')
  })
})

describe('bad states', () => {
  it('are reported once each, and again only after a good one', async () => {
    const harness = new Harness({ debounce: 0 })
    const settings = await harness.open()
    const seen: unknown[] = []
    settings.on('rejected', ({ origin, version }) => seen.push([origin.key, version]))
    const bad = { 'a/x': '1', 'a/x/y': '2' }
    await harness.push(bad)
    await harness.push({ 'a/x': '1' })
    expect(settings.rejection).toBeUndefined()
    await harness.push(bad)
    expect(seen).toEqual([
      ['a/x/y', 2],
      ['a/x/y', 3],
    ])
    expect(settings.value).toEqual({ x: '1' })
  })
})

describe('an outage', () => {
  it('marks the value stale once, and recovers with the next good read', async () => {
    const harness = new Harness({ debounce: 0 })
    const settings = await harness.open()
    const seen: string[] = []
    for (const name of ['stale', 'recovered', 'change'] as const) settings.on(name, () => seen.push(name))
    harness.fail()
    harness.fail('PROCONSUL_TIMEOUT')
    expect(settings.staleness).toMatchObject({ since: clock.now(), error: { code: 'PROCONSUL_TIMEOUT' } })
    harness.recover(true)
    expect(settings.stale).toBe(false)
    harness.fail()
    harness.recover(false)
    expect(settings.stale).toBe(true)
    await harness.push({ 'a/x': '2' })
    expect(seen).toEqual(['stale', 'recovered', 'stale', 'recovered', 'change'])
  })

  it('that empties the store is held back and stays stale until the guard gives in', async () => {
    const harness = new Harness({ debounce: 0, lossGuard: '30s' })
    const settings = await harness.open()
    harness.fail()
    await harness.push({})
    harness.recover(true)
    expect([settings.stale, settings.value]).toEqual([true, { x: '1' }])
    await clock.advance(30_000)
    expect([settings.stale, settings.value]).toEqual([false, {}])
  })
})

describe('a value from the cache', () => {
  it('counts as out of date until Consul holds one that is accepted, however well it is read', async () => {
    const schema = (value: TreeObject): TreeObject => {
      if (value['x'] === 'bad') throw new Error('bad')
      return value
    }
    const harness = new Harness({ schema, optional: true, debounce: 0 })
    const starting = harness.loop.start({ layers: [], version: 1, savedAt: 0 })
    harness.fail()
    const settings = new Settings(harness.loop, await starting, logger)
    await harness.push({ 'a/x': 'bad' })
    expect(settings.rejection).toBeDefined()
    harness.recover(true)
    expect(settings.stale).toBe(true)
    await harness.push({ 'a/x': 'good' })
    expect(settings.stale).toBe(false)
  })
})

describe('Settings', () => {
  it('lets no listener harm another, nor the loop', async () => {
    const harness = new Harness({ debounce: 0 })
    const settings = await harness.open()
    const seen: unknown[] = []
    settings.on('change', () => {
      throw new Error('mine')
    })
    settings.watch(
      () => {
        throw new Error('select')
      },
      () => undefined,
    )
    settings.watch(
      (value) => value['x'],
      () => Promise.reject(new Error('later')),
    )
    const stop = settings.watch(
      (value) => value['x'],
      (part, previous) => seen.push([part, previous]),
    )
    await harness.push({ 'a/x': '2' })
    expect(seen).toEqual([['2', '1']])
    expect(logger.messages('error').length).toBe(3)
    stop()
    await harness.push({ 'a/x': '3' })
    expect(seen.length).toBe(1)
  })

  it('compares what a watch selects by value', async () => {
    const harness = new Harness({ debounce: 0 })
    const settings = await harness.open({ 'a/x/y': '1', 'a/z': '1' })
    let calls = 0
    settings.watch(
      (value) => ({ copy: value['x'] }),
      () => (calls += 1),
    )
    await harness.push({ 'a/x/y': '1', 'a/z': '2' })
    expect(calls).toBe(0)
    await harness.push({ 'a/x/y': '2', 'a/z': '2' })
    expect(calls).toBe(1)
  })

  it('refuses a path that is none', async () => {
    const settings = await new Harness().open()
    expect(() => settings.get('a..b')).toThrow(/path is "a..b"/)
    expect(() => settings.origin('a[0]')).toThrow(/path/)
    expect(settings.get('nope.nope')).toBeUndefined()
  })

  it('tells nothing more but closed when a listener closes it', async () => {
    const harness = new Harness({ debounce: 0 })
    const settings = await harness.open({ 'a/x': '1' })
    const seen: string[] = []
    settings.on('change', () => {
      seen.push('change')
      void settings.close()
    })
    settings.on('change', () => seen.push('another change'))
    settings.on('closed', () => seen.push('closed'))
    settings.watch(
      ({ x }) => x,
      () => seen.push('watch'),
    )
    await harness.push({ 'a/x': '2' })
    expect(seen).toEqual(['change', 'closed'])
  })

  it('closes once, fires closed, keeps its value, and leaves nothing behind', async () => {
    const harness = new Harness({ debounce: '1s' })
    const settings = await harness.open()
    const seen: string[] = []
    settings.on('closed', () => seen.push('closed'))
    settings.on('change', () => seen.push('change'))
    await harness.push({ 'a/x': '2' })
    expect(settings.close()).toBe(settings.close())
    await settings[Symbol.asyncDispose]()
    await clock.advance(10_000)
    expect(seen).toEqual(['closed'])
    expect(settings.value).toEqual({ x: '1' })
    expect([harness.isSourceClosed, clock.pendingTimers]).toEqual([true, 0])
  })
})

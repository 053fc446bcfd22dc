import { beforeEach, describe, expect, it } from 'vitest'
import { appliedSource } from '../../../../src/config/apply/applied-source.js'
import { Applier } from '../../../../src/config/assembly/applier.js'
import { DocumentReader } from '../../../../src/config/assembly/documents.js'
import { resolveConfigOptions, type ConfigOptions } from '../../../../src/config/options/config-options.js'
import { keepEntries, type LayerState } from '../../../../src/config/source/layer-state.js'
import type { TreeObject } from '../../../../src/config/tree/tree.js'
import { ProconsulError } from '../../../../src/errors/proconsul-error.js'
import type { Hold, Observer } from '../../../../src/live/live-source.js'
import { FakeClock, settle } from '../../../support/fake-clock.js'
import { recordingLogger } from '../../../support/recording-logger.js'
import { entriesOf, type Store } from '../pipeline.js'

let clock: FakeClock

beforeEach(() => {
  clock = new FakeClock()
})

class Applying {
  /** What the observer heard. */
  readonly heard: unknown[] = []
  readonly hold: Hold
  explain: () => Promise<string> = () => Promise.resolve('; there is something else')
  #source: Observer<LayerState> | undefined
  #last: LayerState | undefined

  constructor(options: Partial<ConfigOptions> = {}) {
    const resolved = resolveConfigOptions({ layers: ['a'], debounce: 0, ...options })
    const source = {
      label: 'layers',
      observe: (observer: Observer<LayerState>) => {
        this.#source = observer
        return { close: () => undefined }
      },
    }
    this.hold = appliedSource<TreeObject>(source, {
      runtime: { clock, logger: recordingLogger(), random: () => 0.5 },
      layers: resolved.layers,
      debounceMs: resolved.debounceMs,
      documents: new DocumentReader(resolved.layers, { type: 'keys', coerce: false }),
      applier: new Applier<TreeObject>(resolved, 'keys', clock),
      explainMissing: () => this.explain(),
    }).observe({
      onValue: ({ value, confirmedAt }) => this.heard.push([value, confirmedAt]),
      onFailure: ({ code }) => this.heard.push(code),
      onDoubt: ({ code }) => this.heard.push(`doubt ${code}`),
      onRejected: ({ error }) => this.heard.push(`rejected ${error.code}`),
      onMissing: ({ message }) => this.heard.push(message),
      onSaved: () => this.heard.push('saved'),
      onProblem: () => this.heard.push('problem'),
    })
  }

  async push(store: Store, at: number): Promise<void> {
    const entries = keepEntries(this.#last?.entries ?? [], entriesOf(store))
    this.#last = { entries, index: at, isFiltered: false, confirmedAt: at }
    this.#source?.onValue(this.#last)
    await settle()
  }

  fail(): void {
    this.#source?.onFailure(new ProconsulError('PROCONSUL_UNAVAILABLE', 'no answer'))
  }

  doubt(): void {
    this.#source?.onDoubt(new ProconsulError('PROCONSUL_UNAVAILABLE', 'lost'))
  }
}

describe('an applied state', () => {
  it('is told with the moment of its read, and again with the moment of each read that brings the same', async () => {
    const applying = new Applying()
    await applying.push({ 'a/x': '1' }, 10)
    await applying.push({ 'a/x': '1' }, 20)
    expect(applying.heard).toEqual([
      [{ x: '1' }, 10],
      [{ x: '1' }, 20],
    ])
  })

  it('is told without a debounce when it is the first, also after one that was rejected', async () => {
    const applying = new Applying({ debounce: '1m' })
    await applying.push({ 'a/x': '1', 'a/x/y': '1' }, 10)
    await applying.push({ 'a/x': '1' }, 20)
    expect(applying.heard).toEqual(['rejected PROCONSUL_CONFIG_INVALID', [{ x: '1' }, 20]])
  })

  it('keeps its age while what Consul holds is rejected', async () => {
    const applying = new Applying()
    await applying.push({ 'a/x': '1' }, 10)
    await applying.push({ 'a/x': '1', 'a/x/y': '1' }, 20)
    await applying.push({ 'a/x': '1', 'a/x/y': '1' }, 30)
    expect(applying.heard).toEqual([
      [{ x: '1' }, 10],
      [{ x: '1' }, 10],
      'rejected PROCONSUL_CONFIG_INVALID',
      [{ x: '1' }, 10],
    ])
  })

  it('waits for the end of an outage or a doubt that came before it', async () => {
    for (const trouble of ['fail', 'doubt'] as const) {
      const applying = new Applying({ debounce: '100ms' })
      await applying.push({ 'a/x': '1' }, 10)
      await applying.push({ 'a/x': '2' }, 20)
      applying[trouble]()
      await clock.advance(1_000)
      expect(applying.heard).toHaveLength(2)
      await applying.push({ 'a/x': '2' }, 30)
      expect(applying.heard.at(-1)).toEqual([{ x: '2' }, 30])
    }
  })

  it('is told even so when it is the first, with the trouble after it', async () => {
    let go: () => void = () => undefined
    const ready = new Promise<void>((resolve) => (go = resolve))
    const applying = new Applying({ beforeApply: () => ready })
    await applying.push({ 'a/x': '1' }, 10)
    applying.fail()
    go()
    await settle()
    expect(applying.heard).toEqual(['PROCONSUL_UNAVAILABLE', [{ x: '1' }, 10], 'PROCONSUL_UNAVAILABLE'])
  })

  it('waits while it is paused', async () => {
    const applying = new Applying({ debounce: '100ms' })
    await applying.push({ 'a/x': '1' }, 10)
    await applying.push({ 'a/x': '2' }, 20)
    applying.hold.pause?.()
    await clock.advance(1_000)
    expect(applying.heard).toEqual([[{ x: '1' }, 10]])
    applying.hold.resume?.()
    await applying.push({ 'a/x': '2' }, 30)
    expect(applying.heard.at(-1)).toEqual([{ x: '2' }, 30])
  })
})

describe('layers that must be there and are not', () => {
  it('are told of at once, and explained in a moment', async () => {
    const applying = new Applying({ layers: ['a', 'b', 'c'], optional: ['c'] })
    let explain: (text: string) => void = () => undefined
    applying.explain = () => new Promise((resolve) => (explain = resolve))
    await applying.push({ 'c/x': '1' }, 10)
    expect(applying.heard).toEqual(['nothing is stored under "a" and "b", or the token may not read it'])
    explain('')
    await settle()
    expect(applying.heard.at(-1)).toBe('rejected PROCONSUL_NOT_FOUND')
  })
})

describe('what is closed', () => {
  it('tells nothing of what was being applied', async () => {
    let go: () => void = () => undefined
    const ready = new Promise<void>((resolve) => (go = resolve))
    const applying = new Applying({ beforeApply: () => ready })
    await applying.push({ 'a/x': '1' }, 10)
    await applying.hold.close()
    go()
    await clock.advance(1_000)
    expect(applying.heard).toEqual([])
    expect(clock.pendingTimers).toBe(0)
  })
})

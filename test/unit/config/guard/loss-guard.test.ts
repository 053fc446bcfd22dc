import { beforeEach, describe, expect, it } from 'vitest'
import { lossGuard, type LossGuardParts } from '../../../../src/config/guard/loss-guard.js'
import type { Fate, Missing } from '../../../../src/config/guard/missing-keys.js'
import { resolveLayers } from '../../../../src/config/layers/layer.js'
import type { LayerState } from '../../../../src/config/source/layer-state.js'
import { ProconsulError } from '../../../../src/errors/proconsul-error.js'
import type { Hold, Observer } from '../../../../src/live/live-source.js'
import { FakeClock, settle } from '../../../support/fake-clock.js'
import { entriesOf } from '../pipeline.js'

let clock: FakeClock

beforeEach(() => {
  clock = new FakeClock()
})

/** A guard over a source whose states a test pushes by hand. */
class Guarded {
  /** What the observer heard: the names of the keys, or the code of a failure or a doubt. */
  readonly heard: string[] = []
  readonly asked: Missing[] = []
  readonly hold: Hold
  fate: Fate | Promise<Fate> = 'deleted'
  isNoneReadable = false
  isClosed = false
  isPaused = false
  #source: Observer<LayerState> | undefined
  #index = 0

  constructor(parts: Partial<LossGuardParts> = {}, optional = true) {
    const guarded = lossGuard(
      {
        label: 'layers',
        observe: (observer) => {
          this.#source = observer
          return {
            close: () => void (this.isClosed = true),
            pause: () => void (this.isPaused = true),
            resume: () => void (this.isPaused = false),
          }
        },
      },
      {
        clock,
        holdMs: 1_000,
        known: undefined,
        layers: resolveLayers(['a'], optional),
        missingKeys: {
          fateOf: async (missing) => {
            this.asked.push(missing)
            return await this.fate
          },
          isNoneReadable: () => Promise.resolve(this.isNoneReadable),
        },
        ...parts,
      },
    )
    this.hold = guarded.observe({
      onValue: ({ entries }) => this.heard.push(entries.map(({ key }) => key.slice(2)).join('')),
      onFailure: ({ code }) => this.heard.push(`failed ${code}`),
      onDoubt: ({ code }) => this.heard.push(`doubt ${code}`),
      onSaved: () => this.heard.push('saved'),
      onProblem: () => this.heard.push('problem'),
    })
  }

  async push(state: string | LayerState, facts: Partial<LayerState> = {}): Promise<LayerState> {
    const next = typeof state === 'string' ? { ...stateOf(state, ++this.#index), ...facts } : state
    this.#source?.onValue(next)
    await settle()
    return next
  }

  fail(): void {
    this.#source?.onFailure(new ProconsulError('PROCONSUL_UNAVAILABLE', 'no answer'))
  }
}

function stateOf(names: string, index: number): LayerState {
  const store = Object.fromEntries(Array.from(names, (name) => [`a/${name}`, name]))
  return { entries: entriesOf(store), index, isFiltered: false, confirmedAt: index }
}

const LOST = 'doubt PROCONSUL_UNAVAILABLE'
const DENIED = 'doubt PROCONSUL_PERMISSION_DENIED'
const DOWN = 'failed PROCONSUL_UNAVAILABLE'

describe('keys that are missing', () => {
  it('are believed to be deleted when that is proven, and the question tells since when', async () => {
    const guarded = new Guarded()
    await guarded.push('abc')
    await guarded.push('a')
    await guarded.push('')
    expect(guarded.heard).toEqual(['abc', 'a', ''])
    expect(guarded.asked).toEqual([
      { keys: ['a/b', 'a/c'], since: 1, isEarlierRun: false },
      { keys: ['a/a'], since: 2, isEarlierRun: false },
    ])
  })

  it('are held back without a proof, and believed when the time is up', async () => {
    const guarded = new Guarded()
    await guarded.push('ab')
    guarded.fate = 'lost'
    await guarded.push('a')
    await clock.advance(999)
    expect(guarded.heard).toEqual(['ab', LOST])
    await clock.advance(1)
    expect(guarded.heard).toEqual(['ab', LOST, 'a'])
    expect(clock.pendingTimers).toBe(0)
  })

  it('are held back after an outage without a question, until all of them are back', async () => {
    const guarded = new Guarded()
    await guarded.push('abc')
    guarded.fail()
    await guarded.push('')
    await guarded.push('a')
    await guarded.push('abc')
    expect(guarded.heard).toEqual(['abc', DOWN, LOST, LOST, 'abc'])
    expect(guarded.asked).toEqual([])
    expect(clock.pendingTimers).toBe(0)
    await guarded.push('a')
    expect(guarded.heard.at(-1)).toBe('a')
  })

  it('are counted from the first sign, and the last state is taken in the end', async () => {
    const guarded = new Guarded()
    await guarded.push('abc')
    guarded.fail()
    await guarded.push('')
    await clock.advance(900)
    await guarded.push('b')
    await clock.advance(99)
    expect(guarded.heard.at(-1)).toBe(LOST)
    await clock.advance(1)
    expect(guarded.heard.at(-1)).toBe('b')
  })

  it('have their time while the store can be read: an outage stops it', async () => {
    const guarded = new Guarded()
    await guarded.push('ab')
    guarded.fail()
    const held = await guarded.push('a')
    guarded.fail()
    await clock.advance(60_000)
    expect(guarded.heard).toEqual(['ab', DOWN, LOST, DOWN])
    await guarded.push(held)
    await clock.advance(1_000)
    expect(guarded.heard).toEqual(['ab', DOWN, LOST, DOWN, LOST, 'a'])
  })

  it('are held back for as long as the token may not read them', async () => {
    const guarded = new Guarded()
    await guarded.push('ab')
    guarded.fate = 'denied'
    await guarded.push('a')
    await clock.advance(3_000)
    expect(guarded.heard).toEqual(['ab', DENIED, DENIED, DENIED, DENIED])
    guarded.fate = 'deleted'
    await clock.advance(1_000)
    expect(guarded.heard.at(-1)).toBe('a')
  })

  it('are nothing to hold back for when more came and none went', async () => {
    const guarded = new Guarded()
    await guarded.push('a')
    guarded.fail()
    await guarded.push('ab')
    expect(guarded.heard).toEqual(['a', DOWN, 'ab'])
  })

  it('are proven for themselves: what goes while Consul is asked is asked for next', async () => {
    const guarded = new Guarded()
    await guarded.push('abc')
    let answer: (fate: Fate) => void = () => undefined
    guarded.fate = new Promise((resolve) => (answer = resolve))
    await guarded.push('ab')
    await guarded.push('a')
    guarded.fate = 'lost'
    answer('deleted')
    await settle()
    expect(guarded.asked.map(({ keys }) => keys)).toEqual([['a/c'], ['a/b']])
    expect(guarded.heard).toEqual(['abc', LOST])
  })

  it('are no loss when they are back before the answer', async () => {
    const guarded = new Guarded()
    await guarded.push('ab')
    let answer: (fate: Fate) => void = () => undefined
    guarded.fate = new Promise((resolve) => (answer = resolve))
    await guarded.push('a')
    await guarded.push('ab')
    answer('lost')
    await settle()
    expect(guarded.heard).toEqual(['ab', 'ab'])
    expect(clock.pendingTimers).toBe(0)
  })

  it('are believed at once without a guard', async () => {
    const guarded = new Guarded({ holdMs: 0 })
    await guarded.push('a')
    guarded.fail()
    await guarded.push('')
    expect(guarded.heard).toEqual(['a', DOWN, ''])
    expect(guarded.asked).toEqual([])
  })
})

describe('an outage', () => {
  it('is over when the store still holds what it held', async () => {
    const guarded = new Guarded()
    const state = await guarded.push('ab')
    guarded.fail()
    await guarded.push(state)
    await guarded.push('a')
    expect(guarded.heard).toEqual(['ab', DOWN, 'ab', 'a'])
  })
})

describe('what an earlier run knew', () => {
  const known = { entries: [{ key: 'a/a' }, { key: 'a/b' }], index: 7, isEarlierRun: true }

  it('is asked for when it is not there, as of that run', async () => {
    const guarded = new Guarded({ known })
    await guarded.push('a')
    expect(guarded.asked).toEqual([{ keys: ['a/b'], since: 7, isEarlierRun: true }])
    expect(guarded.heard).toEqual(['a'])
  })

  it('is held back for when it is lost, or when an outage came before the first answer', async () => {
    const lost = new Guarded({ known })
    lost.fate = 'lost'
    await lost.push('')
    const interrupted = new Guarded({ known })
    interrupted.fail()
    await interrupted.push('')
    expect(lost.heard).toEqual([LOST])
    expect(interrupted.heard).toEqual([DOWN, LOST])
    expect(interrupted.asked).toEqual([])
  })

  it('makes a token fail that may read none of it, and only doubts one that may read a part', async () => {
    const none = new Guarded({ known })
    none.fate = 'denied'
    await none.push('')
    const part = new Guarded({ known })
    part.fate = 'denied'
    await part.push('a')
    expect(none.heard).toEqual(['failed PROCONSUL_PERMISSION_DENIED'])
    expect(part.heard).toEqual([DENIED])
  })
})

describe('a first look at nothing', () => {
  it('is believed when the layers may be read', async () => {
    const guarded = new Guarded()
    await guarded.push('')
    expect(guarded.heard).toEqual([''])
  })

  it.each([
    ['none of the layers may be read by name', true, false],
    ['the agent says that it left something out', false, true],
  ])('is a failure when %s', async (_what, isNoneReadable, isFiltered) => {
    const guarded = new Guarded()
    guarded.isNoneReadable = isNoneReadable
    await guarded.push('', { isFiltered })
    expect(guarded.heard).toEqual(['failed PROCONSUL_PERMISSION_DENIED'])
    guarded.isNoneReadable = false
    await guarded.push('a')
    expect(guarded.heard.at(-1)).toBe('a')
  })

  it('is no question where something must be there: that is waited for anyway', async () => {
    const guarded = new Guarded({}, false)
    guarded.isNoneReadable = true
    await guarded.push('')
    expect(guarded.heard).toEqual([''])
  })

  it('is none when something is there, though the agent left something else out', async () => {
    const guarded = new Guarded()
    await guarded.push('a', { isFiltered: true })
    expect(guarded.heard).toEqual(['a'])
  })
})

describe('a guard', () => {
  it('leaves nothing behind when it is closed, also while it holds or asks', async () => {
    const holding = new Guarded()
    await holding.push('a')
    holding.fail()
    await holding.push('')
    await holding.hold.close()
    const asking = new Guarded()
    await asking.push('a')
    let answer: (fate: Fate) => void = () => undefined
    asking.fate = new Promise((resolve) => (answer = resolve))
    await asking.push('')
    await asking.hold.close()
    answer('deleted')
    await clock.advance(10_000)
    expect(holding.heard).toEqual(['a', DOWN, LOST])
    expect(asking.heard).toEqual(['a'])
    expect(holding.isClosed).toBe(true)
    expect(clock.pendingTimers).toBe(0)
  })

  it('does not give in while it is paused', async () => {
    const guarded = new Guarded()
    await guarded.push('a')
    guarded.fail()
    const held = await guarded.push('')
    guarded.hold.pause?.()
    await clock.advance(10_000)
    expect(guarded.isPaused).toBe(true)
    expect(guarded.heard.at(-1)).toBe(LOST)
    guarded.hold.resume?.()
    await guarded.push(held)
    await clock.advance(1_000)
    expect(guarded.heard.at(-1)).toBe('')
  })
})

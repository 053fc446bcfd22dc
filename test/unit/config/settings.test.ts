import { describe, expect, it } from 'vitest'
import { settle } from '../../support/fake-clock.js'
import type { Settings } from '../../../src/config/settings.js'
import type { TreeObject } from '../../../src/config/tree/tree.js'
import { Harness } from './harness.js'

describe('changes', () => {
  it('are applied when the keys have been quiet, as one', async () => {
    const harness = new Harness({ debounce: '100ms' })
    const settings = await harness.open()
    const seen: unknown[] = []
    settings.on('change', ({ value, previous, paths }) => seen.push([value, previous, paths]))
    await harness.push({ 'a/x': '2' })
    await harness.clock.advance(60)
    await harness.push({ 'a/x': '3' })
    await harness.clock.advance(299)
    expect(seen).toEqual([])
    await harness.clock.advance(1)
    expect(seen).toEqual([[{ x: '3' }, { x: '1' }, ['x']]])
  })

  it('are applied at the latest after ten times the debounce', async () => {
    const harness = new Harness({ debounce: '400ms' })
    const settings = await harness.open()
    for (let push = 0; push < 20; push += 1) {
      await harness.push({ 'a/x': `${push}` })
      await harness.clock.advance(200)
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
    await harness.clock.advance(2_000)
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

function heard(settings: Settings<TreeObject>): string[] {
  const seen: string[] = []
  for (const name of ['stale', 'recovered', 'change', 'rejected', 'error'] as const)
    settings.on(name, () => seen.push(name))
  return seen
}

describe('an outage', () => {
  it('marks the value stale once, with an error for each of its kinds, and ends with the next good read', async () => {
    const harness = new Harness({ debounce: 0 })
    const settings = await harness.open()
    const seen = heard(settings)
    await harness.fail()
    await harness.fail('PROCONSUL_TIMEOUT')
    expect(settings.staleness).toMatchObject({ since: harness.clock.now(), error: { code: 'PROCONSUL_TIMEOUT' } })
    await harness.confirm()
    expect(settings.stale).toBe(false)
    expect(seen).toEqual(['error', 'stale', 'error', 'recovered'])
  })

  it('tells of its end before the change that it held back', async () => {
    const harness = new Harness({ debounce: '100ms' })
    const settings = await harness.open()
    const seen = heard(settings)
    await harness.fail()
    await harness.push({ 'a/x': '2' })
    expect(settings.stale).toBe(true)
    await harness.clock.advance(100)
    expect(seen).toEqual(['error', 'stale', 'recovered', 'change'])
  })

  it('that comes before a change is applied shows it when it is over, for nothing newer is known to be right', async () => {
    const harness = new Harness({ debounce: '100ms' })
    const settings = await harness.open()
    const seen = heard(settings)
    await harness.push({ 'a/x': '2' })
    await harness.fail()
    await harness.clock.advance(1_000)
    expect(settings.get('x')).toBe('1')
    await harness.confirm()
    expect(settings.get('x')).toBe('2')
    expect(seen).toEqual(['error', 'stale', 'recovered', 'change'])
  })

  it('that empties the store is held back and stays stale until the guard gives in', async () => {
    const harness = new Harness({ debounce: 0, optional: true, lossGuard: { hold: '30s' } })
    const settings = await harness.open()
    await harness.fail()
    await harness.push({})
    await harness.confirm()
    expect(settings.stale).toBe(true)
    expect(settings.value).toEqual({ x: '1' })
    await harness.clock.advance(30_000)
    expect(settings.stale).toBe(false)
    expect(settings.value).toEqual({})
  })

  it('does not hide the age of the value: the last read that brought it', async () => {
    const harness = new Harness({ debounce: 0 })
    const settings = await harness.open()
    await harness.clock.advance(5_000)
    await harness.confirm()
    const readAt = harness.clock.now()
    expect(settings.receivedAt).toBe(readAt)
    await harness.clock.advance(5_000)
    await harness.fail()
    expect(settings.receivedAt).toBe(readAt)
    expect(settings.staleness?.receivedAt).toBe(readAt)
  })
})

describe('a layer that must be there and is emptied at run time', () => {
  it('is rejected, for no process could start with it, and comes back without a trace', async () => {
    const harness = new Harness({ debounce: 0 })
    const settings = await harness.open()
    const seen = heard(settings)
    await harness.push({})
    expect(settings.value).toEqual({ x: '1' })
    expect(settings.rejection).toMatchObject({ origin: { layer: 'a' }, error: { code: 'PROCONSUL_NOT_FOUND' } })
    await harness.push({ 'a/x': '1' })
    expect(settings.rejection).toBeUndefined()
    expect(seen).toEqual(['rejected'])
  })

  it('is taken as it is where it may be missing', async () => {
    const harness = new Harness({ debounce: 0, optional: true })
    const settings = await harness.open()
    await harness.push({})
    expect(settings.value).toEqual({})
  })
})

describe('the log', () => {
  it('has one line for each turn of events', async () => {
    const harness = new Harness({ debounce: 0 })
    await harness.open()
    await harness.confirm()
    await harness.push({ 'a/x': '1', 'a/x/y': '2' })
    await harness.push({})
    await harness.push({ 'a/x': '2' })
    const events = harness.logger.entries.map(({ fields }) => fields['event'])
    expect(events).toEqual(['applied', 'rejected', 'layers-missing', 'applied'])
  })

  it('never shows a secret', async () => {
    const schema = (tree: TreeObject): TreeObject => {
      if (tree['password'] !== 'good') throw new Error(`bad ${JSON.stringify(tree['password'])}`)
      return tree
    }
    const harness = new Harness({ debounce: 0, secrets: ['password'], schema })
    await harness.open({ 'a/password': 'good' })
    await harness.push({ 'a/password': 'hunter2' })
    expect(harness.settings.rejection).toBeDefined()
    expect(JSON.stringify(harness.logger.entries.map((entry) => [entry, String(entry.fields['err'])]))).not.toContain(
      'hunter2',
    )
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
    expect(harness.logger.messages('error').length).toBe(3)
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

  it('yields the present value and then the latest, until it is closed', async () => {
    const harness = new Harness({ debounce: 0 })
    const settings = await harness.open()
    const values = settings[Symbol.asyncIterator]()
    expect((await values.next()).value).toEqual({ x: '1' })
    await harness.push({ 'a/x': '2' })
    await harness.push({ 'a/x': '3' })
    expect((await values.next()).value).toEqual({ x: '3' })
    await settings.close()
    expect((await values.next()).done).toBe(true)
  })

  it('is closed by the signal that its opening was given', async () => {
    const controller = new AbortController()
    const harness = new Harness({ debounce: 0, signal: controller.signal })
    const settings = await harness.open()
    let isClosed = false
    settings.on('closed', () => (isClosed = true))
    controller.abort()
    await settle()
    expect(isClosed).toBe(true)
    expect(harness.isSourceClosed).toBe(true)
  })

  it('says how much each layer holds', async () => {
    const settings = await new Harness({ layers: ['a', 'b'], optional: true }).open({ 'a/x': '1', 'a/y': '2' })
    expect(settings.layers).toEqual([
      { path: 'a', keys: 2 },
      { path: 'b', keys: 0 },
    ])
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
    await harness.clock.advance(10_000)
    expect(seen).toEqual(['closed'])
    expect(settings.value).toEqual({ x: '1' })
    expect([harness.isSourceClosed, harness.clock.pendingTimers]).toEqual([true, 0])
  })
})

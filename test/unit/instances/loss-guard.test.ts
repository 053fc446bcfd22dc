import { describe, expect, it } from 'vitest'
import { shrinkGuard } from '../../../../src/discovery/sources/shrink-guard.js'
import { FakeClock, settle } from '../../../support/fake-clock.js'
import { runtimeOn, ScriptedSource, ToldList } from './scripted-source.js'

const FIVE = ['a', 'b', 'c', 'd', 'e']

function guarded(confirm: () => Promise<readonly string[]>, saved?: readonly string[]) {
  const clock = new FakeClock()
  const source = new ScriptedSource()
  const told = new ToldList()
  const options = { share: 0.5, atLeast: 4, holdMs: 10_000 }
  const guard = shrinkGuard(source, { runtime: runtimeOn(clock), options, key: (item) => item, confirm })
  const hold = guard.subscribe(told, () => saved)
  return { clock, source, heard: told, told: told.told, hold }
}

describe('the guard against a sudden loss', () => {
  it('lets through what grows, and what shrinks by half or less', () => {
    const { source, told } = guarded(() => Promise.resolve([]))
    source.value(FIVE.slice(0, 4))
    source.value(['a', 'b'])
    source.value(FIVE)
    expect(told).toEqual(['value a,b,c,d', 'value a,b', 'value a,b,c,d,e'])
  })

  it('does not doubt short lists', () => {
    const { source, told } = guarded(() => Promise.resolve([]))
    source.value(['a', 'b', 'c'])
    source.value([])
    expect(told).toEqual(['value a,b,c', 'value '])
  })

  it('believes a loss as soon as the leader confirms it', async () => {
    const { clock, source, told } = guarded(() => Promise.resolve(['a']))
    source.value(FIVE)
    source.value(['a'])
    expect(told).toEqual(['value a,b,c,d,e', 'doubt'])
    await settle()
    expect(told.slice(2)).toEqual(['value a'])
    expect(clock.pendingTimers).toBe(0)
  })

  it('holds a loss that the leader denies, or that cannot be confirmed, three times as long and no longer', async () => {
    for (const confirm of [() => Promise.resolve(FIVE), () => Promise.reject(new Error('no leader'))]) {
      const { clock, source, told } = guarded(confirm)
      source.value(FIVE)
      source.value(['a'])
      await clock.advance(29_999)
      expect(told).toEqual(['value a,b,c,d,e', 'doubt'])
      await clock.advance(1)
      expect(told.slice(2)).toEqual(['value a'])
      expect(clock.pendingTimers).toBe(0)
    }
  })

  it('forgets the loss when the instances come back meanwhile', async () => {
    const { clock, source, told } = guarded(() => Promise.resolve(FIVE))
    source.value(FIVE)
    source.value([])
    await clock.advance(1_000)
    source.value(FIVE.slice(0, 4))
    await clock.advance(60_000)
    expect(told).toEqual(['value a,b,c,d,e', 'doubt', 'value a,b,c,d'])
  })

  it('gives services time to come back when the registry has lost its state, whatever the leader says', async () => {
    const { clock, source, told } = guarded(() => Promise.resolve([]))
    source.value(FIVE, { index: 388 })
    source.value([], { index: 12 })
    await clock.advance(9_000)
    expect(told).toEqual(['value a,b,c,d,e', 'doubt'])
    source.value(['a'], { index: 14 })
    await clock.advance(1_000)
    expect(told.slice(2)).toEqual(['value a'])
  })

  it('does not call it recovered while it is in doubt', async () => {
    const { source, told } = guarded(() => new Promise(() => undefined))
    source.value(FIVE, { index: 388 })
    source.failure()
    source.recovery([])
    source.value([], { index: 12 })
    await settle()
    expect(told).toEqual(['value a,b,c,d,e', 'failure PROCONSUL_UNAVAILABLE', 'doubt'])
  })

  it('gives services time to come back when most are gone in the first list after a failure, also when no index shows why', async () => {
    const { clock, source, told } = guarded(() => Promise.resolve([]))
    source.value(FIVE, { index: 18 })
    source.failure()
    source.recovery([])
    source.value([], { index: 52 })
    await clock.advance(9_999)
    expect(told.slice(1)).toEqual(['failure PROCONSUL_UNAVAILABLE', 'doubt'])
    await clock.advance(1)
    expect(told.slice(3)).toEqual(['value '])
  })

  it('believes a confirmed loss at once again when the first list after a failure was whole', async () => {
    const { source, told } = guarded(() => Promise.resolve([]))
    source.value(FIVE)
    source.failure()
    source.recovery(FIVE)
    source.value([])
    await settle()
    expect(told.slice(1)).toEqual(['failure PROCONSUL_UNAVAILABLE', 'recovery', 'doubt', 'value '])
  })

  it('gives services time to come back when the first answer lacks most of a saved list that is shown', async () => {
    const { clock, source, told } = guarded(() => Promise.resolve([]), FIVE)
    source.value([])
    await clock.advance(9_999)
    expect(told).toEqual(['doubt'])
    await clock.advance(1)
    expect(told).toEqual(['doubt', 'value '])
  })

  it('tells nothing while it is paused, and goes by what Consul says when it goes on', async () => {
    let known: readonly string[] = []
    const { clock, source, told, hold } = guarded(() => Promise.resolve(known))
    source.value(FIVE, { index: 388 })
    source.value([], { index: 12 })
    await clock.advance(9_999)
    hold.pause()
    expect(source.isPaused).toBe(true)
    expect(clock.pendingTimers).toBe(0)
    await clock.advance(600_000)
    known = FIVE
    hold.resume()
    await clock.advance(1_000)
    source.value(FIVE)
    await clock.advance(60_000)
    expect(told).toEqual(['value a,b,c,d,e', 'doubt', 'value a,b,c,d,e'])
  })

  it('never lets the time of a loss run out while Consul cannot be asked', async () => {
    const { clock, source, told } = guarded(() => Promise.resolve([]))
    source.value(FIVE, { index: 388 })
    source.value([], { index: 12 })
    await clock.advance(4_000)
    source.failure()
    expect(clock.pendingTimers).toBe(0)
    await clock.advance(600_000)
    expect(told).toEqual(['value a,b,c,d,e', 'doubt', 'failure PROCONSUL_UNAVAILABLE'])
    source.recovery([])
    await clock.advance(5_999)
    expect(told.slice(3)).toEqual(['doubt'])
    await clock.advance(1)
    expect(told.slice(4)).toEqual(['value '])
  })

  it('goes on with the time after an outage or a pause, whether or not the loss is another one by then', async () => {
    for (const [interruption, items] of [['outage', ['a']] as const, ['pause', []] as const]) {
      const { clock, source, told, hold } = guarded(() => Promise.resolve([]))
      source.value(FIVE, { index: 388 })
      source.value([], { index: 12 })
      await clock.advance(4_000)
      if (interruption === 'outage') source.failure()
      else hold.pause()
      await clock.advance(600_000)
      if (interruption === 'outage') source.value(items)
      else hold.resume()
      await clock.advance(5_999)
      expect(told.at(-1)).not.toMatch(/^value/)
      await clock.advance(1)
      expect(told.at(-1)).toBe(`value ${items.join()}`)
    }
  })

  it('shows what came back in an outage in which a loss was held', () => {
    const { clock, source, told } = guarded(() => Promise.resolve([]))
    source.value(FIVE, { index: 388 })
    source.value([], { index: 12 })
    source.failure()
    source.recovery(FIVE.slice(0, 4))
    source.value(FIVE.slice(0, 4))
    expect(told.slice(3)).toEqual(['value a,b,c,d'])
    expect(clock.pendingTimers).toBe(0)
  })

  it('does not believe a loss on a question that was asked before an outage', async () => {
    let answer: (items: readonly string[]) => void = () => undefined
    const { clock, source, told } = guarded(() => new Promise((resolve) => (answer = resolve)))
    source.value(FIVE)
    source.value([])
    source.failure()
    answer([])
    await clock.advance(1)
    expect(told).toEqual(['value a,b,c,d,e', 'doubt', 'failure PROCONSUL_UNAVAILABLE'])
  })

  it('says when the list that it keeps was last confirmed', async () => {
    const { clock, source, hold } = guarded(() => Promise.resolve([]))
    source.value(FIVE, { index: 388 })
    source.value([], { index: 12 })
    source.confirmedAt = 12
    expect(hold.confirmedAt).toBe(388)
    await clock.advance(10_000)
    expect(hold.confirmedAt).toBe(12)
  })

  it('tells nothing more when it is closed or paused because of the doubt', async () => {
    for (const end of ['close', 'pause'] as const) {
      const { clock, source, hold, heard } = guarded(() => Promise.resolve(['a']))
      heard.onDoubt = () => {
        void hold[end]()
      }
      source.value(FIVE)
      source.value(['a'])
      await clock.advance(60_000)
      expect([heard.told, clock.pendingTimers]).toEqual([['value a,b,c,d,e'], 0])
    }
  })

  it('leaves no timer and no read behind when it is closed', async () => {
    const { clock, source, told, hold } = guarded(() => new Promise(() => undefined))
    source.value(FIVE)
    source.value([])
    await hold.close()
    expect(clock.pendingTimers).toBe(0)
    source.value(['a'])
    expect(told).toEqual(['value a,b,c,d,e', 'doubt'])
  })
})

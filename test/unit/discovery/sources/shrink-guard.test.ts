import { describe, expect, it } from 'vitest'
import { shrinkGuard } from '../../../../src/discovery/sources/shrink-guard.js'
import { FakeClock, settle } from '../../../support/fake-clock.js'
import { runtimeOn, ScriptedSource, ToldList } from './scripted-source.js'

const FIVE = ['a', 'b', 'c', 'd', 'e']

function guarded(confirm: () => Promise<readonly string[]>) {
  const clock = new FakeClock()
  const source = new ScriptedSource()
  const told = new ToldList()
  const options = { share: 0.5, atLeast: 4, holdMs: 10_000 }
  const guard = shrinkGuard(source, { runtime: runtimeOn(clock), options, key: (item) => item, confirm })
  const hold = guard.subscribe(told)
  return { clock, source, told: told.told, hold }
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

  it('holds a loss that the leader denies, or that cannot be confirmed, for a bounded time', async () => {
    for (const confirm of [() => Promise.resolve(FIVE), () => Promise.reject(new Error('no leader'))]) {
      const { clock, source, told } = guarded(confirm)
      source.value(FIVE)
      source.value(['a'])
      await clock.advance(9_999)
      expect(told).toEqual(['value a,b,c,d,e', 'doubt'])
      await clock.advance(1)
      expect(told.slice(2)).toEqual(['value a'])
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

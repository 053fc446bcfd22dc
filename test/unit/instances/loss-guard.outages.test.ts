import { describe, expect, it } from 'vitest'
import { settle } from '../../support/fake-clock.js'
import { FIVE, guarded, WIPED } from './guarded-list.js'

describe('a registry that may have lost its state', () => {
  it('gives services time to come back, whatever it confirms', async () => {
    const { clock, source, told } = guarded(() => Promise.resolve([]))
    source.value(FIVE)
    source.value([], WIPED)
    await clock.advance(9_000)
    expect(told).toEqual(['value a,b,c,d,e', 'doubt'])
    source.value(['a'])
    await clock.advance(1_000)
    expect(told.slice(2)).toEqual(['value a'])
  })

  it('is doubted with a short list too', async () => {
    for (const known of [['a'], ['a', 'b'], ['a', 'b', 'c']]) {
      const { clock, source, told } = guarded(() => Promise.resolve([]))
      source.value(known)
      source.value([], WIPED)
      await clock.advance(9_999)
      expect(told).toEqual([`value ${known.join()}`, 'doubt'])
      await clock.advance(1)
      expect(told.slice(2)).toEqual(['value '])
    }
  })

  it('is doubted with a short list as with a long one, and believed when half of it is left', () => {
    const { source, told } = guarded(() => Promise.resolve([]))
    source.value(['a', 'b', 'c'])
    source.value(['a'], WIPED)
    source.value(['a', 'b'])
    source.value(['a'], WIPED)
    expect(told).toEqual(['value a,b,c', 'doubt', 'value a,b', 'value a'])
  })

  it('is believed when nothing was known of it', () => {
    const { source, told } = guarded(() => Promise.resolve([]))
    source.value([], WIPED)
    source.failure()
    source.value([])
    expect(told).toEqual(['value ', 'failure PROCONSUL_UNAVAILABLE', 'value '])
  })

  it('gives services time when most are gone in the first list after a failure, also when the source calls it continuous', async () => {
    const { clock, source, told } = guarded(() => Promise.resolve([]))
    source.value(FIVE)
    source.failure()
    source.value([])
    await clock.advance(9_999)
    expect(told.slice(1)).toEqual(['failure PROCONSUL_UNAVAILABLE', 'doubt'])
    await clock.advance(1)
    expect(told.slice(3)).toEqual(['value '])
  })

  it('is over once the first list after a failure was whole: a confirmed loss is believed at once again', async () => {
    const { source, told } = guarded(() => Promise.resolve([]))
    source.value(FIVE)
    source.failure()
    source.again()
    source.value([])
    await settle()
    expect(told.slice(1)).toEqual(['failure PROCONSUL_UNAVAILABLE', 'value a,b,c,d,e', 'doubt', 'value '])
  })

  it('shows itself while a loss is held: what was asked before does not count', async () => {
    let answer: (ids: readonly string[]) => void = () => undefined
    const { clock, source, told } = guarded(() => new Promise((resolve) => (answer = resolve)))
    source.value(FIVE)
    source.value(['a'])
    source.value([], WIPED)
    answer([])
    await clock.advance(9_998)
    expect(told).toEqual(['value a,b,c,d,e', 'doubt'])
    await clock.advance(2)
    answer([])
    await settle()
    expect(told.slice(2)).toEqual(['value '])
  })

  it('stays one for the loss that is held, whatever the source says next', async () => {
    const { clock, source, told } = guarded(() => Promise.resolve([]))
    source.value(['a', 'b', 'c'])
    source.value([], WIPED)
    source.again()
    await clock.advance(9_999)
    expect(told.slice(1)).toEqual(['doubt'])
  })
})

describe('the time of a loss', () => {
  it('stands still while it is paused, and goes by what is known when it goes on', async () => {
    let known: readonly string[] = []
    const { clock, source, told, hold } = guarded(() => Promise.resolve(known))
    source.value(FIVE)
    source.value([], WIPED)
    await clock.advance(9_999)
    hold.pause?.()
    expect(source.isPaused).toBe(true)
    expect(clock.pendingTimers).toBe(0)
    await clock.advance(600_000)
    known = FIVE
    hold.resume?.()
    expect(source.isPaused).toBe(false)
    await clock.advance(1_000)
    source.value(FIVE)
    await clock.advance(60_000)
    expect(told).toEqual(['value a,b,c,d,e', 'doubt', 'value a,b,c,d,e'])
  })

  it('never runs out while the source cannot be read', async () => {
    const { clock, source, told } = guarded(() => Promise.resolve([]))
    source.value(FIVE)
    source.value([], WIPED)
    await clock.advance(4_000)
    source.failure()
    expect(clock.pendingTimers).toBe(0)
    await clock.advance(600_000)
    expect(told).toEqual(['value a,b,c,d,e', 'doubt', 'failure PROCONSUL_UNAVAILABLE'])
    source.again()
    await clock.advance(5_999)
    expect(told.slice(3)).toEqual(['doubt'])
    await clock.advance(1)
    expect(told.slice(4)).toEqual(['value '])
  })

  it('does not begin to run when a pause ends while the source cannot be read', async () => {
    const { clock, source, hold } = guarded(() => Promise.resolve([]))
    source.value(FIVE)
    source.value([], WIPED)
    source.failure()
    hold.pause?.()
    hold.resume?.()
    expect(clock.pendingTimers).toBe(0)
    await settle()
  })

  it('goes on after an outage or a pause, whether or not the loss is another one by then', async () => {
    for (const [interruption, items] of [['outage', ['a']] as const, ['pause', []] as const]) {
      const { clock, source, told, hold } = guarded(() => Promise.resolve([]))
      source.value(FIVE)
      source.value([], WIPED)
      await clock.advance(4_000)
      if (interruption === 'outage') source.failure()
      else hold.pause?.()
      await clock.advance(600_000)
      if (interruption === 'outage') source.value(items)
      else hold.resume?.()
      await clock.advance(5_999)
      expect(told.at(-1)).not.toMatch(/^value/)
      await clock.advance(1)
      expect(told.at(-1)).toBe(`value ${items.join()}`)
    }
  })

  it('is not told of at every read of the same loss', () => {
    const { source, told } = guarded(() => new Promise(() => undefined))
    source.value(FIVE)
    source.value([])
    source.again()
    source.again()
    expect(told).toEqual(['value a,b,c,d,e', 'doubt'])
  })

  it('ends with what came back in an outage', () => {
    const { clock, source, told } = guarded(() => Promise.resolve([]))
    source.value(FIVE)
    source.value([], WIPED)
    source.failure()
    source.value(FIVE.slice(0, 4))
    expect(told.slice(3)).toEqual(['value a,b,c,d'])
    expect(clock.pendingTimers).toBe(0)
  })

  it('does not end by a question that was asked before an outage', async () => {
    let answer: (items: readonly string[]) => void = () => undefined
    const { clock, source, told } = guarded(() => new Promise((resolve) => (answer = resolve)))
    source.value(FIVE)
    source.value([])
    source.failure()
    answer([])
    await clock.advance(1)
    expect(told).toEqual(['value a,b,c,d,e', 'doubt', 'failure PROCONSUL_UNAVAILABLE'])
  })
})

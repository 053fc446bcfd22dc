import { describe, expect, it } from 'vitest'
import { settle } from '../../support/fake-clock.js'
import { FIVE, guarded, WIPED } from './guarded-list.js'

describe('the guard against a sudden loss', () => {
  it('has the label of what it guards', () => {
    expect(guarded().guard.label).toBe('web')
  })

  it('lets through what grows, what stays, and what shrinks by half or less', () => {
    const { source, told } = guarded(() => Promise.resolve([]))
    source.value(FIVE.slice(0, 4))
    source.value(['a', 'b'])
    source.value(FIVE)
    source.again()
    expect(told).toEqual(['value a,b,c,d', 'value a,b', 'value a,b,c,d,e', 'value a,b,c,d,e'])
  })

  it('lets through as many others: nothing was lost then', () => {
    const { source, told } = guarded(() => Promise.resolve([]))
    source.value(FIVE.slice(0, 4))
    source.value(['w', 'x', 'y', 'z'])
    expect(told).toEqual(['value a,b,c,d', 'value w,x,y,z'])
  })

  it('does not doubt lists that are shorter than told, from one read to the next', () => {
    const { source, told } = guarded(() => Promise.resolve([]))
    source.value(['a', 'b', 'c'])
    source.value([])
    expect(told).toEqual(['value a,b,c', 'value '])
  })

  it('doubts lists from that length on', () => {
    const { source, told } = guarded(() => new Promise(() => undefined))
    source.value(['a', 'b', 'c', 'd'])
    source.value(['a'])
    expect(told).toEqual(['value a,b,c,d', 'doubt'])
  })

  it('doubts with a share of 1 only the loss of everything', () => {
    const { source, told } = guarded(() => new Promise(() => undefined), { options: { share: 1 } })
    source.value(FIVE)
    source.value(['a'])
    source.value(FIVE)
    source.value([])
    expect(told).toEqual(['value a,b,c,d,e', 'value a', 'value a,b,c,d,e', 'doubt'])
  })

  it('counts who is gone, not how many there are', () => {
    const { source, told } = guarded(() => new Promise(() => undefined))
    source.value(FIVE)
    source.value(['a', 'b', 'x', 'y'])
    expect(told).toEqual(['value a,b,c,d,e', 'doubt'])
  })

  it('believes a loss as soon as it is confirmed', async () => {
    const { clock, source, told } = guarded(() => Promise.resolve(['a']))
    source.value(FIVE)
    source.value(['a'])
    expect(told).toEqual(['value a,b,c,d,e', 'doubt'])
    await settle()
    expect(told.slice(2)).toEqual(['value a'])
    expect(clock.pendingTimers).toBe(0)
  })

  it('says in its doubt how many are gone', () => {
    const { source, heard } = guarded(() => new Promise(() => undefined))
    const reasons: string[] = []
    heard.onDoubt = (error?: Error) => void reasons.push(error?.message ?? '')
    source.value(FIVE)
    source.value(['a'])
    expect(reasons).toEqual(['web: 4 of 5 instances are gone at once; they are kept until that is certain'])
  })

  it('holds a loss that is denied, or that cannot be confirmed, three times as long and no longer', async () => {
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

  it('holds a loss once as long when the source cannot confirm anything', async () => {
    const { clock, source, told } = guarded()
    source.value(FIVE)
    source.value(['a'])
    await clock.advance(9_999)
    expect(told).toEqual(['value a,b,c,d,e', 'doubt'])
    await clock.advance(1)
    expect(told.slice(2)).toEqual(['value a'])
    expect(clock.pendingTimers).toBe(0)
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

  it('measures the next loss against what was believed last', async () => {
    const { source, told } = guarded(() => new Promise(() => undefined))
    source.value(FIVE)
    source.value(['a', 'b', 'c'])
    source.value(['a'])
    expect(told).toEqual(['value a,b,c,d,e', 'value a,b,c', 'value a'])
    await settle()
  })
})

describe('a start with a saved list', () => {
  it('gives services time when the first answer lacks most of it', async () => {
    const { clock, source, told } = guarded(() => Promise.resolve([]), { saved: FIVE })
    source.value([])
    await clock.advance(9_999)
    expect(told).toEqual(['doubt'])
    await clock.advance(1)
    expect(told).toEqual(['doubt', 'value '])
  })

  it('does so with a short list as well', async () => {
    const { clock, source, told } = guarded(() => Promise.resolve([]), { saved: ['a', 'b'] })
    source.value([])
    await clock.advance(9_999)
    expect(told).toEqual(['doubt'])
  })

  it('takes the first answer that has most of it', () => {
    const { source, told } = guarded(() => Promise.resolve([]), { saved: FIVE })
    source.value(FIVE.slice(0, 3))
    expect(told).toEqual(['value a,b,c'])
  })

  it('counts the saved list no more once something was believed', () => {
    const { source, told } = guarded(() => new Promise(() => undefined), { saved: FIVE })
    source.value(FIVE.slice(0, 3))
    source.value([])
    expect(told).toEqual(['value a,b,c', 'value '])
  })
})

describe('credentials that do not show the instances any more', () => {
  const hidden = { emptyReason: 'filtered-by-acl' } as const

  it('are a failure, and the last list stays however long it lasts', async () => {
    const { clock, source, told } = guarded(() => Promise.resolve([]))
    source.value(['a'])
    source.value([], hidden)
    source.again()
    await clock.advance(600_000)
    expect(told).toEqual(['value a', 'failure PROCONSUL_PERMISSION_DENIED', 'failure PROCONSUL_PERMISSION_DENIED'])
    source.value(['a'])
    expect(told.at(-1)).toBe('value a')
  })

  it('stop the time of a loss that is held', async () => {
    const { clock, source, told } = guarded(() => Promise.resolve([]))
    source.value(FIVE)
    source.value([], WIPED)
    source.value([], hidden)
    await clock.advance(600_000)
    expect(told).toEqual(['value a,b,c,d,e', 'doubt', 'failure PROCONSUL_PERMISSION_DENIED'])
    expect(clock.pendingTimers).toBe(0)
  })

  it('count against a saved list too', () => {
    const { source, told } = guarded(undefined, { saved: ['a'] })
    source.value([], hidden)
    expect(told).toEqual(['failure PROCONSUL_PERMISSION_DENIED'])
  })

  it('are told as they are when nothing was known', () => {
    const { source, told } = guarded()
    source.value([], hidden)
    expect(told).toEqual(['value '])
  })
})

describe('the end of the guard', () => {
  it('comes at once when it is closed or paused because of the doubt', async () => {
    for (const end of ['close', 'pause'] as const) {
      const { clock, source, hold, heard } = guarded(() => Promise.resolve(['a']))
      heard.onDoubt = () => {
        void hold[end]?.()
      }
      source.value(FIVE)
      source.value(['a'])
      await clock.advance(60_000)
      expect(heard.told).toEqual(['value a,b,c,d,e'])
      expect(clock.pendingTimers).toBe(0)
    }
  })

  it('leaves no timer and no read behind, and tells nothing more', async () => {
    const { clock, source, told, hold } = guarded(() => new Promise(() => undefined))
    source.value(FIVE)
    source.value([])
    await hold.close()
    expect(clock.pendingTimers).toBe(0)
    expect(source.isClosed).toBe(true)
    source.value(['a'])
    source.failure()
    source.doubt()
    source.saved(['a'], 1)
    source.problem()
    expect(told).toEqual(['value a,b,c,d,e', 'doubt'])
  })

  it('passes on everything else', () => {
    const { source, told, hold } = guarded()
    source.saved(['a'], 7)
    source.problem()
    source.doubt()
    hold.refresh?.()
    expect(told).toEqual(['saved a at 7', 'problem PROCONSUL_CACHE_FAILED', 'doubt'])
    expect(source.refreshes).toBe(1)
  })
})

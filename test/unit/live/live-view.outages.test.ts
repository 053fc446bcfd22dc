import { describe, expect, it } from 'vitest'
import { settle } from '../../support/fake-clock.js'
import { played } from './played-source.js'

describe('an outage', () => {
  it('is told once at its begin and once at its end, whatever fails in between', async () => {
    const { source, view, told, events } = played()
    await settle()
    source.value('a')
    source.failure()
    source.failure()
    expect(view.stale).toBe(true)
    expect(view.failure?.code).toBe('PROCONSUL_UNAVAILABLE')
    source.value('a')
    expect(view.failure).toBeUndefined()
    expect(told).toEqual(['change >a', 'error PROCONSUL_UNAVAILABLE', 'stale PROCONSUL_UNAVAILABLE', 'recovered'])
    expect(events()).toEqual(['stale', 'recovered'])
  })

  it('tells another error when its code changes, and is stale only once', async () => {
    const { source, view, told } = played()
    await settle()
    source.value('a')
    source.failure()
    source.failure('PROCONSUL_NO_LEADER')
    source.failure('PROCONSUL_NO_LEADER')
    source.failure()
    expect(told.slice(1)).toEqual([
      'error PROCONSUL_UNAVAILABLE',
      'stale PROCONSUL_UNAVAILABLE',
      'error PROCONSUL_NO_LEADER',
      'error PROCONSUL_UNAVAILABLE',
    ])
    expect(view.staleness?.error.code).toBe('PROCONSUL_UNAVAILABLE')
  })

  it('is told again when there is another one', async () => {
    const { source, told } = played()
    await settle()
    source.value('a')
    for (let outage = 0; outage < 2; outage += 1) {
      source.failure()
      source.value('a')
    }
    expect(told.filter((line) => line === 'recovered')).toHaveLength(2)
    expect(told.filter((line) => line.startsWith('error'))).toHaveLength(2)
  })

  it('says since when the value may be out of date, when it was last right, and for how long it was not', async () => {
    const { clock, source, view } = played()
    const seen: unknown[] = []
    view.on('stale', (staleness) => void seen.push(staleness))
    view.on('recovered', (recovery) => void seen.push(recovery))
    await settle()
    source.value('a', 5)
    await clock.advance(100)
    source.failure()
    const since = clock.now()
    await clock.advance(2_500)
    expect(view.staleness).toMatchObject({ since, receivedAt: 5 })
    source.value('a', 9)
    expect(seen).toMatchObject([
      { since, receivedAt: 5, error: { code: 'PROCONSUL_UNAVAILABLE' } },
      { staleForMs: 2_500, receivedAt: 9 },
    ])
    expect(seen.every((payload) => Object.isFrozen(payload))).toBe(true)
  })

  it('never lasts less than nothing, also when the clock was set back', async () => {
    const { clock, source, view } = played()
    const lasted: number[] = []
    view.on('recovered', ({ staleForMs }) => void lasted.push(staleForMs))
    await settle()
    source.value('a')
    source.failure()
    clock.jumpWallTime(-60_000)
    source.value('a')
    expect(lasted).toEqual([0])
  })

  it('has recovered before it tells what changed meanwhile', async () => {
    const { source, told } = played()
    await settle()
    source.value('a')
    source.failure()
    source.value('b')
    expect(told.slice(3)).toEqual(['recovered', 'change a>b'])
  })

  it('before the first answer is an error without stale, logged once as unreadable', async () => {
    const { source, told, events } = played()
    await settle()
    source.failure()
    source.failure()
    source.value('a')
    expect(told).toEqual(['error PROCONSUL_UNAVAILABLE', 'change >a'])
    expect(events()).toEqual(['unreadable'])
  })

  it('tells no change when a listener of the recovery closes the view', async () => {
    const { source, view, told } = played()
    await settle()
    source.value('a')
    source.failure()
    view.on('recovered', () => void view.close())
    source.value('b')
    expect(told.slice(3)).toEqual(['recovered', 'closed', 'onClose'])
  })

  it('is not called stale any more when a listener of its error closes the view', async () => {
    const { source, view, told } = played()
    await settle()
    source.value('a')
    view.on('error', () => void view.close())
    source.failure()
    expect(told.slice(1)).toEqual(['error PROCONSUL_UNAVAILABLE', 'closed', 'onClose'])
  })
})

describe('a doubt', () => {
  it('makes the value stale without being an error, and ends with what is believed', async () => {
    const { source, view, told } = played()
    await settle()
    source.value('a')
    source.doubt()
    expect(view.stale).toBe(true)
    expect(view.failure).toBeUndefined()
    expect(view.staleness?.error.code).toBe('PROCONSUL_CONFLICT')
    source.value('b')
    expect(told).toEqual(['change >a', 'stale PROCONSUL_CONFLICT', 'recovered', 'change a>b'])
  })

  it('ends a failure: the next failure of the same code is told again, and the time goes on', async () => {
    const { source, view, told } = played()
    await settle()
    source.value('a')
    source.failure()
    const since = view.staleness?.since
    source.doubt()
    expect(view.failure).toBeUndefined()
    source.failure()
    expect(view.staleness?.since).toBe(since)
    expect(told.filter((line) => line.startsWith('error'))).toHaveLength(2)
    expect(told.filter((line) => line.startsWith('stale'))).toHaveLength(1)
  })

  it('before the first value leaves the view waiting for one', async () => {
    const { source, view, told } = played()
    await settle()
    source.failure()
    source.doubt()
    expect(view.failure).toBeUndefined()
    expect(told).toEqual(['error PROCONSUL_UNAVAILABLE'])
  })
})

describe('a saved value', () => {
  it('is shown as stale with its age, and only confirmed when it is the same', async () => {
    const { clock, source, view, told, events } = played()
    await settle()
    const savedAt = clock.now() - 60_000
    source.saved('a', savedAt)
    expect(await view.ready()).toBe('a')
    expect(view.staleness).toMatchObject({
      since: savedAt,
      receivedAt: savedAt,
      error: { code: 'PROCONSUL_UNAVAILABLE' },
    })
    source.value('a')
    expect(told).toEqual(['change >a', 'recovered'])
    expect(events()).toEqual(['started-from-cache', 'recovered'])
  })

  it('has the failure before it as its reason', async () => {
    const { source, view } = played()
    await settle()
    source.failure('PROCONSUL_NO_LEADER')
    source.saved('a', 5)
    expect(view.staleness?.error.code).toBe('PROCONSUL_NO_LEADER')
    expect(view.failure?.code).toBe('PROCONSUL_NO_LEADER')
  })

  it('is an answer for whoever waits, also after a failure that cannot be helped', async () => {
    const { source, view } = played()
    const ready = view.ready()
    await settle()
    source.failure('PROCONSUL_PERMISSION_DENIED')
    source.saved('a', 5)
    expect(await ready).toBe('a')
  })

  it('is not used once something newer was read, or the view is closed', async () => {
    const { source, view, told } = played()
    await settle()
    source.value('new')
    source.saved('old', 1)
    await view.close()
    source.saved('older', 0)
    expect(told).toEqual(['change >new', 'closed', 'onClose'])
  })
})

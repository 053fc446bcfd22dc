import { setMaxListeners } from 'node:events'
import { describe, expect, it } from 'vitest'
import { Turns, type Turn } from '../../../src/watch/turns.js'
import { FakeClock, settle } from '../../support/fake-clock.js'

const OLD = { hot: false, ageMs: 3_600_000 }
const HOT = { hot: true, ageMs: 3_600_000 }
const { signal } = new AbortController()
setMaxListeners(0, signal)

function turnsFor(queries: number, places: number, clock = new FakeClock()): Turns {
  const turns = new Turns(clock, places, 30_000)
  for (let query = 0; query < queries; query++) turns.join()()
  return turns
}

describe('the turns of blocking queries', () => {
  it('give each query a place for long while half of the places suffice', async () => {
    const turns = turnsFor(2, 4)
    expect((await turns.enter(OLD, signal)).waitMs).toBe(30_000)
    expect((await turns.enter(OLD, signal)).waitMs).toBe(30_000)
    expect(turns.debug()).toMatchObject({ anchored: 2, sweepMs: 0 })
  })

  it('keep the other half in short waits, so that newcomers in number need not wait long', async () => {
    const turns = turnsFor(4, 4)
    const waits = [await turns.enter(OLD, signal), await turns.enter(OLD, signal), await turns.enter(OLD, signal)]
    expect(waits.map(({ waitMs }) => waitMs)).toEqual([30_000, 30_000, 5_000])
  })

  it('let a young query wait no longer than it has existed, for an abandoned wait costs the agent a place', async () => {
    const turns = turnsFor(1, 4)
    const wait = async (ageMs: number): Promise<number> => {
      const turn = await turns.enter({ hot: false, ageMs }, signal)
      turn.leave()
      return turn.waitMs
    }
    expect([await wait(0), await wait(4_000), await wait(60_000)]).toEqual([1_000, 4_000, 30_000])
  })

  it('visit every query once a sweep when there are more than places', async () => {
    const turns = turnsFor(1_000, 50)
    const turn = await turns.enter(OLD, signal)
    expect(turn.waitMs).toBe(75)
    expect(turns.debug().sweepMs).toBe(1_500)
  })

  it('sweep slowly while newcomers wait for their first answer', async () => {
    const turns = turnsFor(999, 50)
    const started = turns.join()
    expect((await turns.enter(OLD, signal)).waitMs).toBe(300)
    started()
    expect((await turns.enter(OLD, signal)).waitMs).toBe(75)
  })

  it('shorten the wait by what a turn was found to cost beside it, so that the sweep stays as long as promised', async () => {
    const clock = new FakeClock()
    const turns = turnsFor(1_000, 50, clock)
    for (let round = 0; round < 200; round++) {
      const turn = await turns.enter(OLD, signal)
      await clock.advance(turn.waitMs + 20)
      turn.leave()
    }
    expect((await turns.enter(OLD, signal)).waitMs).toBe(55)
    expect(turns.debug().sweepMs).toBe(1_500)
  })

  it('learn nothing about that cost from a turn that a change has ended early', async () => {
    const clock = new FakeClock()
    const turns = turnsFor(1_000, 50, clock)
    for (let round = 0; round < 200; round++) {
      const turn = await turns.enter(OLD, signal)
      await clock.advance(1)
      turn.leave()
    }
    expect((await turns.enter(OLD, signal)).waitMs).toBe(75)
  })

  it('lengthen the sweep rather than cost more reads than allowed', async () => {
    const turns = turnsFor(10_000, 50)
    expect((await turns.enter(OLD, signal)).waitMs).toBe(50)
    expect(turns.debug().sweepMs).toBe(10_000)
  })

  it('let those that changed lately keep at most half of the places', async () => {
    const turns = turnsFor(100, 4)
    const held: Turn[] = []
    for (let place = 0; place < 4; place++) held.push(await turns.enter(HOT, signal))
    expect(turns.debug()).toMatchObject({ anchored: 2, visiting: 2 })
    // The other half is shared by 98 queries, then by 97 in what is one place less.
    expect(held.map(({ waitMs }) => waitMs)).toEqual([10_000, 10_000, 31, 31])
    expect(held.map(({ isVisit }) => isVisit)).toEqual([false, false, true, true])
  })

  it('starve none, however many changed lately: those go first only to a place that they may keep', async () => {
    const turns = turnsFor(100, 2)
    const order: string[] = []
    const keeper = await turns.enter(HOT, signal)
    const visitor = await turns.enter(OLD, signal)
    const ask = async (name: string, hot: boolean): Promise<void> => {
      const turn = await turns.enter({ hot, ageMs: 60_000 }, signal)
      order.push(name)
      turn.leave()
    }
    const asked = [ask('a', false), ask('hot 1', true), ask('b', false), ask('hot 2', true)]
    await settle()
    visitor.leave()
    await Promise.all(asked)
    expect(order).toEqual(['a', 'hot 1', 'b', 'hot 2'])

    const again = await turns.enter(OLD, signal)
    const [late, hot] = [ask('late', false), ask('hot', true)]
    await settle()
    keeper.leave()
    again.leave()
    await Promise.all([late, hot])
    expect(order.slice(4)).toEqual(['hot', 'late'])
  })

  it('forget who gives up waiting', async () => {
    const turns = turnsFor(100, 1)
    const held = await turns.enter(OLD, signal)
    const impatient = new AbortController()
    const waiting = turns.enter(OLD, impatient.signal)
    impatient.abort()
    await expect(waiting).rejects.toMatchObject({ code: 'PROCONSUL_ABORTED' })
    held.leave()
    expect(turns.debug()).toMatchObject({ anchored: 0, visiting: 0, waiting: 0 })
  })

  it('are visits of a round only among more queries than places', async () => {
    const turns = turnsFor(4, 4)
    const held = [await turns.enter(OLD, signal), await turns.enter(OLD, signal), await turns.enter(OLD, signal)]
    expect(held.map(({ isVisit }) => isVisit)).toEqual([false, false, false])
    expect(turns.debug()).toEqual({ places: 4, queries: 4, anchored: 2, visiting: 1, waiting: 0, sweepMs: 0 })
    turns.join()()
    expect((await turns.enter(OLD, signal)).isVisit).toBe(true)
    expect(turns.debug().sweepMs).toBeGreaterThan(0)
  })

  it('give back what was held, of either kind', async () => {
    const turns = turnsFor(100, 4)
    const held: Turn[] = []
    for (let place = 0; place < 4; place++) held.push(await turns.enter(HOT, signal))
    for (const turn of held) turn.leave()
    expect(turns.debug()).toMatchObject({ anchored: 0, visiting: 0 })
    expect((await turns.enter(HOT, signal)).waitMs).toBe(10_000)
  })

  it.each([
    [1, 0],
    [2, 1],
    [3, 1],
    [4, 2],
    [5, 2],
  ])('let half of %d places be kept, rounded down', async (places, kept) => {
    const turns = turnsFor(100, places)
    for (let place = 0; place < places; place++) await turns.enter(HOT, signal)
    expect(turns.debug()).toMatchObject({ anchored: kept, visiting: places - kept })
  })

  it('count each query once, when it comes, has its first answer, and goes', async () => {
    const turns = turnsFor(100, 10)
    const started = turns.join()
    const other = turns.join()
    started()
    started()
    expect((await turns.enter(OLD, signal)).waitMs).toBe(588)
    other()
    expect((await turns.enter(OLD, signal)).waitMs).toBe(147)
    turns.part()
    turns.part()
    expect(turns.debug().queries).toBe(100)
    expect((await turns.enter(OLD, signal)).waitMs).toBe(150)
  })

  it('ask for a moment at least, however much a turn costs beside its wait', async () => {
    const clock = new FakeClock()
    const turns = turnsFor(1_000, 50, clock)
    for (let round = 0; round < 200; round++) {
      const turn = await turns.enter(OLD, signal)
      await clock.advance(turn.waitMs + 500)
      turn.leave()
    }
    expect((await turns.enter(OLD, signal)).waitMs).toBe(1)
  })

  it('count a turn that took exactly its wait as one without a cost', async () => {
    const clock = new FakeClock()
    const turns = turnsFor(1_000, 50, clock)
    const costly = await turns.enter(OLD, signal)
    await clock.advance(costly.waitMs + 400)
    costly.leave()
    for (let round = 0; round < 200; round++) {
      const turn = await turns.enter(OLD, signal)
      await clock.advance(turn.waitMs)
      turn.leave()
    }
    expect((await turns.enter(OLD, signal)).waitMs).toBe(75)
  })

  it('ask for no longer than the client was told to', async () => {
    const turns = new Turns(new FakeClock(), 4, 200)
    turns.join()()
    expect((await turns.enter(OLD, signal)).waitMs).toBe(200)
  })

  it('are found at once among thousands who wait', async () => {
    const turns = turnsFor(10_000, 1)
    const held = await turns.enter(OLD, signal)
    const order: number[] = []
    const waiting = Array.from({ length: 5_000 }, async (_, number) => {
      const turn = await turns.enter(number % 2 === 0 ? OLD : HOT, signal)
      order.push(number)
      turn.leave()
    })
    await settle()
    expect(turns.debug().waiting).toBe(5_000)
    held.leave()
    await Promise.all(waiting)
    // One place, which nobody may keep: in order of asking.
    expect(order).toEqual(order.toSorted((a, b) => a - b))
    expect(turns.debug()).toMatchObject({ anchored: 0, visiting: 0, waiting: 0 })
  })
})

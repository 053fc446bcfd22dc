import { AsyncLocalStorage } from 'node:async_hooks'
import { getEventListeners } from 'node:events'
import { describe, expect, it } from 'vitest'
import { Lane } from '../../../src/http/lane.js'
import { FakeClock, settle } from '../../support/fake-clock.js'

describe('a lane', () => {
  it('lets in as many as it has places, and the others in the order they came', async () => {
    const lane = new Lane(2, new FakeClock())
    const entered: number[] = []
    for (const number of [1, 2, 3, 4]) void lane.enter().then(() => entered.push(number))
    await settle()
    expect(entered).toEqual([1, 2])
    expect(lane).toMatchObject({ free: 0, waiting: 2 })
    lane.leave()
    await settle()
    expect(entered).toEqual([1, 2, 3])
    lane.leave()
    lane.leave()
    lane.leave()
    await settle()
    expect(entered).toEqual([1, 2, 3, 4])
    expect(lane).toMatchObject({ free: 2, waiting: 0 })
  })

  it('forgets who no longer wants to enter', async () => {
    const lane = new Lane(1, new FakeClock())
    await lane.enter()
    const controller = new AbortController()
    const entering = lane.enter(controller.signal)
    controller.abort()
    await expect(entering).rejects.toMatchObject({ code: 'PROCONSUL_ABORTED' })
    expect(lane.waiting).toBe(0)
    lane.leave()
    await expect(lane.enter(controller.signal)).rejects.toMatchObject({ code: 'PROCONSUL_ABORTED' })
    expect(lane.free).toBe(1)
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0)
  })

  it('keeps the place of an abandoned query for as long as the agent does', async () => {
    const clock = new FakeClock()
    const lane = new Lane(1, clock)
    await lane.enter()
    lane.leave(10_000)
    let hasEntered = false
    void lane.enter().then(() => (hasEntered = true))
    await clock.advance(9_999)
    expect(hasEntered).toBe(false)
    await clock.advance(1)
    expect(hasEntered).toBe(true)
  })

  it('leaves no timer when it is closed', async () => {
    const clock = new FakeClock()
    const lane = new Lane(3, clock)
    await lane.enter()
    await lane.enter()
    lane.leave(10_000)
    expect(clock.keepAliveTimers).toBe(0)
    lane.close()
    expect(clock.pendingTimers).toBe(0)
    expect(lane.free).toBe(2)
  })

  it('lets nobody overtake those who wait, and gives a place that is free again to the first of them', async () => {
    const lane = new Lane(1, new FakeClock())
    await lane.enter()
    const order: string[] = []
    const impatient = new AbortController()
    lane.enter(impatient.signal).catch(() => order.push('gave up'))
    void lane.enter().then(() => order.push('waited'))
    impatient.abort()
    lane.leave()
    void lane.enter().then(() => order.push('came later'))
    await settle()
    expect(order).toEqual(['gave up', 'waited'])
    lane.leave()
    await settle()
    expect(order).toEqual(['gave up', 'waited', 'came later'])
    expect(lane.free).toBe(0)
  })

  it('does not keep the context of the request that left a place held', async () => {
    const requests = new AsyncLocalStorage<string>()
    const clock = new FakeClock()
    const contexts: unknown[] = []
    const setTimer = clock.setTimer.bind(clock)
    clock.setTimer = (...timer) => {
      contexts.push(requests.getStore())
      return setTimer(...timer)
    }
    const lane = new Lane(1, clock)
    await lane.enter()
    requests.run('a request', () => lane.leave(10_000))
    expect(contexts).toEqual([undefined])
    lane.close()
  })
})

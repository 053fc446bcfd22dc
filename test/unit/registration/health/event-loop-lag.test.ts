import { describe, expect, it } from 'vitest'
import type { Clock, Timer } from '../../../../src/core/clock.js'
import { EventLoopLag } from '../../../../src/registration/health/event-loop-lag.js'

/** A clock whose timers fire when a test says so, however late that is. */
class LateClock implements Clock {
  at = 0
  #callback: (() => void) | undefined
  now = (): number => this.at
  monotonic = (): number => this.at
  setTimer(callback: () => void): Timer {
    this.#callback = callback
    return { cancel: () => (this.#callback = undefined) }
  }
  fireAfter(ms: number): void {
    this.at += ms
    this.#callback?.()
  }
  get isIdle(): boolean {
    return this.#callback === undefined
  }
}

const BOUNDS = { warnAfterMs: 200, criticalAfterMs: 5_000 }

describe('EventLoopLag', () => {
  it('tells the longest block since it was last asked', () => {
    const clock = new LateClock()
    const lag = new EventLoopLag(clock)
    lag.start()
    clock.fireAfter(100)
    expect(lag.verdict(BOUNDS)).toEqual({ status: 'passing', output: '' })
    clock.fireAfter(1_350)
    clock.fireAfter(100)
    expect(lag.verdict(BOUNDS)).toEqual({ status: 'warning', output: 'event loop blocked for 1.3s' })
    expect(lag.verdict(BOUNDS).status).toBe('passing')
    clock.fireAfter(12_100)
    expect(lag.verdict(BOUNDS)).toEqual({ status: 'critical', output: 'event loop blocked for 12s' })
  })

  it('leaves no timer behind', () => {
    const clock = new LateClock()
    const lag = new EventLoopLag(clock)
    lag.start()
    expect(clock.isIdle).toBe(false)
    lag.stop()
    expect(clock.isIdle).toBe(true)
  })
})

import { describe, expect, it } from 'vitest'
import { SharedBackoff, type Pass } from '../../../src/watch/shared-backoff.js'
import { FakeClock, settle } from '../../support/fake-clock.js'
import { failure } from './harness.js'

const { signal } = new AbortController()

function make(): { readonly clock: FakeClock; readonly backoff: SharedBackoff } {
  const clock = new FakeClock()
  const silent = (): void => undefined
  const logger = { debug: silent, info: silent, warn: silent, error: silent }
  return { clock, backoff: new SharedBackoff({ clock, random: () => 0.5, logger }) }
}

/** Asks for a pass and tells when it came. */
function ask(backoff: SharedBackoff, passes: Pass[]): void {
  void backoff.pass(signal).then((pass) => passes.push(pass))
}

describe('the back-off that queries share', () => {
  it('lets everyone pass while all is well', async () => {
    const { backoff } = make()
    expect(await backoff.pass(signal)).toEqual({ epoch: 0, probe: false })
  })

  it('counts the failures of reads that were under way at once as one', async () => {
    const { clock, backoff } = make()
    const passes = [await backoff.pass(signal), await backoff.pass(signal), await backoff.pass(signal)]
    for (const pass of passes) backoff.failed(pass, failure())
    expect(backoff.attempt).toBe(1)
    expect(clock.nextTimerInMs).toBe(187.5)
  })

  it('lets one try while the others wait, and lets them go when it got an answer', async () => {
    const { clock, backoff } = make()
    backoff.failed(await backoff.pass(signal), failure())
    const passes: Pass[] = []
    for (let query = 0; query < 5; query++) ask(backoff, passes)
    await clock.advance(187)
    expect(passes).toHaveLength(0)
    await clock.advance(1)
    expect(passes).toEqual([{ epoch: 1, probe: true }])
    await clock.advance(60_000)
    expect(passes).toHaveLength(1)
    backoff.succeeded()
    await clock.advance(2_000)
    expect(passes).toHaveLength(5)
    expect(passes.filter(({ probe }) => probe)).toHaveLength(1)
  })

  it('waits longer after each failed try, up to ten seconds, and never less than the agent asks', async () => {
    const { clock, backoff } = make()
    const delays: number[] = []
    for (let round = 0; round < 8; round++) {
      backoff.failed(await backoff.pass(signal), failure('PROCONSUL_UNAVAILABLE', round === 7 ? 30_000 : undefined))
      delays.push(clock.nextTimerInMs ?? NaN)
      await clock.advanceToNext()
    }
    expect(delays).toEqual([187.5, 375, 750, 1_500, 3_000, 6_000, 7_500, 30_000])
  })

  it('lets the next one try when the one that was to try gave up', async () => {
    const { clock, backoff } = make()
    backoff.failed(await backoff.pass(signal), failure())
    const passes: Pass[] = []
    ask(backoff, passes)
    ask(backoff, passes)
    await clock.advance(200)
    backoff.abandoned(passes[0] ?? { epoch: 0, probe: false })
    await settle()
    expect(passes.map(({ probe }) => probe)).toEqual([true, true])
  })

  it('leaves no timer behind when it is closed', async () => {
    const { clock, backoff } = make()
    backoff.failed(await backoff.pass(signal), failure())
    backoff.close()
    expect(clock.pendingTimers).toBe(0)
  })
})

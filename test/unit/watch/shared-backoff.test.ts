import { setMaxListeners } from 'node:events'
import { describe, expect, it } from 'vitest'
import { isOutage, SharedBackoff, type Pass } from '../../../src/watch/shared-backoff.js'
import { ProconsulError } from '../../../src/errors/proconsul-error.js'
import { FakeClock, settle } from '../../support/fake-clock.js'
import { failure } from './harness.js'

const { signal } = new AbortController()
const ignore = (): void => undefined
setMaxListeners(0, signal)

function make(random: () => number = () => 0.5): { readonly clock: FakeClock; readonly backoff: SharedBackoff } {
  const clock = new FakeClock()
  const logger = { debug: ignore, info: ignore, warn: ignore, error: ignore }
  return { clock, backoff: new SharedBackoff({ clock, random, logger }) }
}

/** Someone who asks for passes, with what came and what was heard. */
class Asker {
  readonly passes: Pass[] = []
  readonly heard: string[] = []
  readonly #backoff: SharedBackoff

  constructor(backoff: SharedBackoff) {
    this.#backoff = backoff
  }

  ask(until = signal): this {
    const pass = this.#backoff.pass(until, ({ code }) => void this.heard.push(code))
    pass.then((given) => this.passes.push(given), ignore)
    return this
  }

  get pass(): Pass {
    const last = this.passes.at(-1)
    if (last === undefined) throw new Error('no pass came')
    return last
  }
}

async function closed(backoff: SharedBackoff, error = failure()): Promise<void> {
  backoff.failed(await backoff.pass(signal, ignore), error)
}

describe('the back-off that queries share', () => {
  it('lets everyone pass while all is well, and tells them nothing', async () => {
    const { backoff } = make()
    const asker = new Asker(backoff).ask()
    backoff.succeeded()
    asker.ask()
    await settle()
    expect(asker.passes).toEqual([
      { epoch: 0, probe: false },
      { epoch: 0, probe: false },
    ])
    expect(asker.heard).toEqual([])
  })

  it('counts the failures of reads that were under way at once as one', async () => {
    const { clock, backoff } = make()
    const passes = [await backoff.pass(signal, ignore), await backoff.pass(signal, ignore)]
    for (const pass of passes) backoff.failed(pass, failure())
    expect([backoff.epoch, clock.nextTimerInMs, clock.pendingTimers]).toEqual([1, 187.5, 1])
  })

  it('lets one try while the others wait, and lets them go when it got an answer', async () => {
    const { clock, backoff } = make()
    await closed(backoff)
    const askers = Array.from({ length: 5 }, () => new Asker(backoff).ask())
    const passes = (): Pass[] => askers.flatMap((asker) => asker.passes)
    await clock.advance(187)
    expect(passes()).toHaveLength(0)
    await clock.advance(1)
    expect(passes()).toEqual([{ epoch: 1, probe: true }])
    expect(askers[0]?.passes).toHaveLength(1)
    await clock.advance(60_000)
    expect(passes()).toHaveLength(1)
    backoff.succeeded()
    await clock.advance(19)
    expect(passes()).toHaveLength(1)
    await clock.advance(1)
    expect(passes().slice(1)).toEqual([1, 2, 3, 4].map(() => ({ epoch: 1, probe: false })))
  })

  it('spreads those who waited at random over ten milliseconds each', async () => {
    const shares = [0.5, 0, 0.25, 0.75]
    const { clock, backoff } = make(() => shares.shift() ?? 0.5)
    await closed(backoff)
    const [prober, ...others] = Array.from({ length: 4 }, () => new Asker(backoff).ask())
    await clock.advance(200)
    expect(prober?.passes).toHaveLength(1)
    backoff.succeeded()
    const started: number[] = []
    for (let atMs = 0; atMs <= 30; atMs += 0.5) {
      started.push(others.filter(({ passes }) => passes.length > 0).length)
      await clock.advance(0.5)
    }
    // The shares are 0, a quarter and three quarters of 30 ms.
    expect([0, 7, 8, 22, 23].map((atMs) => started[atMs * 2])).toEqual([0, 1, 2, 2, 3])
  })

  it('spreads any number of them over two seconds at most', async () => {
    const { clock, backoff } = make(() => 0.999_999)
    await closed(backoff)
    const [, ...others] = Array.from({ length: 500 }, () => new Asker(backoff).ask())
    await clock.advance(250)
    backoff.succeeded()
    await clock.advance(1_999)
    expect(others.filter(({ passes }) => passes.length > 0)).toHaveLength(0)
    await clock.advance(1)
    expect(others.filter(({ passes }) => passes.length > 0)).toHaveLength(499)
  })

  it('keeps waiting who was let go when the agent failed anew meanwhile', async () => {
    const { clock, backoff } = make()
    await closed(backoff)
    const [prober, late] = [new Asker(backoff).ask(), new Asker(backoff).ask()]
    await clock.advance(188)
    expect(prober.pass.probe).toBe(true)
    backoff.succeeded()
    await closed(backoff)
    await clock.advance(20)
    expect(late.passes).toHaveLength(0)
    await clock.advance(180)
    expect(late.pass).toEqual({ epoch: 2, probe: true })
  })

  it('waits longer after each failed try, up to ten seconds, and begins anew after an answer', async () => {
    const { clock, backoff } = make()
    const delays: number[] = []
    for (let round = 0; round < 8; round++) {
      await closed(backoff)
      delays.push(clock.nextTimerInMs ?? NaN)
      await clock.advanceToNext()
    }
    expect(delays).toEqual([187.5, 375, 750, 1_500, 3_000, 6_000, 7_500, 7_500])
    expect(backoff.epoch).toBe(8)
    backoff.succeeded()
    await closed(backoff)
    expect(clock.nextTimerInMs).toBe(187.5)
  })

  it.each([
    [2_000, 2_000],
    [100, 187.5],
    [3_600_000, 10_000],
  ])('heeds an agent that asks for %d ms, within bounds', async (askedMs, expected) => {
    const { clock, backoff } = make()
    await closed(backoff, failure('PROCONSUL_RATE_LIMITED', askedMs))
    expect(clock.nextTimerInMs).toBe(expected)
  })

  it('goes on counting tries when the one that failed was another than the one that was let try', async () => {
    const { clock, backoff } = make()
    const slow = await backoff.pass(signal, ignore)
    await closed(backoff)
    await clock.advance(188)
    const prober = new Asker(backoff).ask()
    await settle()
    backoff.failed(slow, failure())
    expect([backoff.epoch, clock.pendingTimers]).toEqual([1, 0])
    backoff.failed(prober.pass, failure())
    expect([backoff.epoch, clock.nextTimerInMs]).toEqual([2, 375])
  })
})

describe('who waits behind the back-off', () => {
  it('hears at once why, and of each try that fails', async () => {
    const { clock, backoff } = make()
    await closed(backoff)
    const [prober, waiting] = [new Asker(backoff).ask(), new Asker(backoff).ask()]
    expect([prober.heard, waiting.heard]).toEqual([['PROCONSUL_UNAVAILABLE'], ['PROCONSUL_UNAVAILABLE']])
    await clock.advance(188)
    const joined = new Asker(backoff).ask()
    expect(joined.heard).toEqual(['PROCONSUL_UNAVAILABLE'])
    backoff.failed(prober.pass, failure('PROCONSUL_NO_LEADER'))
    expect([prober.heard, waiting.heard, joined.heard]).toEqual([
      ['PROCONSUL_UNAVAILABLE'],
      ['PROCONSUL_UNAVAILABLE', 'PROCONSUL_NO_LEADER'],
      ['PROCONSUL_UNAVAILABLE', 'PROCONSUL_NO_LEADER'],
    ])
    expect(new Asker(backoff).ask().heard).toEqual(['PROCONSUL_NO_LEADER'])
  })

  it('hears nothing when it is the one to try', async () => {
    const { clock, backoff } = make()
    await closed(backoff)
    await clock.advance(188)
    expect(new Asker(backoff).ask().heard).toEqual([])
  })

  it('leaves at once when it gives up, and hears no more', async () => {
    const { clock, backoff } = make()
    await closed(backoff)
    const impatient = new AbortController()
    const [gone, next] = [new Asker(backoff).ask(impatient.signal), new Asker(backoff).ask()]
    const waiting = backoff.pass(impatient.signal, ignore)
    impatient.abort()
    await expect(waiting).rejects.toMatchObject({ code: 'PROCONSUL_ABORTED' })
    await expect(backoff.pass(impatient.signal, ignore)).rejects.toMatchObject({ code: 'PROCONSUL_ABORTED' })
    await clock.advance(188)
    expect(next.pass.probe).toBe(true)
    backoff.failed(next.pass, failure('PROCONSUL_TIMEOUT'))
    expect([gone.heard, gone.passes]).toEqual([['PROCONSUL_UNAVAILABLE'], []])
  })
})

describe('a try that is given up', () => {
  it('is passed on to the next one', async () => {
    const { clock, backoff } = make()
    await closed(backoff)
    const [first, second] = [new Asker(backoff).ask(), new Asker(backoff).ask()]
    await clock.advance(200)
    expect([first.passes.length, second.passes.length]).toEqual([1, 0])
    backoff.abandoned(first.pass)
    await settle()
    expect(second.pass).toEqual({ epoch: 1, probe: true })
  })

  it('lets nobody try before the time has come, when it was not the one that finds out', async () => {
    const { clock, backoff } = make()
    const plain = await backoff.pass(signal, ignore)
    await closed(backoff)
    backoff.abandoned(plain)
    const asker = new Asker(backoff).ask()
    await settle()
    expect([asker.passes.length, clock.pendingTimers]).toEqual([0, 1])
  })

  it('lets no second one try beside the one that does', async () => {
    const { clock, backoff } = make()
    const plain = await backoff.pass(signal, ignore)
    await closed(backoff)
    const [first, second] = [new Asker(backoff).ask(), new Asker(backoff).ask()]
    await clock.advance(188)
    expect(first.pass.probe).toBe(true)
    backoff.abandoned(plain)
    await settle()
    expect(second.passes).toEqual([])
    // The agent answers another, fails anew, and is tried anew; only then the first one gives up.
    backoff.succeeded()
    await closed(backoff)
    await clock.advance(1_000)
    expect(second.pass.probe).toBe(true)
    const third = new Asker(backoff).ask()
    backoff.abandoned(first.pass)
    await settle()
    expect(third.passes).toEqual([])
  })

  it('changes nothing once the agent has answered another', async () => {
    const { clock, backoff } = make()
    await closed(backoff)
    const prober = new Asker(backoff).ask()
    await clock.advance(188)
    backoff.succeeded()
    backoff.abandoned(prober.pass)
    expect(await backoff.pass(signal, ignore)).toEqual({ epoch: 1, probe: false })
  })
})

describe('the end of the back-off', () => {
  it('leaves no timer behind', async () => {
    const { clock, backoff } = make()
    await closed(backoff)
    backoff.close()
    expect(clock.pendingTimers).toBe(0)
    expect(await backoff.pass(signal, ignore)).toEqual({ epoch: 1, probe: false })
  })
})

it.each([
  ['PROCONSUL_UNAVAILABLE', true],
  ['PROCONSUL_NO_LEADER', true],
  ['PROCONSUL_RATE_LIMITED', true],
  ['PROCONSUL_TIMEOUT', true],
  ['PROCONSUL_TLS', true],
  ['PROCONSUL_PERMISSION_DENIED', false],
  ['PROCONSUL_NOT_FOUND', false],
  ['PROCONSUL_BAD_RESPONSE', false],
  ['PROCONSUL_RESPONSE_TOO_LARGE', false],
  ['PROCONSUL_REJECTED', false],
] as const)('takes %s for an outage: %s', (code, expected) => {
  expect(isOutage(new ProconsulError(code, 'scripted'))).toBe(expected)
})

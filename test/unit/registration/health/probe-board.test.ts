import { AsyncLocalStorage } from 'node:async_hooks'
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { checkOutput } from '../../../../src/registration/health/check-output.js'
import { ProbeBoard, type RegistrationHealth } from '../../../../src/registration/health/probe-board.js'
import { resolveProbes, type Probes } from '../../../../src/registration/definition/probe-definition.js'
import { FakeClock, settle } from '../../../support/fake-clock.js'
import { recordingLogger } from '../../../support/recording-logger.js'
import { anyHostile } from './any-hostile.js'

function board(probes: Probes, ttlMs = 3_000) {
  const clock = new FakeClock()
  const heard: RegistrationHealth[] = []
  const runtime = { clock, random: () => 0.5, logger: recordingLogger() }
  const made = new ProbeBoard(resolveProbes('probes', probes, ttlMs), runtime, (health) => heard.push(health))
  return { clock, heard, board: made }
}

describe('ProbeBoard', () => {
  it('is passing without probes, and not before the first round with some', async () => {
    expect(board({}).board.health.status).toBe('passing')
    const { board: made } = board({ db: () => undefined })
    expect(made.health).toMatchObject({ status: 'critical', probes: { db: { output: 'has not run yet' } } })
    made.start()
    await made.firstRound
    expect(made.health).toMatchObject({ status: 'passing', probes: { db: { status: 'passing', output: '' } } })
    made.stop()
  })

  it.each<[unknown, string, string]>([
    [undefined, 'passing', ''],
    [true, 'passing', ''],
    [{ rows: 1 }, 'passing', ''],
    ['over 2 GB', 'critical', 'over 2 GB'],
    ['warning', 'warning', ''],
    ['critical', 'critical', ''],
    [false, 'critical', ''],
    [{ status: 'warning', output: 'slow' }, 'warning', 'slow'],
  ])('takes a value of %j for %s', async (value, status, output) => {
    const { board: made } = board({ db: () => value })
    made.start()
    await made.firstRound
    expect(made.health.probes['db']).toMatchObject({ status, output })
    made.stop()
  })

  it('goes on whatever a probe throws or returns, at once or later, and never without a verdict', async () => {
    await fc.assert(
      fc.asyncProperty(anyHostile(), fc.constantFrom('return', 'throw', 'reject', 'thenable'), async (make, way) => {
        const value = make()
        const runs: number[] = []
        const run = (): unknown => {
          runs.push(1)
          const fail = (): never => {
            throw value
          }
          if (way === 'throw') return fail()
          if (way === 'reject') return Promise.resolve().then(fail)
          return way === 'thenable' ? { then: (_: unknown, reject: (reason: unknown) => void) => reject(value) } : value
        }
        const probe = { run, timeout: '1s', interval: '1s', onFailure: 'warning' } as const
        const { board: made, clock, heard } = board({ odd: probe })
        made.start()
        await made.firstRound
        expect(made.pending).toEqual([])
        expect(checkOutput(made.health)).toContain('odd: ')
        await clock.advance(3_100)
        expect(runs.length).toBeGreaterThanOrEqual(3)
        expect(heard.length).toBeGreaterThanOrEqual(1)
        made.stop()
        expect(clock.pendingTimers).toBe(0)
      }),
      { numRuns: 60 },
    )
  })

  it('has a result also of a probe that says the words of one that has not run', async () => {
    const { board: made } = board({ db: () => 'has not run yet' })
    made.start()
    await made.firstRound
    expect(made.pending).toEqual([])
    made.stop()
  })

  it('runs a probe in the async context of whoever gave it, again and again, and its timers in none', async () => {
    const storage = new AsyncLocalStorage<string>()
    const seen: unknown[] = []
    const made = storage.run('mine', () =>
      board({ db: { run: () => void seen.push(storage.getStore()), interval: 10 } }),
    )
    const timers: unknown[] = []
    const setTimer = made.clock.setTimer.bind(made.clock)
    vi.spyOn(made.clock, 'setTimer').mockImplementation((...given) => {
      timers.push(storage.getStore())
      return setTimer(...given)
    })
    storage.run('a request', () => made.board.start())
    await made.clock.advance(35)
    made.board.stop()
    expect(new Set(seen)).toEqual(new Set(['mine']))
    expect(seen.length).toBeGreaterThan(2)
    expect(new Set(timers)).toEqual(new Set([undefined]))
  })

  it('runs each probe once however often it is started', async () => {
    let runs = 0
    const { board: made } = board({ db: () => void (runs += 1) })
    made.start()
    made.start()
    await made.firstRound
    expect(runs).toBe(1)
    made.stop()
  })

  it('ends a run with the reason, hears no result of it, and begins none, once it is stopped', async () => {
    let end: (value: unknown) => void = () => undefined
    let reason: unknown
    let runs = 0
    const run = ({ signal }: { signal: AbortSignal }) => {
      runs += 1
      signal.addEventListener('abort', () => {
        const given: unknown = signal.reason
        reason = given
      })
      return new Promise((resolve) => (end = resolve))
    }
    const { board: made, clock, heard } = board({ db: { run, timeout: '1s', interval: '1s' } })
    made.start()
    await settle()
    made.stop()
    expect(reason).toMatchObject({ code: 'PROCONSUL_CLOSED' })
    end('warning')
    await clock.advance(20_000)
    expect([runs, heard, clock.pendingTimers]).toEqual([1, [], 0])
  })

  it('tells how long a run took and when it ended', async () => {
    const answers: (() => void)[] = []
    const { board: made, clock } = board({ db: () => new Promise<void>((resolve) => answers.push(resolve)) })
    const startedAt = clock.now()
    made.start()
    await clock.advance(500)
    answers[0]?.()
    await settle()
    expect(made.health.probes['db']).toMatchObject({ durationMs: 500, checkedAt: startedAt + 500 })
    expect(Object.isFrozen(made.health.probes['db'])).toBe(true)
    made.stop()
  })

  it('begins the next run an interval after the begin of the last, or after the next millisecond where one took longer', async () => {
    const begun: number[] = []
    const slow = board({
      db: {
        run: () => {
          begun.push(slow.clock.monotonic())
          return new Promise<void>((resolve) => slow.clock.setTimer(resolve, begun.length === 1 ? 400 : 1_500))
        },
        timeout: '2s',
        interval: '1s',
      },
    })
    const zero = slow.clock.monotonic()
    slow.board.start()
    await slow.clock.advance(4_100)
    expect(begun.map((at) => at - zero)).toEqual([0, 1_000, 2_501, 4_002])
    slow.board.stop()
  })

  it('takes what a probe throws, at once or later, for critical, or for what it was told that means', async () => {
    const { board: made } = board({
      now: () => {
        throw new Error('no route')
      },
      later: () => Promise.reject(new Error('refused')),
      cache: { run: () => Promise.reject(new Error('cold')), onFailure: 'warning' },
    })
    made.start()
    await made.firstRound
    expect(made.health).toMatchObject({
      status: 'critical',
      probes: {
        now: { status: 'critical', output: 'no route' },
        later: { status: 'critical', output: 'refused' },
        cache: { status: 'warning', output: 'cold' },
      },
    })
    made.stop()
  })

  it('does not wait for a probe that hangs, aborts its signal, and never starts it twice at once', async () => {
    let runs = 0
    let seen: AbortSignal | undefined
    let release: () => void = () => undefined
    const hang = ({ signal }: { signal: AbortSignal }) => {
      runs += 1
      seen = signal
      return new Promise<void>((resolve) => (release = resolve))
    }
    const { board: made, clock } = board({ db: { run: hang, timeout: '1s', interval: '2s' } })
    made.start()
    await clock.advance(1_000)
    expect(made.health.probes['db']).toMatchObject({
      status: 'critical',
      output: 'no answer within 1s',
      durationMs: 1_000,
    })
    expect(seen?.aborted).toBe(true)
    await clock.advance(8_000)
    expect(runs).toBe(1)
    release()
    await settle()
    await clock.advance(1)
    expect(runs).toBe(2)
    made.stop()
  })

  it('gives up a run that never ends as lost after ten times its timeout, says so, and finds the dependency back', async () => {
    let isHanging = true
    const hang = () => (isHanging ? new Promise<void>(() => undefined) : undefined)
    const { board: made, clock, heard } = board({ db: { run: hang, timeout: '1s', interval: '2s' } })
    made.start()
    await clock.advance(9_999)
    expect(made.health.probes['db']?.output).toBe('no answer within 1s')
    await clock.advance(1_002)
    expect(made.health.probes['db']?.output).toBe('no answer within 1s; an earlier run never ended')
    await clock.advance(30_000)
    expect(heard).toHaveLength(2)
    isHanging = false
    await clock.advance(10_000)
    expect(made.health).toMatchObject({ status: 'passing', probes: { db: { status: 'passing', output: '' } } })
    made.stop()
    expect(clock.pendingTimers).toBe(0)
  })

  it('names the probes that have no result yet', async () => {
    const hang = () => new Promise<void>(() => undefined)
    const { board: made, clock } = board({ db: { run: hang, timeout: '1s' }, cache: () => true })
    made.start()
    await settle()
    expect(made.pending).toEqual(['db'])
    await clock.advance(1_000)
    expect(made.pending).toEqual([])
    made.stop()
  })

  it('probes at its interval, tells of changes only, and leaves no timer behind', async () => {
    const answers = ['passing', 'passing', 'warning', 'warning', 'passing']
    const { board: made, clock, heard } = board({ db: () => answers.shift() })
    made.start()
    await made.firstRound
    await clock.advance(4_000)
    expect(heard.map(({ status }) => status)).toEqual(['passing', 'warning', 'passing'])
    expect(clock.keepAliveTimers).toBe(0)
    made.stop()
    expect(clock.pendingTimers).toBe(0)
  })
})

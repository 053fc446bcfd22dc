import { describe, expect, it } from 'vitest'
import { ProbeBoard, type RegistrationHealth } from '../../../../src/registration/health/probe-board.js'
import { resolveProbes, type Probes } from '../../../../src/registration/health/probe.js'
import { FakeClock, settle } from '../../../support/fake-clock.js'
import { recordingLogger } from '../../../support/recording-logger.js'

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

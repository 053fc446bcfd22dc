import { describe, expect, it } from 'vitest'
import { ProconsulError } from '../../../../src/errors/proconsul-error.js'
import { Heartbeat } from '../../../../src/registration/heartbeat/heartbeat.js'
import { FakeClock, settle } from '../../../support/fake-clock.js'
import { recordingLogger } from '../../../support/recording-logger.js'

type Send = () => Promise<'passing'>

function beating(send: Send, { keepAlive = true, intervalMs = 1_000 } = {}) {
  const clock = new FakeClock()
  const sentAt: number[] = []
  const failures: string[] = []
  let beats = 0
  const heartbeat = new Heartbeat({
    runtime: { clock, random: () => 0.5, logger: recordingLogger() },
    intervalMs,
    keepAlive,
    send: () => {
      sentAt.push(Math.round(clock.monotonic()))
      return send()
    },
    onBeat: () => (beats += 1),
    onFailure: (error) => failures.push(error.code),
  })
  return { clock, heartbeat, sentAt, failures, beats: () => beats }
}

describe('Heartbeat', () => {
  it('beats at its interval with jitter, after a first one that spreads over the interval', async () => {
    const { clock, heartbeat, sentAt, beats } = beating(() => Promise.resolve('passing'))
    heartbeat.start()
    await clock.advance(3_700)
    expect(sentAt).toEqual([600, 1_600, 2_600, 3_600])
    expect(beats()).toBe(4)
    await heartbeat.stop()
    expect(clock.pendingTimers).toBe(0)
  })

  it('does not stop its timer because one beat hangs, and has one under way at a time', async () => {
    let answer: () => void = () => undefined
    const { clock, heartbeat, sentAt } = beating(() => new Promise((resolve) => (answer = () => resolve('passing'))))
    heartbeat.start()
    await clock.advance(5_000)
    expect(sentAt).toEqual([600])
    answer()
    await clock.advance(1_000)
    expect(sentAt).toEqual([600, 5_600])
    answer()
    await heartbeat.stop()
  })

  it('sends one beat at once, and the one asked for meanwhile right after it', async () => {
    const answers: (() => void)[] = []
    const { clock, heartbeat, sentAt } = beating(() => new Promise((resolve) => answers.push(() => resolve('passing'))))
    heartbeat.start()
    const first = heartbeat.beatNow()
    const second = heartbeat.beatNow()
    const third = heartbeat.beatNow()
    await settle()
    expect(sentAt).toEqual([0])
    answers[0]?.()
    await first
    await settle()
    expect(sentAt).toEqual([0, 0])
    answers[1]?.()
    await Promise.all([second, third])
    expect(clock.monotonic()).toBe(0)
    await heartbeat.stop()
  })

  it.each([
    ['PROCONSUL_UNAVAILABLE', 7_000],
    ['PROCONSUL_PERMISSION_DENIED', 16_000],
    ['PROCONSUL_TIMEOUT', 16_000],
    ['PROCONSUL_RATE_LIMITED', 16_000],
  ] as const)('after %s beats again after a second where that may help, else at its pace', async (code, second) => {
    const { clock, heartbeat, sentAt, failures } = beating(() => Promise.reject(new ProconsulError(code, 'no')), {
      intervalMs: 10_000,
    })
    heartbeat.start()
    await clock.advance(second + 100)
    expect(sentAt.slice(0, 2)).toEqual([6_000, second])
    expect(failures.slice(0, 2)).toEqual([code, code])
    await heartbeat.stop()
  })

  it('sends nothing while held, nor after it was stopped', async () => {
    const { clock, heartbeat, sentAt } = beating(() => Promise.resolve('passing'))
    heartbeat.start()
    heartbeat.hold()
    await heartbeat.beatNow()
    await clock.advance(5_000)
    expect(sentAt).toEqual([])
    heartbeat.start()
    await clock.advance(700)
    expect(sentAt).toEqual([5_600])
    await heartbeat.stop()
    await heartbeat.beatNow()
    await clock.advance(5_000)
    expect(sentAt).toHaveLength(1)
  })

  it('keeps the process alive unless told otherwise', () => {
    for (const keepAlive of [true, false]) {
      const { clock, heartbeat } = beating(() => Promise.resolve('passing'), { keepAlive })
      heartbeat.start()
      expect(clock.keepAliveTimers).toBe(keepAlive ? 1 : 0)
    }
  })
})

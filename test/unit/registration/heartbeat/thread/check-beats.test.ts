import { describe, expect, it } from 'vitest'
import type { AgentRequest } from '../../../../../src/registration/heartbeat/thread/agent-connection.js'
import { CheckBeats } from '../../../../../src/registration/heartbeat/thread/check-beats.js'
import type { AgentAnswer, FromThread } from '../../../../../src/registration/heartbeat/thread/messages.js'
import { FakeClock, settle } from '../../../../support/fake-clock.js'

const FINE: AgentAnswer = { ok: true }
const REFUSED: AgentAnswer = { ok: false, message: 'refused', code: 'ECONNREFUSED' }

/** A check of nine seconds on an agent that answers at once, or when the test says so. */
function beating({ random = 0.5 } = {}) {
  const clock = new FakeClock()
  const sent: { status: string; output: string; at: number; request: AgentRequest }[] = []
  const said: FromThread[] = []
  const played = { answer: FINE, isSilent: false, blockedMs: 0 }
  const waiting: ((answer: AgentAnswer) => void)[] = []
  const entry = {
    key: 'web',
    path: '/v1/agent/check/update/web',
    intervalMs: 3_000,
    timeoutMs: 2_500,
    warnAfterMs: 1_000,
    criticalAfterMs: 30_000,
    report: { status: 'passing', output: 'fine' },
  } as const
  const beats = new CheckBeats(entry, {
    clock,
    random: () => random,
    blockedMs: () => played.blockedMs,
    answer: (message) => said.push(message),
    send: (request) => {
      const { Status: status, Output: output } = JSON.parse(request.body) as { Status: string; Output: string }
      sent.push({ status, output, at: clock.monotonic(), request })
      return played.isSilent ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(played.answer)
    },
  })
  const release = async (answer: AgentAnswer = FINE): Promise<void> => {
    waiting.shift()?.(answer)
    await settle()
  }
  return { clock, sent, said, played, release, beats, times: () => sent.map(({ at }) => at) }
}

describe('the beats of a check', () => {
  it('are held until the start, and then come once in an interval', async () => {
    const { beats, clock, times, sent, said } = beating()
    await clock.advance(10_000)
    expect(times()).toEqual([])
    beats.start(500)
    beats.start(100)
    await clock.advance(6_600)
    expect(times()).toEqual([10_500, 13_500, 16_500])
    expect(sent[0]).toMatchObject({
      status: 'passing',
      output: 'fine',
      request: { path: '/v1/agent/check/update/web', timeoutMs: 2_500 },
    })
    expect(said[0]).toEqual({ key: 'web', sequences: [], status: 'passing', durationMs: 0, ok: true })
    beats.remove()
    expect(clock.pendingTimers).toBe(0)
  })

  it.each([
    [0, 2_700],
    [1, 3_300],
  ])('drift apart by a tenth: with chance %d after %d ms', async (random, afterMs) => {
    const { beats, clock, times } = beating({ random })
    beats.start(1)
    await clock.advance(3_400)
    expect(times()).toEqual([1, expect.closeTo(1 + afterMs)])
  })

  it('end while they are held, and begin again with the next start', async () => {
    const { beats, clock, times } = beating()
    beats.start(1)
    await clock.advance(10)
    beats.hold()
    await clock.advance(10_000)
    expect([times(), clock.pendingTimers]).toEqual([[1], 0])
    beats.start(1)
    await clock.advance(10)
    expect(times()).toEqual([1, 10_011])
  })

  it('come one at a time, and on time after one that was slow', async () => {
    const { beats, clock, times, played, release } = beating()
    played.isSilent = true
    beats.start(1)
    await clock.advance(4_000)
    expect(times()).toEqual([1])
    await release()
    await clock.advance(2_100)
    expect(times()).toEqual([1, 6_001])
  })

  it('come a second after one that did not reach the agent, but no sooner after a refusal or a silence', async () => {
    const { beats, clock, times, played } = beating()
    played.answer = REFUSED
    beats.start(1)
    await clock.advance(2_100)
    expect(times()).toEqual([1, 1_001, 2_001])
    for (const answer of [
      { ok: false, httpStatus: 500, body: '' },
      { ok: false, timedOut: true },
    ]) {
      played.answer = answer
      const before = times().length
      await clock.advance(7_000)
      expect(times().length - before).toBeLessThanOrEqual(3)
    }
  })

  it('do not begin again by a failure that comes once they are held', async () => {
    const { beats, clock, times, played, release } = beating()
    played.isSilent = true
    beats.start(1)
    await clock.advance(10)
    beats.hold()
    await release(REFUSED)
    await clock.advance(10_000)
    expect([times(), clock.pendingTimers]).toEqual([[1], 0])
  })

  it('say what was reported last', async () => {
    const { beats, clock, sent } = beating()
    beats.start(1)
    beats.report = { status: 'critical', output: 'x'.repeat(5_000) }
    await clock.advance(10)
    expect(sent).toMatchObject([{ status: 'critical', output: 'x'.repeat(4_096) }])
  })
})

describe('a beat that is asked for', () => {
  it('is sent at once and answered with the result', async () => {
    const { beats, said, played } = beating()
    played.answer = { ok: false, httpStatus: 404, body: 'unknown' }
    beats.start(1_000)
    beats.ask(7)
    await settle()
    expect(said).toEqual([
      { key: 'web', sequences: [7], status: 'passing', durationMs: 0, ok: false, httpStatus: 404, body: 'unknown' },
    ])
  })

  it('is answered at once, and not sent, while the check is held', () => {
    const { beats, said, sent } = beating()
    beats.ask(7)
    expect([said, sent]).toEqual([[{ sequences: [7] }], []])
  })

  it('follows the one under way, once for all who ask meanwhile', async () => {
    const { beats, clock, said, sent, played, release } = beating()
    played.isSilent = true
    beats.start(1)
    await clock.advance(10)
    beats.ask(1)
    beats.ask(2)
    beats.report = { status: 'warning', output: 'news' }
    expect(sent).toHaveLength(1)
    await release()
    await release()
    expect(sent.map(({ status }) => status)).toEqual(['passing', 'warning'])
    expect(said.map(({ sequences }) => sequences)).toEqual([[], [1, 2]])
    await settle()
    expect(sent).toHaveLength(2)
  })
})

describe('a main thread that stands still', () => {
  it('is told of at once as a warning and as critical, and that it is back', async () => {
    const { beats, sent, played } = beating()
    beats.start(60_000)
    const tell = async (blockedMs: number): Promise<void> => {
      played.blockedMs = blockedMs
      beats.look()
      await settle()
    }
    for (const blockedMs of [0, 999, 1_000, 2_000, 29_999, 30_000, 31_000, 0, 10]) await tell(blockedMs)
    expect(sent.map(({ status, output }) => [status, output])).toEqual([
      ['warning', 'event loop blocked for 1.0 s\nfine'],
      ['critical', 'event loop blocked for 30.0 s\nfine'],
      ['passing', 'fine'],
    ])
  })

  it('makes nothing better than the probes said', async () => {
    const { beats, sent, said, played } = beating()
    beats.start(60_000)
    beats.report = { status: 'critical', output: 'down' }
    played.blockedMs = 1_500
    beats.look()
    await settle()
    expect(sent).toMatchObject([{ status: 'critical', output: 'event loop blocked for 1.5 s\ndown' }])
    expect(said).toMatchObject([{ status: 'critical' }])
  })

  it('is not told of while the check is held', () => {
    const { beats, sent, played } = beating()
    played.blockedMs = 5_000
    beats.look()
    expect(sent).toEqual([])
  })
})

describe('a check that is removed', () => {
  it('takes the beat under way back, says nothing more, and leaves no timer', async () => {
    const { beats, clock, said, sent, played, release } = beating()
    played.isSilent = true
    beats.start(1)
    await clock.advance(10)
    beats.ask(1)
    beats.remove()
    expect(sent[0]?.request.signal.aborted).toBe(true)
    await release(REFUSED)
    await clock.advance(10_000)
    expect([sent.length, said, clock.pendingTimers]).toEqual([1, [], 0])
  })
})

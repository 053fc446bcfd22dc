import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { PlainTarget } from '../../../../src/http/plain-target.js'
import { BeatThread } from '../../../../src/registration/heartbeat/thread/beat-thread.js'
import { WorkerHeartbeat } from '../../../../src/registration/heartbeat/worker-heartbeat.js'
import { FakeClock, settle } from '../../../support/fake-clock.js'
import { recordingLogger } from '../../../support/recording-logger.js'
import { resetThreads, threads, type PlayedWorker } from './played-worker.js'

vi.mock('node:worker_threads', async () => ({ Worker: (await import('./played-worker.js')).PlayedWorker }))

const TARGET: PlainTarget = { baseUrl: 'http://agent', socketPath: undefined, tls: {}, headers: {}, query: '' }
const RESPAWN_MS = 1_000
/** When a service begins, its first beat comes within the interval: here so long after. */
const LATER_MS = 3_000 * (0.2 + 0.8 * 0.5)

/** A thread for the heartbeats of services, each by its check's id. */
function beating(target: () => Promise<PlainTarget> = () => Promise.resolve(TARGET)) {
  const clock = new FakeClock()
  const logger = recordingLogger()
  const runtime = { clock, random: () => 0.5, logger }
  const thread = new BeatThread(runtime, target)
  let output = 'fine'
  const beater = (checkId: string, { keepAlive = true, intervalMs = 3_000 } = {}): WorkerHeartbeat =>
    new WorkerHeartbeat(
      {
        runtime,
        key: checkId,
        request: { operation: 'agent.check.update', path: `/v1/agent/check/update/${checkId}` },
        intervalMs,
        keepAlive,
        heartbeat: { thread: 'worker', keepAlive, warnAfterMs: 1_000, criticalAfterMs: 30_000 },
        report: () => ({ status: 'passing', output }),
        onBeat: () => undefined,
        onFailure: () => undefined,
      },
      thread,
    )
  return { clock, logger, thread, beater, setOutput: (next: string) => void (output = next) }
}

/** Whether a promise has settled, once everything that needs no time has happened. */
async function hasSettled(promise: Promise<void>): Promise<boolean> {
  let isSettled = false
  const mark = (): void => void (isSettled = true)
  promise.then(mark, mark)
  await settle()
  return isSettled
}

function alive(): readonly PlayedWorker[] {
  return threads.started.filter(({ isAlive }) => isAlive)
}

function current(): PlayedWorker {
  const worker = threads.started.at(-1)
  if (worker === undefined) throw new Error('no thread was started')
  return worker
}

beforeEach(resetThreads)

describe('WorkerHeartbeat', () => {
  it('tells the thread where the agent is, what to keep alive and when to begin, in this order', async () => {
    const { beater } = beating()
    const a = beater('a')
    a.start()
    await a.beatNow()
    expect(current().posted.map(({ type, key, entry }) => [type, key ?? entry?.key])).toEqual([
      ['target', undefined],
      ['add', 'a'],
      ['start', 'a'],
      ['beat', 'a'],
    ])
    expect(current().told('start')).toMatchObject([{ delayMs: LATER_MS }])
    await a.stop()
  })

  it('settles a beat that is under way when its thread dies', async () => {
    threads.isSilent = true
    const { beater } = beating()
    const a = beater('a')
    a.start()
    const beat = a.beatNow()
    expect(await hasSettled(beat)).toBe(false)
    current().die()
    expect(await hasSettled(beat)).toBe(true)
    await a.stop()
  })

  it('settles a beat that is asked for before the thread that died is started again, and sends one then', async () => {
    const { beater, clock } = beating()
    const a = beater('a')
    a.start()
    await settle()
    current().die()
    expect(await hasSettled(a.beatNow())).toBe(true)
    expect(threads.started).toHaveLength(1)
    await clock.advance(RESPAWN_MS)
    expect(threads.started).toHaveLength(2)
    expect(current().told('start')).toMatchObject([{ key: 'a', delayMs: 0 }])
    expect(await hasSettled(a.beatNow())).toBe(true)
    expect(current().told('beat')).toHaveLength(1)
    await a.stop()
  })

  it('has one thread when a service comes before the thread that died is started again', async () => {
    const { beater, clock } = beating()
    const [a, b] = [beater('a'), beater('b')]
    a.start()
    b.start()
    await settle()
    current().die()
    await b.stop()
    const c = beater('b')
    c.start()
    await c.beatNow()
    await clock.advance(RESPAWN_MS * 3)
    expect(threads.started).toHaveLength(2)
    expect(
      current()
        .told('add')
        .map(({ entry }) => entry?.key),
    ).toEqual(['a', 'b'])
    expect(current().told('start')).toMatchObject([
      { key: 'a', delayMs: 0 },
      { key: 'b', delayMs: LATER_MS },
    ])
    await Promise.all([a.stop(), c.stop()])
    expect(alive()).toEqual([])
    expect(clock.pendingTimers).toBe(0)
  })

  it('tells a thread that is started again what the probes said last, and who is held', async () => {
    const { beater, clock, setOutput } = beating()
    const [a, b] = [beater('a'), beater('b')]
    a.start()
    b.start()
    setOutput('changed before')
    await a.beatNow()
    current().die()
    setOutput('changed meanwhile')
    await b.beatNow()
    b.hold()
    await clock.advance(RESPAWN_MS)
    expect(current().told('add')).toMatchObject([
      { entry: { key: 'a', report: { output: 'changed before' } } },
      { entry: { key: 'b', report: { output: 'changed meanwhile' } } },
    ])
    expect(
      current()
        .told('start')
        .map(({ key }) => key),
    ).toEqual(['a'])
    b.start()
    expect(
      current()
        .told('start')
        .map(({ key }) => key),
    ).toEqual(['a', 'b'])
    await Promise.all([a.stop(), b.stop()])
  })

  it('stops without a thread, and leaves no timer when it was the last', async () => {
    const { beater, clock } = beating()
    const [a, b] = [beater('a'), beater('b')]
    a.start()
    b.start()
    await settle()
    current().die()
    expect(await hasSettled(a.stop())).toBe(true)
    expect(clock.pendingTimers).toBe(1)
    expect(await hasSettled(b.stop())).toBe(true)
    expect(clock.pendingTimers).toBe(0)
    await clock.advance(RESPAWN_MS * 3)
    expect(threads.started).toHaveLength(1)
  })

  it('settles every beat while the thread dies again and again', async () => {
    const { beater, clock } = beating()
    const a = beater('a')
    threads.endsAtOnce = true
    a.start()
    const beats = [a.beatNow()]
    for (let round = 0; round < 5; round++) {
      await clock.advance(RESPAWN_MS / 2)
      beats.push(a.beatNow())
    }
    for (const beat of beats) expect(await hasSettled(beat)).toBe(true)
    expect(threads.started).toHaveLength(3)
    threads.endsAtOnce = false
    await clock.advance(RESPAWN_MS)
    expect(await hasSettled(a.beatNow())).toBe(true)
    expect(current().told('beat')).toHaveLength(1)
    await a.stop()
    expect(clock.pendingTimers).toBe(0)
  })

  it('goes on trying where the system has no thread to give, and settles every beat meanwhile', async () => {
    const { beater, clock, logger } = beating()
    const a = beater('a')
    threads.refuses = true
    a.start()
    expect(await hasSettled(a.beatNow())).toBe(true)
    await clock.advance(RESPAWN_MS * 2)
    expect(logger.messages('warn')).toEqual(Array(3).fill('the heartbeat thread failed'))
    threads.refuses = false
    await clock.advance(RESPAWN_MS)
    expect(current().told('start')).toMatchObject([{ key: 'a', delayMs: 0 }])
    await a.stop()
    expect(clock.pendingTimers).toBe(0)
  })

  it('settles a beat whose thread is terminated while it is told where the agent is', async () => {
    const answers: (() => void)[] = []
    const { beater, clock, logger } = beating(() => new Promise((answer) => answers.push(() => answer(TARGET))))
    const a = beater('a')
    a.start()
    const beat = a.beatNow()
    expect(await hasSettled(beat)).toBe(false)
    await current().terminate()
    expect(await hasSettled(beat)).toBe(true)
    await clock.advance(RESPAWN_MS)
    // What the first thread waited for is nothing to the second.
    answers[0]?.()
    await settle()
    expect(current().posted).toEqual([])
    answers[1]?.()
    await settle()
    expect(current().posted.map(({ type }) => type)).toEqual(['target', 'add', 'start'])
    expect(logger.messages('warn')).toEqual([])
    await a.stop()
    expect(clock.pendingTimers).toBe(0)
  })

  it.each([
    ['fails', 0, () => Promise.reject(new Error('no token'))],
    ['never comes', 10_000, () => new Promise<never>(() => undefined)],
  ] as const)('settles a beat when the token for it %s, and begins anew', async (_name, afterMs, target) => {
    const { beater, clock, logger } = beating(target)
    const a = beater('a')
    a.start()
    const beat = a.beatNow()
    await clock.advance(afterMs)
    expect(await hasSettled(beat)).toBe(true)
    expect(alive()).toEqual([])
    expect(logger.messages('warn')).toEqual(['the heartbeat thread could not be told where the agent is'])
    await clock.advance(RESPAWN_MS)
    expect(threads.started).toHaveLength(2)
    expect(await hasSettled(a.stop())).toBe(true)
    expect(alive()).toEqual([])
    expect(clock.pendingTimers).toBe(0)
  })

  it('settles the beats of a service that is held or stopped, and leaves those of another', async () => {
    threads.isSilent = true
    const { beater } = beating()
    const [a, b, c] = [beater('a'), beater('b'), beater('c')]
    for (const each of [a, b, c]) each.start()
    const beats = [a, b, c].map((each) => each.beatNow())
    await settle()
    a.hold()
    const stopping = b.stop()
    expect(await Promise.all(beats.map(hasSettled))).toEqual([true, true, false])
    expect(await hasSettled(a.beatNow())).toBe(true)
    expect(await hasSettled(b.beatNow())).toBe(true)
    current().die()
    expect(await Promise.all([...beats, stopping].map(hasSettled))).toEqual([true, true, true, true])
    await Promise.all([a.stop(), c.stop()])
  })

  it('has stopped when the thread says that no beat is under way, or has ended', async () => {
    threads.isSilent = true
    const { beater } = beating()
    const [a, b] = [beater('a'), beater('b')]
    a.start()
    b.start()
    await settle()
    const first = a.stop()
    const again = a.stop()
    expect(await Promise.all([first, again].map(hasSettled))).toEqual([false, false])
    for (const message of current().told('remove')) current().answer(message)
    expect(await Promise.all([first, again].map(hasSettled))).toEqual([true, true])
    expect(await hasSettled(b.stop())).toBe(true)
    expect(alive()).toEqual([])
  })

  it('settles what one thread was asked when the last service ends it, and a new service gets another', async () => {
    threads.isSilent = true
    const { beater } = beating()
    const [a, b] = [beater('a'), beater('b')]
    a.start()
    b.start()
    await settle()
    const stopping = [a.stop(), b.stop()]
    const c = beater('a')
    c.start()
    const beat = c.beatNow()
    expect(await Promise.all([...stopping, beat].map(hasSettled))).toEqual([true, true, false])
    expect(alive()).toEqual([current()])
    for (const message of current().told('beat')) current().answer(message)
    expect(await hasSettled(beat)).toBe(true)
    await c.stop()
    expect(alive()).toEqual([])
  })

  it('keeps the process running while something is awaited, and otherwise as the services say', async () => {
    threads.isSilent = true
    const { beater, clock } = beating()
    const [a, b] = [beater('a', { keepAlive: false }), beater('b')]
    a.start()
    await settle()
    expect([current().isReferenced, clock.keepAliveTimers]).toEqual([false, 0])
    const beat = a.beatNow()
    expect(current().isReferenced).toBe(true)
    for (const message of current().told('beat')) current().answer(message)
    await beat
    expect(current().isReferenced).toBe(false)
    b.start()
    expect(current().isReferenced).toBe(true)
    const stopping = b.stop()
    expect(current().isReferenced).toBe(true)
    for (const message of current().told('remove')) current().answer(message)
    await stopping
    expect(current().isReferenced).toBe(false)
    current().die()
    expect([clock.pendingTimers, clock.keepAliveTimers]).toEqual([1, 0])
    await a.stop()
  })

  it('tells a thread that begins nothing of a service that was held or stopped before', async () => {
    const answers: (() => void)[] = []
    const { beater } = beating(() => new Promise((answer) => answers.push(() => answer(TARGET))))
    const [a, b, c] = [beater('a'), beater('b'), beater('c')]
    for (const each of [a, b, c]) each.start()
    const beats = [a, b, c].map((each) => each.beatNow())
    a.hold()
    expect(await hasSettled(b.stop())).toBe(true)
    expect(await Promise.all(beats.map(hasSettled))).toEqual([true, true, false])
    answers[0]?.()
    expect(await Promise.all(beats.map(hasSettled))).toEqual([true, true, true])
    expect(current().posted.map(({ type, key, entry }) => [type, key ?? entry?.key])).toEqual([
      ['target', undefined],
      ['add', 'a'],
      ['add', 'c'],
      ['start', 'c'],
      ['beat', 'c'],
    ])
    await Promise.all([a.stop(), c.stop()])
  })

  it('hands a new token to the thread that runs, and harms nothing where that has ended meanwhile', async () => {
    let token = Promise.resolve('first')
    const { beater, thread, clock } = beating(async () => ({ ...TARGET, headers: { token: await token } }))
    await thread.renewTarget()
    expect(threads.started).toEqual([])
    const a = beater('a')
    a.start()
    await a.beatNow()
    token = Promise.resolve('second')
    await thread.renewTarget()
    expect(current().told('target')).toMatchObject([
      { target: { headers: { token: 'first' } } },
      { target: { headers: { token: 'second' } } },
    ])
    let answer: (next: string) => void = () => undefined
    token = new Promise((resolve) => (answer = resolve))
    const renewing = thread.renewTarget()
    current().die()
    await clock.advance(RESPAWN_MS)
    answer('third')
    await renewing
    await settle()
    expect(threads.started).toHaveLength(2)
    expect(current().told('target')).toMatchObject([{ target: { headers: { token: 'third' } } }])
    await a.stop()
  })
})

import { AsyncLocalStorage } from 'node:async_hooks'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { BeatThread } from '../../../../../src/registration/heartbeat/thread/beat-thread.js'
import type { BeatResult, ThreadTarget } from '../../../../../src/registration/heartbeat/thread/messages.js'
import { FakeClock, settle } from '../../../../support/fake-clock.js'
import { recordingLogger } from '../../../../support/recording-logger.js'
import { resetThreads, threads, type PlayedWorker } from '../played-worker.js'

vi.mock('node:worker_threads', async () => ({ Worker: (await import('../played-worker.js')).PlayedWorker }))
beforeEach(resetThreads)

const targetOf = (token: string): ThreadTarget => ({
  baseUrl: 'http://agent',
  socketPath: undefined,
  tls: {},
  headers: { token },
  query: '',
})

/** A thread with one check, and what is to be answered when it asks for the credentials. */
function beating() {
  const clock = new FakeClock()
  const logger = recordingLogger()
  const answers: { resolve(token: string): void; reject(error: Error): void }[] = []
  const thread = new BeatThread({ clock, random: () => 0.5, logger }, () => {
    return new Promise((resolve, reject) => answers.push({ resolve: (token) => resolve(targetOf(token)), reject }))
  })
  const heard: BeatResult[] = []
  const bounds = { intervalMs: 3_000, timeoutMs: 3_000, warnAfterMs: 1_000, criticalAfterMs: 30_000 }
  const entry = { key: 'a', path: '/a', ...bounds, report: { status: 'passing', output: '' } } as const
  const add = (): void => thread.add(entry, true, (result) => heard.push(result))
  const answer = async (index: number, token: string): Promise<void> => {
    answers[index]?.resolve(token)
    await settle()
  }
  return { clock, logger, thread, answers, answer, heard, add }
}

const worker = (): PlayedWorker => {
  const last = threads.started.at(-1)
  if (last === undefined) throw new Error('no thread was started')
  return last
}
const tokens = (): unknown[] =>
  worker()
    .told('target')
    .map(({ target }) => (target as ThreadTarget).headers['token'])

describe('credentials that are renewed', () => {
  it('reach the thread, the newest last, in whatever order they can be read', async () => {
    const { thread, answer, add } = beating()
    add()
    await answer(0, 'first')
    const renewals = [thread.renewTarget(), thread.renewTarget()]
    await settle()
    await answer(2, 'third')
    await answer(1, 'second')
    await Promise.all(renewals)
    expect(tokens()).toEqual(['first', 'third'])
    await thread.remove('a')
  })

  it('reach a thread that is being told the old ones', async () => {
    const { thread, answer, add } = beating()
    add()
    await settle()
    const renewal = thread.renewTarget()
    await answer(0, 'old')
    await answer(1, 'new')
    await renewal
    expect(tokens()).toEqual(['old', 'new'])
    await thread.remove('a')
  })

  it('are not waited for without end', async () => {
    const { thread, answer, clock, add } = beating()
    add()
    await answer(0, 'first')
    const renewal = expect(thread.renewTarget()).rejects.toMatchObject({ code: 'PROCONSUL_TIMEOUT' })
    await clock.advance(10_000)
    await renewal
    expect(tokens()).toEqual(['first'])
    await thread.remove('a')
    expect(clock.keepAliveTimers).toBe(0)
  })

  it('that cannot be read are told to whoever asked, and the thread goes on with those it has', async () => {
    const { thread, answer, answers, add } = beating()
    add()
    await answer(0, 'first')
    const renewal = expect(thread.renewTarget()).rejects.toThrow('unreadable')
    await settle()
    answers[1]?.reject(new Error('unreadable'))
    await renewal
    expect([tokens(), worker().isAlive]).toEqual([['first'], true])
    await thread.remove('a')
  })

  it('are nothing to a client without a thread, nor to one that ends meanwhile', async () => {
    const { thread, answer, add } = beating()
    await thread.renewTarget()
    add()
    const renewal = thread.renewTarget()
    await thread.remove('a')
    await answer(0, 'late')
    await renewal
    expect(tokens()).toEqual([])
  })
})

describe('what the thread says', () => {
  it('is heard where it is about a beat, and never harms where it is something else', async () => {
    const { thread, answer, heard, add } = beating()
    add()
    await answer(0, 'first')
    const beat = { key: 'a', sequences: [], ok: true, status: 'passing', durationMs: 3 }
    for (const message of [
      undefined,
      'x',
      {},
      { sequences: 'x' },
      { key: 'a', sequences: [] },
      { ...beat, key: 'b' },
      beat,
    ]) {
      worker().emit('message', message)
    }
    expect(heard).toEqual([beat])
    await thread.remove('a')
  })

  it('is heard in no async context, whichever call has started the thread', async () => {
    const storage = new AsyncLocalStorage<string>()
    const { clock, thread, answer, add } = beating()
    const seen: unknown[] = []
    const setTimer = clock.setTimer.bind(clock)
    vi.spyOn(clock, 'setTimer').mockImplementation((...given) => {
      seen.push(storage.getStore())
      return setTimer(...given)
    })
    storage.run('a request', add)
    await answer(0, 'first')
    await clock.advance(200)
    expect(new Set(seen)).toEqual(new Set([undefined]))
    await thread.remove('a')
  })
})

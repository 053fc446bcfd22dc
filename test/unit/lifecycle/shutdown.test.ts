import { AsyncLocalStorage } from 'node:async_hooks'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, vi } from 'vitest'
import { systemClock } from '../../../src/core/clock.js'
import { ProconsulError } from '../../../src/errors/proconsul-error.js'
import { resolveCloseOptions, resolveSignalOptions } from '../../../src/lifecycle/shutdown-options.js'
import { reportInsideHook, shutdown, type LeaveOutcome, type ShutdownPlan } from '../../../src/lifecycle/shutdown.js'
import { FakeClock } from '../../support/fake-clock.js'
import { hostile, raise } from '../../support/hostile.js'
import { recordingLogger } from '../../support/recording-logger.js'

const CLEAN: LeaveOutcome = { registrations: 1, leftBehind: [] }

function scene(leave: (signal: AbortSignal) => Promise<LeaveOutcome> = () => Promise.resolve(CLEAN)) {
  const clock = new FakeClock()
  const order: string[] = []
  const note = (what: string): void => void order.push(`${what} at ${clock.monotonic()}`)
  const steps = {
    leave: async (signal: AbortSignal) => {
      note('leave')
      return await leave(signal)
    },
    close: () => {
      note('close')
      return Promise.resolve()
    },
  }
  const logger = recordingLogger()
  const runtime = { clock, random: () => 0.5, logger }
  const run = (plan: Partial<ShutdownPlan>) => shutdown(steps, { drainMs: 5_000, timeoutMs: 20_000, ...plan }, runtime)
  return { clock, order, note, logger, steps, run }
}

describe('a shutdown', () => {
  it('leaves discovery, lets callers notice, runs the hook, then closes the rest', async () => {
    const { clock, order, note, run } = scene()
    const report = run({ onDrained: () => note('hook') })
    await clock.advance(5_000)
    expect(await report).toEqual({ leftBehind: [] })
    expect(order).toEqual(['leave at 0', 'hook at 5000', 'close at 5000'])
    expect(clock.pendingTimers).toBe(0)
  })

  it('waits for no one when nothing was registered', async () => {
    const { order, run } = scene(() => Promise.resolve({ registrations: 0, leftBehind: [] }))
    await run({})
    expect(order).toEqual(['leave at 0', 'close at 0'])
  })

  it('keeps its deadline while the agent does not answer, and says what stayed behind', async () => {
    const { clock, order, note, run } = scene(
      (signal) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => {
            const error = signal.reason as ProconsulError
            resolve({ registrations: 1, leftBehind: [{ id: 'orders-1', error }] })
          })
        }),
    )
    const report = run({ onDrained: () => note('hook') })
    await clock.advance(20_000)
    expect(await report).toMatchObject({ leftBehind: [{ id: 'orders-1', error: { code: 'PROCONSUL_TIMEOUT' } }] })
    expect(order).toEqual(['leave at 0', 'hook at 12500', 'close at 12500'])
  })

  it('with the defaults of signals reaches the hook and the end within ten seconds while the agent does not answer', async () => {
    const { clock, order, note, run } = scene(
      (signal) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => resolve({ registrations: 1, leftBehind: [] }))
        }),
    )
    const hang = new Promise<void>(() => undefined)
    const onDrained = (): Promise<void> => {
      note('hook')
      return hang
    }
    const report = run(resolveSignalOptions({ onDrained }))
    await clock.advance(9_000)
    expect((await report).hookError).toMatchObject({ code: 'PROCONSUL_TIMEOUT' })
    expect(order).toEqual(['leave at 0', 'hook at 7000', 'close at 9000'])
  })

  it.each<[string, () => unknown, string]>([
    ['rejects', () => Promise.reject(new Error('database is stuck')), 'onDrained failed: database is stuck'],
    ['throws a text', () => raise('stuck'), 'onDrained failed: stuck'],
    [
      'throws what has no prototype',
      () => raise(Object.create(null) as object),
      'onDrained failed: [Object: null prototype] {}',
    ],
    ['throws nothing', () => raise(undefined), 'onDrained failed: undefined'],
    [
      'throws an error with a message that is no text',
      () => raise(Object.assign(new Error(), { message: 1n })),
      'onDrained failed: ',
    ],
    [
      'throws a proxy that cannot be looked at',
      () => raise(hostile()),
      'onDrained failed: something that cannot be shown',
    ],
    ['returns a proxy that cannot be looked at', () => hostile(), 'onDrained failed: hands off'],
    [
      'rejects with a timeout of something else',
      () => Promise.reject(new ProconsulError('PROCONSUL_TIMEOUT', 'kv')),
      'onDrained failed: kv',
    ],
  ])('reports a hook that %s, and goes on', async (_what, onDrained, message) => {
    const { clock, order, logger, run } = scene()
    const report = run({ onDrained })
    await clock.advance(5_000)
    const { hookError } = await report
    expect(hookError).toMatchObject({
      code: 'PROCONSUL_HOOK_FAILED',
      message: expect.stringContaining(message) as string,
    })
    expect(logger.messages('error')).toEqual(['the hook after the drain failed'])
    expect(order.at(-1)).toBe('close at 5000')
  })

  it('keeps what the hook threw as the cause', async () => {
    const { clock, run } = scene()
    const cause = new Error('database is stuck')
    const report = run({ onDrained: () => Promise.reject(cause) })
    await clock.advance(5_000)
    expect((await report).hookError?.cause).toBe(cause)
  })

  it('runs the hook in the async context of whoever gave it, and still knows it for its own', async () => {
    const context = new AsyncLocalStorage<string>()
    const seen: unknown[] = []
    const { clock, steps, run } = scene()
    const { onDrained } = context.run('the giver', () =>
      resolveCloseOptions({ onDrained: () => void seen.push(context.getStore(), reportInsideHook(steps)) }),
    )
    const report = context.run('somebody else', () => run({ onDrained }))
    await clock.advance(5_000)
    await report
    expect(seen).toEqual(['the giver', { leftBehind: [] }])
    expect(reportInsideHook(steps)).toBeUndefined()
  })

  it('logs one line when it begins, one for each registration that stays, and one when it is done', async () => {
    const error = new ProconsulError('PROCONSUL_UNAVAILABLE', 'refused')
    const { clock, logger, run } = scene(() =>
      Promise.resolve({ registrations: 2, leftBehind: [{ id: 'a-1', error }] }),
    )
    const report = run({ drainMs: 2_000 })
    await clock.advance(2_000)
    await report
    expect(logger.entries.map(({ level, fields }) => ({ level, ...fields }))).toEqual([
      { level: 'info', event: 'shutdown-begun', drainMs: 2_000, timeoutMs: 20_000 },
      { level: 'warn', event: 'left-behind', id: 'a-1', err: error },
      { level: 'info', event: 'shutdown-done', durationMs: 2_000, leftBehind: ['a-1'] },
    ])
  })

  it('ends a hook that hangs at the deadline, telling it by its signal', async () => {
    const { clock, order, run } = scene()
    const onDrained = vi.fn<NonNullable<ShutdownPlan['onDrained']>>(() => new Promise(() => undefined))
    const report = run({ onDrained })
    await clock.advance(20_000)
    expect((await report).hookError).toMatchObject({ code: 'PROCONSUL_TIMEOUT' })
    expect(onDrained.mock.calls[0]?.[0].signal.aborted).toBe(true)
    expect(order.at(-1)).toBe('close at 20000')
  })

  it('waits for the last call of a server that the hook closes', async () => {
    let answer: () => void = () => undefined
    const server = createServer((_request, response) => {
      answer = () => response.end('done')
    }).listen(0, '127.0.0.1')
    await vi.waitUntil(() => server.listening)
    let body = ''
    const call = request(
      { port: (server.address() as AddressInfo).port, host: '127.0.0.1', agent: false },
      (response) => response.on('data', (chunk: Buffer) => (body += chunk.toString())),
    ).end()
    await vi.waitUntil(() => server.listenerCount('request') > 0 && call.writableFinished)

    let isClosed = false
    const steps = {
      leave: () => Promise.resolve(CLEAN),
      close: () => {
        isClosed = true
        return Promise.resolve()
      },
    }
    const runtime = { clock: systemClock, random: Math.random, logger: recordingLogger() }
    const report = shutdown(steps, { drainMs: 0, timeoutMs: 5_000, onDrained: () => server.close() }, runtime)
    await vi.waitUntil(() => !server.listening)
    expect(isClosed).toBe(false)
    answer()
    expect(await report).toEqual({ leftBehind: [] })
    await vi.waitUntil(() => body === 'done')
  })
})

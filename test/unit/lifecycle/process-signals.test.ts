import { AsyncLocalStorage } from 'node:async_hooks'
import { EventEmitter } from 'node:events'
import { setImmediate } from 'node:timers/promises'
import { describe, expect, it, vi } from 'vitest'
import { ProconsulError } from '../../../src/errors/proconsul-error.js'
import { handleSignals, type SignalProcess } from '../../../src/lifecycle/process-signals.js'
import { processGroup, type ShutdownGroup } from '../../../src/lifecycle/shutdown-group.js'
import type { ShutdownReport } from '../../../src/lifecycle/shutdown.js'
import { resolveSignalOptions, type SignalOptions } from '../../../src/lifecycle/shutdown-options.js'
import { FakeClock } from '../../support/fake-clock.js'
import { hostile, raise } from '../../support/hostile.js'
import { recordingLogger } from '../../support/recording-logger.js'

class FakeProcess extends EventEmitter implements SignalProcess {
  readonly pid = 1
  readonly warnings: Error[] = []

  constructor() {
    super()
    this.on('warning', (warning: Error) => this.warnings.push(warning))
  }

  readonly kill = vi.fn()
  readonly exit = vi.fn<SignalProcess['exit']>()
  readonly emitWarning = vi.fn<SignalProcess['emitWarning']>()
}

function scene(
  options: SignalOptions = {},
  target = new FakeProcess(),
  group: ShutdownGroup = { running: 0, endsProcess: false },
) {
  let finish: (report: ShutdownReport) => void = () => undefined
  const leave = vi.fn(
    () =>
      new Promise<ShutdownReport>((resolve) => {
        finish = resolve
      }),
  )
  const clock = new FakeClock()
  const logger = recordingLogger()
  const handlers = handleSignals(resolveSignalOptions(options), leave, target, group, { clock, logger })
  const settle = async (report: ShutdownReport): Promise<void> => {
    finish(report)
    await setImmediate()
    await setImmediate()
  }
  return { target, leave, handlers, settle, clock, logger }
}

const listeners = (target: FakeProcess): number => target.listenerCount('SIGTERM') + target.listenerCount('SIGINT')

describe('on a signal', () => {
  it('the service leaves, the handlers are removed, and the process ends by the same signal', async () => {
    const { target, leave, settle } = scene()
    target.emit('SIGINT', 'SIGINT')
    expect(leave).toHaveBeenCalledOnce()
    expect(target.kill).not.toHaveBeenCalled()
    await settle({ leftBehind: [] })
    expect(target.kill).toHaveBeenCalledExactlyOnceWith(1, 'SIGINT')
    expect(listeners(target)).toBe(0)
    expect(target.emitWarning).not.toHaveBeenCalled()
  })

  it('the first process of a container, which its own signal cannot end, exits with the status of that signal', async () => {
    const { target, settle } = scene()
    target.emit('SIGTERM', 'SIGTERM')
    await settle({ leftBehind: [] })
    await vi.waitUntil(() => target.exit.mock.calls.length > 0)
    expect(target.exit).toHaveBeenCalledExactlyOnceWith(143)
  })

  it.each<readonly NodeJS.Signals[]>([
    ['SIGTERM', 'SIGTERM'],
    ['SIGINT', 'SIGTERM'],
    ['SIGTERM', 'SIGINT'],
    ['SIGTERM', 'SIGTERM', 'SIGTERM', 'SIGINT', 'SIGTERM'],
  ])('the same order given again (%s, %s) changes nothing, however late it comes', async (...signals) => {
    const { target, leave, clock, settle } = scene()
    for (const signal of signals) {
      target.emit(signal, signal)
      await clock.advance(3_000)
    }
    expect(target.kill).not.toHaveBeenCalled()
    expect(leave).toHaveBeenCalledOnce()
    await settle({ leftBehind: [] })
    expect(target.kill).toHaveBeenCalledExactlyOnceWith(1, signals[0])
  })

  it('a second Ctrl-C within a second is the first one, relayed', async () => {
    const { target, clock } = scene()
    target.emit('SIGINT', 'SIGINT')
    target.emit('SIGINT', 'SIGINT')
    await clock.advance(999)
    target.emit('SIGINT', 'SIGINT')
    await setImmediate()
    expect(target.kill).not.toHaveBeenCalled()
  })

  it.each<readonly NodeJS.Signals[]>([
    ['SIGINT', 'SIGINT'],
    ['SIGTERM', 'SIGINT', 'SIGINT'],
  ])('a second Ctrl-C a second later ends the process at once, and says so', async (...signals) => {
    const { target, leave, clock, logger } = scene()
    for (const signal of signals) {
      expect(target.kill).not.toHaveBeenCalled()
      target.emit(signal, signal)
      await clock.advance(1_000)
    }
    await setImmediate()
    expect(target.kill).toHaveBeenCalledExactlyOnceWith(1, 'SIGINT')
    expect(leave).toHaveBeenCalledOnce()
    const text =
      'a second SIGINT ended the process before the shutdown was done: what it had registered may still be in Consul'
    expect(target.warnings.map(({ message }) => message)).toEqual([text])
    expect(logger.messages('warn')).toEqual([text])
  })

  it('a framework that has closed and raises the signal again is survived, once', async () => {
    const { target, clock } = scene()
    const framework = (): void => undefined
    target.on('SIGINT', framework)
    target.emit('SIGINT', 'SIGINT')
    await clock.advance(2_000)
    target.off('SIGINT', framework)
    target.emit('SIGINT', 'SIGINT')
    await setImmediate()
    expect(target.kill).not.toHaveBeenCalled()
    target.emit('SIGINT', 'SIGINT')
    await setImmediate()
    expect(target.kill).toHaveBeenCalledOnce()
  })

  it('a process that is ended during the shutdown says that something may be left', () => {
    const { target } = scene()
    target.emit('exit', 0)
    expect(target.warnings).toEqual([])
    target.emit('SIGTERM', 'SIGTERM')
    target.emit('exit', 0)
    expect(target.warnings).toMatchObject([
      {
        name: 'ProconsulWarning',
        code: 'PROCONSUL_LEFT_BEHIND',
        message: expect.stringContaining('process.exit()') as string,
      },
    ])
  })

  it('the process is left to the application where it asks for that', async () => {
    const onClosed = vi.fn()
    const { target, settle } = scene({ endProcess: false, onClosed })
    target.emit('SIGTERM', 'SIGTERM')
    await settle({ leftBehind: [] })
    expect(target.kill).not.toHaveBeenCalled()
    expect(onClosed).toHaveBeenCalledExactlyOnceWith({ leftBehind: [] })
    expect(listeners(target)).toBe(0)
  })

  it('what stayed in Consul is said on standard error', async () => {
    const { target, settle } = scene()
    target.emit('SIGTERM', 'SIGTERM')
    await settle({
      leftBehind: [{ id: 'orders-1', error: new ProconsulError('PROCONSUL_TIMEOUT', 'too late') }],
    })
    expect(target.emitWarning.mock.calls).toEqual([
      ['orders-1 is still registered in Consul: too late', { type: 'ProconsulWarning', code: 'PROCONSUL_LEFT_BEHIND' }],
    ])
  })

  it.each<[string, () => unknown, string]>([
    ['throws', () => raise(new Error('metrics are down')), 'onClosed failed: metrics are down'],
    ['rejects', () => Promise.reject(new Error('metrics are down')), 'onClosed failed: metrics are down'],
    ['throws what has no prototype', (): never => raise(bare()), 'onClosed failed: [Object: null prototype] {}'],
    ['throws nothing', () => raise(undefined), 'onClosed failed: undefined'],
    ['throws what cannot be looked at', () => raise(hostile()), 'onClosed failed: something that cannot be shown'],
    ['returns what cannot be looked at', () => hostile(), ''],
  ])('an onClosed that %s does not keep the process from ending', async (_what, onClosed, message) => {
    const { target, settle } = scene({ onClosed })
    target.emit('SIGTERM', 'SIGTERM')
    await settle({ leftBehind: [] })
    await vi.waitUntil(() => target.kill.mock.calls.length === 1)
    expect(target.emitWarning.mock.calls.map(([text]) => text)).toEqual(message === '' ? [] : [message])
  })

  it('onClosed runs in the async context of whoever gave it', async () => {
    const context = new AsyncLocalStorage<string>()
    let heard: string | undefined
    const { target, settle } = context.run('the giver', () =>
      scene({ onClosed: () => void (heard = context.getStore()) }),
    )
    context.run('somebody else', () => target.emit('SIGTERM', 'SIGTERM'))
    await settle({ leftBehind: [] })
    expect(heard).toBe('the giver')
  })

  it('a shutdown that fails for a reason of any kind ends the process all the same', async () => {
    const target = new FakeProcess()
    const group = { running: 0, endsProcess: false }
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- whatever is thrown
    handleSignals(resolveSignalOptions(), (): Promise<never> => Promise.reject(bare()), target, group)
    target.emit('SIGTERM', 'SIGTERM')
    await vi.waitUntil(() => target.kill.mock.calls.length === 1)
    expect(target.emitWarning.mock.calls.map(([text]) => text)).toEqual([
      'the shutdown failed: [Object: null prototype] {}',
    ])
  })

  it('nothing happens any more once the handlers are removed', () => {
    const { target, leave, handlers } = scene({ signals: ['SIGUSR2'] })
    handlers.remove()
    handlers[Symbol.dispose]()
    target.emit('SIGUSR2', 'SIGUSR2')
    expect(leave).not.toHaveBeenCalled()
  })

  it('the process waits for the last of several clients, and the shutdown of each is left its time', async () => {
    const target = new FakeProcess()
    const group = { running: 0, endsProcess: false }
    const [first, second] = [scene({}, target, group), scene({ endProcess: false }, target, group)]
    target.emit('SIGTERM', 'SIGTERM')
    await first.settle({ leftBehind: [] })
    expect(target.kill).not.toHaveBeenCalled()
    await second.settle({ leftBehind: [] })
    expect(target.kill).toHaveBeenCalledExactlyOnceWith(1, 'SIGTERM')
  })

  it('all clients of the process are counted together, those of another copy of the package too', () => {
    expect(processGroup()).toBe(processGroup())
    expect(processGroup()).toEqual({ running: 0, endsProcess: false })
  })
})

describe('somebody else who listens for a signal', () => {
  const warnings = (target: FakeProcess): readonly string[] =>
    target.emitWarning.mock.calls.map(([message, { code }]) => `${code}: ${message.slice(0, 45)}`)

  it('is warned of once, when it was there before', () => {
    const target = new FakeProcess()
    target.on('SIGTERM', () => target.exit(0))
    target.on('SIGINT', () => target.exit(0))
    const group = { running: 0, endsProcess: false }
    scene({}, target, group)
    scene({}, target, group)
    expect(warnings(target)).toEqual(['PROCONSUL_OTHER_LISTENER: something else listens for SIGTERM as well. I'])
  })

  it.each(['on', 'once', 'prependListener'] as const)('is warned of when it comes later, by %s', (method) => {
    const { target } = scene()
    target[method]('SIGINT', () => undefined)
    target[method]('SIGTERM', () => undefined)
    expect(warnings(target)).toEqual(['PROCONSUL_OTHER_LISTENER: something else listens for SIGINT as well. If'])
  })

  it('is no concern where it listens for other things, is of another client, or comes after the handlers were removed', () => {
    const target = new FakeProcess()
    const group = { running: 0, endsProcess: false }
    const first = scene({}, target, group)
    const second = scene({}, target, group)
    target.on('SIGHUP', () => undefined)
    target.on('exit', () => undefined)
    first.handlers.remove()
    second.handlers.remove()
    target.on('SIGTERM', () => undefined)
    expect(warnings(target)).toEqual([])
    expect(target.listenerCount('newListener')).toBe(0)
  })
})

/** An object without a prototype, which cannot be made a text. */
function bare(): object {
  return Object.create(null) as object
}

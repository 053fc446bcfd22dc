import { EventEmitter } from 'node:events'
import { setImmediate } from 'node:timers/promises'
import { describe, expect, it, vi } from 'vitest'
import { ProconsulError } from '../../../src/errors/proconsul-error.js'
import { handleSignals, type SignalProcess } from '../../../src/lifecycle/process-signals.js'
import { processGroup, type ShutdownGroup } from '../../../src/lifecycle/shutdown-group.js'
import type { ShutdownReport } from '../../../src/lifecycle/shutdown.js'
import { resolveSignalOptions, type SignalOptions } from '../../../src/lifecycle/shutdown-options.js'

class FakeProcess extends EventEmitter implements SignalProcess {
  readonly pid = 1
  readonly kill = vi.fn()
  readonly exit = vi.fn()
  readonly emitWarning = vi.fn()
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
  const handlers = handleSignals(resolveSignalOptions(options), leave, target, group)
  const settle = async (report: ShutdownReport): Promise<void> => {
    finish(report)
    await setImmediate()
    await setImmediate()
  }
  return { target, leave, handlers, settle }
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

  it('a second one of either kind ends the process at once', () => {
    const { target, leave } = scene()
    target.emit('SIGTERM', 'SIGTERM')
    target.emit('SIGINT', 'SIGINT')
    expect(target.kill).toHaveBeenCalledExactlyOnceWith(1, 'SIGINT')
    expect(leave).toHaveBeenCalledOnce()
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

  it('a listener of the end that throws does not keep the process from ending', async () => {
    const { target, settle } = scene({
      onClosed: () => {
        throw new Error('metrics are down')
      },
    })
    target.emit('SIGTERM', 'SIGTERM')
    await settle({ leftBehind: [] })
    expect(target.kill).toHaveBeenCalledOnce()
    expect(target.emitWarning).toHaveBeenCalledOnce()
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

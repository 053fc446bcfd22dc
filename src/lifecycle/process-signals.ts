import { constants } from 'node:os'
import { isMainThread } from 'node:worker_threads'
import { tell } from '../core/channels.js'
import { systemClock } from '../core/clock.js'
import { defaultLogger, harmless } from '../core/logger.js'
import type { Runtime } from '../core/runtime.js'
import { isThenable, thrownText } from '../core/thrown.js'
import { ProconsulError } from '../errors/proconsul-error.js'
import {
  followOtherListeners,
  markAsOurs,
  otherListeners,
  type ListenedProcess,
  type NewListener,
} from './other-listeners.js'
import { processGroup, type ShutdownGroup } from './shutdown-group.js'
import type { SignalPlan } from './shutdown-options.js'
import type { ShutdownReport } from './shutdown.js'

/** Handlers of process signals. */
export interface SignalHandlers extends Disposable {
  /** Removes the handlers, where they are still there. Idempotent. */
  remove(): void
}

/** What of the process is needed. */
export interface SignalProcess extends ListenedProcess {
  readonly pid: number
  on(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown
  on(event: 'exit', listener: () => void): unknown
  on(event: 'newListener', listener: NewListener): unknown
  off(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown
  off(event: 'exit', listener: () => void): unknown
  off(event: 'newListener', listener: NewListener): unknown
  removeAllListeners(signal: NodeJS.Signals): unknown
  kill(pid: number, signal: NodeJS.Signals): unknown
  exit(code: number): unknown
  emit(event: 'warning', warning: Error): unknown
  emitWarning(message: string, options: { type: string; code: string }): void
}

const WARNING_TYPE = 'ProconsulWarning'

/** By this time after the signal was raised again, it has ended the process, unless the process is one that signals cannot end. */
const RAISE_GRACE_MS = 100

/** What comes sooner after the first Ctrl-C is the same one, relayed by a launcher or sent to the whole process group. */
const SECOND_INTERRUPT_MS = 1_000

/** @throws ProconsulError `PROCONSUL_INVALID_OPTION` in a worker thread, to which Node.js hands no signal */
export function refuseWorkerThread(): void {
  if (isMainThread) return
  const message =
    'shutdownOnSignals is called in a worker thread, which gets no signals; call it in the main thread, and there have the worker call close()'
  throw new ProconsulError('PROCONSUL_INVALID_OPTION', message)
}

/**
 * Runs `leave` at the first of the signals. The same order given again changes nothing; a second Ctrl-C, a second or more after the
 * first, ends the process at once. Afterwards the handlers are removed and the process ends by the signal that it got, so that its exit
 * status tells its parent what happened. Where several clients of a process handle the signal, that is when the last of them is done.
 */
export function handleSignals(
  plan: SignalPlan,
  leave: () => Promise<ShutdownReport>,
  target: SignalProcess = process,
  group: ShutdownGroup = processGroup(),
  runtime: Pick<Runtime, 'clock' | 'logger'> = { clock: systemClock, logger: harmless(defaultLogger()) },
): SignalHandlers {
  const handling = new SignalHandling(plan, leave, target, group, runtime)
  return { remove: () => handling.remove(), [Symbol.dispose]: () => handling.remove() }
}

/** One client's handling of signals. */
class SignalHandling {
  readonly #plan: SignalPlan
  readonly #leave: () => Promise<ShutdownReport>
  readonly #target: SignalProcess
  readonly #group: ShutdownGroup
  readonly #runtime: Pick<Runtime, 'clock' | 'logger'>
  readonly #stopFollowing: () => void
  readonly #onSignal = markAsOurs((signal: NodeJS.Signals) => this.#hear(signal))
  readonly #onExit = (): void => this.#cutShort('the process was ended, as by process.exit()')
  #isLeaving = false
  #interruptedAt: number | undefined
  /** Of SIGINT, as they were when it was last heard. */
  #others: readonly object[] = []

  constructor(
    plan: SignalPlan,
    leave: () => Promise<ShutdownReport>,
    target: SignalProcess,
    group: ShutdownGroup,
    runtime: Pick<Runtime, 'clock' | 'logger'>,
  ) {
    this.#plan = plan
    this.#leave = leave
    this.#target = target
    this.#group = group
    this.#runtime = runtime
    this.#stopFollowing = followOtherListeners(target, plan.signals, (signal) => this.#warnOfOthers(signal))
    for (const signal of plan.signals) target.on(signal, this.#onSignal)
  }

  remove(): void {
    this.#stopFollowing()
    this.#target.off('exit', this.#onExit)
    for (const signal of this.#plan.signals) this.#target.off(signal, this.#onSignal)
  }

  #hear(signal: NodeJS.Signals): void {
    const isSecondInterrupt = signal === 'SIGINT' && this.#isSecondInterrupt()
    if (!this.#isLeaving) this.#begin(signal)
    else if (isSecondInterrupt) this.#endAtOnce(signal)
  }

  #isSecondInterrupt(): boolean {
    const now = this.#runtime.clock.monotonic()
    const firstAt = (this.#interruptedAt ??= now)
    const before = this.#others
    this.#others = otherListeners(this.#target, 'SIGINT')
    // Frameworks remove their own listener when they are done, and raise the signal again: that is still the first one.
    const isRaisedAgain = before.some((listener) => !this.#others.includes(listener))
    return now - firstAt >= SECOND_INTERRUPT_MS && !isRaisedAgain
  }

  #begin(signal: NodeJS.Signals): void {
    this.#isLeaving = true
    this.#group.running += 1
    this.#group.endsProcess ||= this.#plan.endProcess
    this.#target.on('exit', this.#onExit)
    void this.#leaveAndEnd(signal)
  }

  async #leaveAndEnd(signal: NodeJS.Signals): Promise<void> {
    try {
      const report = await this.#leave()
      this.#tellLeftBehind(report)
      this.#target.off('exit', this.#onExit)
      this.#tellOwner(report)
    } catch (error) {
      this.#warn(`the shutdown failed: ${thrownText(error)}`, 'PROCONSUL_HOOK_FAILED')
    } finally {
      this.remove()
      this.#group.running -= 1
      // Warnings are written a moment after they were emitted.
      if (this.#group.running === 0 && this.#group.endsProcess) setImmediate(() => endBySignal(signal, this.#target))
    }
  }

  /** Nobody reads a log when a process has just ended: what stayed in Consul goes to standard error. */
  #tellLeftBehind({ leftBehind }: ShutdownReport): void {
    for (const { id, error } of leftBehind) {
      this.#warn(`${id} is still registered in Consul: ${error.message}`, 'PROCONSUL_LEFT_BEHIND')
    }
  }

  #tellOwner(report: ShutdownReport): void {
    const fail = (thrown: unknown): void =>
      this.#warn(`onClosed failed: ${thrownText(thrown)}`, 'PROCONSUL_HOOK_FAILED')
    try {
      const returned = this.#plan.onClosed?.(report)
      if (isThenable(returned)) returned.then(undefined, fail)
    } catch (error) {
      fail(error)
    }
  }

  #endAtOnce(signal: NodeJS.Signals): void {
    this.remove()
    this.#cutShort(`a second ${signal} ended the process`)
    setImmediate(() => endBySignal(signal, this.#target))
  }

  #cutShort(how: string): void {
    const message = `${how} before the shutdown was done: what it had registered may still be in Consul`
    tell(this.#runtime.logger, 'shutdown-cut-short', {}, message)
    // A process that is exiting writes no warning that is emitted in the usual way, which takes a moment.
    const warning = Object.assign(new Error(message), { name: WARNING_TYPE, code: 'PROCONSUL_LEFT_BEHIND' })
    this.#target.emit('warning', warning)
  }

  #warnOfOthers(signal: NodeJS.Signals): void {
    if (this.#group.hasWarned === true) return
    this.#group.hasWarned = true
    this.#warn(
      `something else listens for ${signal} as well. If it closes the server or ends the process, that comes before the drain: leave the ` +
        'signals to shutdownOnSignals, and close in onDrained (docs/guides/deploying.md)',
      'PROCONSUL_OTHER_LISTENER',
    )
  }

  #warn(message: string, code: string): void {
    this.#target.emitWarning(message, { type: WARNING_TYPE, code })
  }
}

function endBySignal(signal: NodeJS.Signals, target: SignalProcess): void {
  // Whoever else listened has heard the signal the first time.
  target.removeAllListeners(signal)
  target.kill(target.pid, signal)
  // The first process of a container cannot be ended by a signal that it sends to itself.
  setTimeout(() => target.exit(128 + constants.signals[signal]), RAISE_GRACE_MS)
}

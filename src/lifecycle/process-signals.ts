import { constants } from 'node:os'
import { processGroup, type ShutdownGroup } from './shutdown-group.js'
import type { ShutdownReport } from './shutdown.js'
import type { SignalPlan } from './shutdown-options.js'

/** Handlers of process signals. */
export interface SignalHandlers extends Disposable {
  /** Removes the handlers, where they are still there. Idempotent. */
  remove(): void
}

/** What of the process is needed. */
export interface SignalProcess {
  readonly pid: number
  on(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown
  off(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown
  removeAllListeners(signal: NodeJS.Signals): unknown
  kill(pid: number, signal: NodeJS.Signals): unknown
  exit(code: number): unknown
  emitWarning(message: string, options: { type: string; code: string }): void
}

const WARNING_TYPE = 'ProconsulWarning'

/** By this time after the signal was raised again, it has ended the process, unless the process is one that signals cannot end. */
const RAISE_GRACE_MS = 100

/**
 * Runs `leave` at the first of the signals; a second one ends the process at once. Afterwards the handlers are removed and the process
 * ends by the signal that it got, so that its exit status tells its parent what happened. Where several clients of a process handle the
 * signal, that is when the last of them is done.
 */
export function handleSignals(
  plan: SignalPlan,
  leave: () => Promise<ShutdownReport>,
  target: SignalProcess = process,
  group: ShutdownGroup = processGroup(),
): SignalHandlers {
  let isLeaving = false
  const remove = (): void => {
    for (const signal of plan.signals) target.off(signal, onSignal)
  }
  const onSignal = (signal: NodeJS.Signals): void => {
    if (isLeaving) {
      remove()
      endBySignal(signal, target)
      return
    }
    isLeaving = true
    group.running += 1
    group.endsProcess ||= plan.endProcess
    void leaveAndEnd(signal)
  }
  const leaveAndEnd = async (signal: NodeJS.Signals): Promise<void> => {
    try {
      const report = await leave()
      tell(report, target)
      plan.onClosed?.(report)
    } catch (error) {
      target.emitWarning(`the shutdown failed: ${String(error)}`, { type: WARNING_TYPE, code: 'PROCONSUL_HOOK_FAILED' })
    } finally {
      remove()
      group.running -= 1
      // Warnings are written a moment after they were emitted.
      if (group.running === 0 && group.endsProcess) setImmediate(() => endBySignal(signal, target))
    }
  }
  for (const signal of plan.signals) target.on(signal, onSignal)
  return { remove, [Symbol.dispose]: remove }
}

/** Nobody reads a log when a process has just ended: what stayed in Consul goes to standard error. */
function tell({ leftBehind }: ShutdownReport, target: SignalProcess): void {
  for (const { id, error } of leftBehind) {
    const message = `${id} is still registered in Consul: ${error.message}`
    target.emitWarning(message, { type: WARNING_TYPE, code: 'PROCONSUL_LEFT_BEHIND' })
  }
}

function endBySignal(signal: NodeJS.Signals, target: SignalProcess): void {
  // Whoever else listened has heard the signal the first time.
  target.removeAllListeners(signal)
  target.kill(target.pid, signal)
  // The first process of a container cannot be ended by a signal that it sends to itself.
  setTimeout(() => target.exit(128 + constants.signals[signal]), RAISE_GRACE_MS)
}

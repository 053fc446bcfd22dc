import { constants } from 'node:os'
import { parseDuration, type Duration } from '../core/duration.js'
import { checkBoolean, checkFunction, checkObject, checkStrings } from '../core/option-check.js'
import { invalidOption } from '../errors/invalid-option.js'
import type { DrainedHook, ShutdownPlan, ShutdownReport } from './shutdown.js'

/** Options of `close`. */
export interface CloseOptions {
  /** Time for callers to notice, after the service has left discovery. Not waited for when nothing was registered. Default 0. */
  readonly drain?: Duration | undefined
  /** Time for everything. Default `'20s'`. */
  readonly timeout?: Duration | undefined
  /**
   * Runs after the drain: stop the servers, close the database. What it returns is awaited; a `net.Server`, as `server.close()` returns
   * it, until its last connection has ended. The signal is aborted when time is up.
   */
  readonly onDrained?: DrainedHook | undefined
}

/** Options of `shutdownOnSignals`. */
export interface SignalOptions extends CloseOptions {
  /** Default `['SIGTERM', 'SIGINT']`. */
  readonly signals?: readonly NodeJS.Signals[] | undefined
  /** As in `close`, but the default is `'5s'`: watchers hear of a change within a second, DNS caches and pollers need some more. */
  readonly drain?: Duration | undefined
  /** Whether the process then ends by the same signal. Set it to false to leave that to the application. Default true. */
  readonly endProcess?: boolean | undefined
  /** Hears how it went, before the process ends. */
  readonly onClosed?: ((report: ShutdownReport) => void) | undefined
}

/** Signal options with every value decided. */
export interface SignalPlan extends ShutdownPlan {
  readonly signals: readonly NodeJS.Signals[]
  readonly endProcess: boolean
  readonly onClosed?: ((report: ShutdownReport) => void) | undefined
}

/** Every default, with its reason. */
export const SHUTDOWN_DEFAULTS = Object.freeze({
  /** Below the 30 s that Kubernetes and systemd-like supervisors commonly give before they kill. */
  timeoutMs: 20_000,
  closeDrainMs: 0,
  signalDrainMs: 5_000,
  signals: Object.freeze(['SIGTERM', 'SIGINT'] as const),
})

/** The system does not let a process handle these. */
const UNCATCHABLE: readonly string[] = ['SIGKILL', 'SIGSTOP']

const CLOSE_OPTIONS = ['drain', 'timeout', 'onDrained']

/** @throws ProconsulError `PROCONSUL_INVALID_OPTION`, naming the option. */
export function resolveCloseOptions(options: CloseOptions = {}): ShutdownPlan {
  checkObject('options', options, CLOSE_OPTIONS)
  return plan(options, SHUTDOWN_DEFAULTS.closeDrainMs)
}

/** @throws ProconsulError `PROCONSUL_INVALID_OPTION`, naming the option. */
export function resolveSignalOptions(options: SignalOptions = {}): SignalPlan {
  checkObject('options', options, [...CLOSE_OPTIONS, 'signals', 'endProcess', 'onClosed'])
  const signals = options.signals ?? SHUTDOWN_DEFAULTS.signals
  if (checkStrings('signals', signals).length === 0)
    throw invalidOption('signals', signals, "names such as ['SIGTERM']")
  const usable = Object.keys(constants.signals).filter((name) => !UNCATCHABLE.includes(name))
  for (const signal of signals) {
    if (!usable.includes(signal))
      throw invalidOption('signals', signal, "the name of a signal that can be caught, such as 'SIGTERM'")
  }
  return {
    ...plan(options, SHUTDOWN_DEFAULTS.signalDrainMs),
    signals: [...signals],
    endProcess: checkBoolean('endProcess', options.endProcess ?? true),
    onClosed: options.onClosed && checkFunction('onClosed', options.onClosed),
  }
}

function plan(options: CloseOptions, defaultDrainMs: number): ShutdownPlan {
  const timeoutMs = parseDuration('timeout', options.timeout ?? SHUTDOWN_DEFAULTS.timeoutMs, { minMs: 1 })
  // Where only the timeout is given, and it is short, the default drain gives way.
  const drainMs =
    options.drain === undefined
      ? Math.min(defaultDrainMs, timeoutMs / 2)
      : parseDuration('drain', options.drain, { maxMs: timeoutMs })
  return { timeoutMs, drainMs, onDrained: options.onDrained && checkFunction('onDrained', options.onDrained) }
}

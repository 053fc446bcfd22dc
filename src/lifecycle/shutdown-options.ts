import { constants } from 'node:os'
import { inThisContext } from '../core/async-context.js'
import { formatDuration, parseDuration, type Duration } from '../core/duration.js'
import { checkBoolean, checkFunction, checkObject, checkStrings } from '../core/option-check.js'
import { invalidOption } from '../errors/invalid-option.js'
import { boundHook, type DrainedHook } from './drained-hook.js'
import type { ShutdownPlan, ShutdownReport } from './shutdown.js'

/** Options of `close`. */
export interface CloseOptions {
  /** Time for callers to notice, after the service has left discovery. Not waited for when no registration had reached an agent. Default 0. */
  readonly drain?: Duration | undefined
  /** Time for everything. Default `'20s'`. */
  readonly timeout?: Duration | undefined
  /**
   * Runs after the drain: stop the servers, close the database. What it returns is awaited; a `net.Server`, as `server.close()` returns
   * it, until its last connection has ended. The signal is aborted when time is up. Runs in the async context of whoever gave it.
   */
  readonly onDrained?: DrainedHook | undefined
}

/** Options of `shutdownOnSignals`. */
export interface SignalOptions extends CloseOptions {
  /** Default `['SIGTERM', 'SIGINT']`. */
  readonly signals?: readonly NodeJS.Signals[] | undefined
  /** As in `close`, but the default is `'5s'`: watchers hear of a change within a second, DNS caches and pollers need some more. */
  readonly drain?: Duration | undefined
  /** As in `close`, but the default is `'9s'`: Docker and Compose kill ten seconds after the signal unless they are told otherwise. */
  readonly timeout?: Duration | undefined
  /** Whether the process then ends by the same signal. Set it to false to leave that to the application. Default true. */
  readonly endProcess?: boolean | undefined
  /** Hears how it went, before the process ends. Not waited for. Runs in the async context of whoever gave it. */
  readonly onClosed?: ((report: ShutdownReport) => void) | undefined
}

/** Signal options with every value decided. */
export interface SignalPlan extends ShutdownPlan {
  readonly signals: readonly NodeJS.Signals[]
  readonly endProcess: boolean
  readonly onClosed?: ((report: ShutdownReport) => unknown) | undefined
}

/** Every default, with its reason. */
export const SHUTDOWN_DEFAULTS = Object.freeze({
  /** `close` is called by programs that know how long they have: below the 30 s that most supervisors give before they kill. */
  closeTimeoutMs: 20_000,
  closeDrainMs: 0,
  /** With a second to spare for the end itself, below the ten of `docker stop`, the shortest patience among common supervisors. */
  signalTimeoutMs: 9_000,
  signalDrainMs: 5_000,
  signals: Object.freeze(['SIGTERM', 'SIGINT'] as const),
})

/** The system does not let a process handle these. */
const UNCATCHABLE: readonly string[] = ['SIGKILL', 'SIGSTOP']

const CLOSE_OPTIONS = ['drain', 'timeout', 'onDrained']

/** @throws ProconsulError `PROCONSUL_INVALID_OPTION`, naming the option. */
export function resolveCloseOptions(options: CloseOptions = {}): ShutdownPlan {
  checkObject('options', options, CLOSE_OPTIONS)
  return plan(options, SHUTDOWN_DEFAULTS.closeTimeoutMs, SHUTDOWN_DEFAULTS.closeDrainMs)
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
    ...plan(options, SHUTDOWN_DEFAULTS.signalTimeoutMs, SHUTDOWN_DEFAULTS.signalDrainMs),
    signals: [...new Set(signals)],
    endProcess: checkBoolean('endProcess', options.endProcess ?? true),
    ...(options.onClosed !== undefined && { onClosed: inThisContext(checkFunction('onClosed', options.onClosed)) }),
  }
}

function plan(options: CloseOptions, defaultTimeoutMs: number, defaultDrainMs: number): ShutdownPlan {
  const timeoutMs = parseDuration('timeout', options.timeout ?? defaultTimeoutMs, { minMs: 1 })
  // Where only the timeout is given, and it is short, the default drain gives way.
  const longestDefaultMs = options.timeout === undefined ? timeoutMs : timeoutMs / 2
  const drainMs = parseDuration('drain', options.drain ?? Math.min(defaultDrainMs, longestDefaultMs))
  if (drainMs > timeoutMs) {
    const range = `a duration from 0ms to ${formatDuration(timeoutMs)}, which is the timeout of the whole`
    throw invalidOption('drain', options.drain, range)
  }
  const { onDrained } = options
  return {
    timeoutMs,
    drainMs,
    ...(onDrained !== undefined && { onDrained: boundHook(checkFunction('onDrained', onDrained)) }),
  }
}

import { tell } from '../core/channels.js'
import { formatDuration } from '../core/duration.js'
import type { Runtime } from '../core/runtime.js'
import { sleep } from '../core/sleep.js'
import { ProconsulError } from '../errors/proconsul-error.js'
import { isInsideHookOf, runHook, type DrainedHook } from './drained-hook.js'

/**
 * The order in which a service leaves: out of discovery, time for callers to notice, the application's own hook, then everything else.
 * One deadline bounds the whole, and no step can use up the time of the next.
 */

/** How to leave, with every value decided. */
export interface ShutdownPlan {
  /** Time for callers to notice, after the service has left discovery. */
  readonly drainMs: number
  /** Time for everything. */
  readonly timeoutMs: number
  readonly onDrained?: DrainedHook | undefined
}

/** What the owner can do. */
export interface ShutdownSteps {
  /** Takes every registration out of discovery. Resolves with those that stayed; never rejects. */
  leave(signal: AbortSignal): Promise<LeaveOutcome>
  /** Stops everything else and closes the sockets. */
  close(): Promise<void>
}

/** What became of the registrations. */
export interface LeaveOutcome {
  /** How many an agent had: only then there are callers to wait for. */
  readonly registrations: number
  readonly leftBehind: readonly LeftBehind[]
}

/** A registration that could not be taken back, or that the catalog went on listing. Consul removes it when its check has been critical for long enough. */
export interface LeftBehind {
  readonly id: string
  readonly error: ProconsulError
}

/** How the shutdown went. */
export interface ShutdownReport {
  /** Registrations that are still in Consul. Empty when all went well. */
  readonly leftBehind: readonly LeftBehind[]
  /** `PROCONSUL_HOOK_FAILED`: the application's hook threw or rejected. `PROCONSUL_TIMEOUT`: it took too long. */
  readonly hookError?: ProconsulError
}

/** What shutdowns whose hook is running have come to. */
const reportsSoFar = new WeakMap<ShutdownSteps, ShutdownReport>()

/** What the shutdown of these steps has come to, for a caller who is its own hook: it must not wait for what waits for it. */
export function reportInsideHook(steps: ShutdownSteps): ShutdownReport | undefined {
  return isInsideHookOf(steps) ? reportsSoFar.get(steps) : undefined
}

/** Runs the steps in order. Never rejects but for a bug: what went wrong is in the report. */
export async function shutdown(steps: ShutdownSteps, plan: ShutdownPlan, runtime: Runtime): Promise<ShutdownReport> {
  const { clock, logger } = runtime
  const { drainMs, timeoutMs, onDrained } = plan
  const startedAt = clock.monotonic()
  tell(logger, 'shutdown-begun', { drainMs, timeoutMs }, 'the client leaves: out of discovery, drain, hook, end')
  // An agent that does not answer may take half of what the drain leaves, so that the hook still has its time.
  const { registrations, leftBehind } = await boundedLeave(steps, (timeoutMs - drainMs) / 2, runtime)
  for (const { id, error } of leftBehind) tell(logger, 'left-behind', { id, err: error }, `${id} is still in Consul`)
  if (registrations > 0) await sleep(drainMs, { clock })
  reportsSoFar.set(steps, { leftBehind })
  const leftMs = startedAt + timeoutMs - clock.monotonic()
  const hookError = onDrained && (await runHook(onDrained, steps, leftMs, clock))
  if (hookError !== undefined) tell(logger, 'hook-failed', { err: hookError }, 'the hook after the drain failed')
  await steps.close()
  const fields = { durationMs: clock.monotonic() - startedAt, leftBehind: leftBehind.map(({ id }) => id) }
  tell(logger, 'shutdown-done', fields, 'the client has left')
  return { leftBehind, ...(hookError !== undefined && { hookError }) }
}

async function boundedLeave(steps: ShutdownSteps, timeoutMs: number, { clock }: Runtime): Promise<LeaveOutcome> {
  const controller = new AbortController()
  const error = new ProconsulError(
    'PROCONSUL_TIMEOUT',
    `the agent did not confirm the deregistration within ${formatDuration(timeoutMs)}`,
  )
  const timer = clock.setTimer(() => controller.abort(error), timeoutMs)
  try {
    return await steps.leave(controller.signal)
  } finally {
    timer.cancel()
  }
}

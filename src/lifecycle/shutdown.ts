import { AsyncLocalStorage } from 'node:async_hooks'
import { Server } from 'node:net'
import { withDeadline } from '../core/abort.js'
import { formatDuration } from '../core/duration.js'
import type { Runtime } from '../core/runtime.js'
import { sleep } from '../core/sleep.js'
import { ProconsulError, isProconsulError } from '../errors/proconsul-error.js'

/**
 * The order in which a service leaves: out of discovery, time for callers to notice, the application's own hook, then everything else.
 * One deadline bounds the whole, and no step can use up the time of the next.
 */

/** What the application does between the drain and the end. */
export type DrainedHook = (context: HookContext) => unknown

/** What the hook is given. */
export interface HookContext {
  /** Aborted when time is up. */
  readonly signal: AbortSignal
}

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
  /** How many there were. */
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

/** Set while the application's hook runs, for whatever it calls. */
const insideHook = new AsyncLocalStorage<{ readonly steps: ShutdownSteps; readonly report: ShutdownReport }>()

/** What the shutdown of these steps has come to, for a caller who is its own hook: it must not wait for what waits for it. */
export function reportInsideHook(steps: ShutdownSteps): ShutdownReport | undefined {
  const inside = insideHook.getStore()
  return inside?.steps === steps ? inside.report : undefined
}

/** Runs the steps in order. Never rejects but for a bug: what went wrong is in the report. */
export async function shutdown(steps: ShutdownSteps, plan: ShutdownPlan, runtime: Runtime): Promise<ShutdownReport> {
  const { clock, logger } = runtime
  const endAt = clock.monotonic() + plan.timeoutMs
  // An agent that does not answer may take half of what the drain leaves, so that the hook still has its time.
  const leaveMs = (plan.timeoutMs - plan.drainMs) / 2
  const { registrations, leftBehind } = await boundedLeave(steps, leaveMs, runtime)
  if (registrations > 0) await sleep(plan.drainMs, { clock })
  const within = { steps, report: { leftBehind } }
  const { onDrained } = plan
  const hook = onDrained && ((context: HookContext) => insideHook.run(within, () => onDrained(context)))
  const hookError = hook && (await runHook(hook, endAt - clock.monotonic(), runtime))
  if (hookError !== undefined) logger.error({ err: hookError }, 'the hook after the drain failed')
  await steps.close()
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

async function runHook(hook: DrainedHook, timeoutMs: number, { clock }: Runtime): Promise<ProconsulError | undefined> {
  const onTimeout = (): ProconsulError =>
    new ProconsulError('PROCONSUL_TIMEOUT', 'onDrained did not finish before the deadline of the shutdown')
  try {
    await withDeadline({ clock, timeoutMs: Math.max(0, timeoutMs), onTimeout }, async (signal) => {
      const returned = hook({ signal })
      await (returned instanceof Server ? closed(returned) : returned)
    })
    return undefined
  } catch (cause) {
    if (isProconsulError(cause, 'PROCONSUL_TIMEOUT')) return cause
    return new ProconsulError('PROCONSUL_HOOK_FAILED', 'onDrained failed', { cause })
  }
}

/** `onDrained: () => server.close()` hands over a server whose last calls may still be running. */
async function closed(server: Server): Promise<void> {
  await new Promise<void>((resolve) => server.once('close', resolve))
}

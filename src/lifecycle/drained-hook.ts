import { AsyncLocalStorage } from 'node:async_hooks'
import { Server } from 'node:net'
import { withDeadline } from '../core/abort.js'
import { inThisContext } from '../core/async-context.js'
import type { Clock } from '../core/clock.js'
import { thrownText } from '../core/thrown.js'
import { ProconsulError } from '../errors/proconsul-error.js'

/** What the application does between the drain and the end. */
export type DrainedHook = (context: HookContext) => unknown

/** What the hook is given. */
export interface HookContext {
  /** Aborted when time is up. */
  readonly signal: AbortSignal
}

/** Set while a hook runs, for whatever it calls: whose shutdown it belongs to. */
const owners = new AsyncLocalStorage<object>()

/** Whether the caller is the hook of this owner's shutdown, which must not wait for what waits for it. */
export function isInsideHookOf(owner: object): boolean {
  return owners.getStore() === owner
}

/** The same hook, run in the async context of this call. */
export function boundHook(hook: DrainedHook): DrainedHook {
  const call = inThisContext((owner: object | undefined, context: HookContext) =>
    owner === undefined ? hook(context) : owners.run(owner, () => hook(context)),
  )
  return (context) => call(owners.getStore(), context)
}

/**
 * Runs the hook and waits for what it returns; for a server, until its last connection has ended. Resolves with what went wrong. Whatever
 * the hook throws or returns, this never rejects.
 */
export async function runHook(
  hook: DrainedHook,
  owner: object,
  timeoutMs: number,
  clock: Clock,
): Promise<ProconsulError | undefined> {
  const tooLate = new ProconsulError(
    'PROCONSUL_TIMEOUT',
    'onDrained did not finish before the deadline of the shutdown',
  )
  try {
    await withDeadline({ clock, timeoutMs: Math.max(0, timeoutMs), onTimeout: () => tooLate }, async (signal) => {
      const returned = owners.run(owner, () => hook({ signal }))
      await (returned instanceof Server ? closed(returned) : returned)
    })
    return undefined
  } catch (cause) {
    if (cause === tooLate) return tooLate
    return new ProconsulError('PROCONSUL_HOOK_FAILED', `onDrained failed: ${thrownText(cause)}`, { cause })
  }
}

/** `onDrained: () => server.close()` hands over a server whose last calls may still be running. */
async function closed(server: Server): Promise<void> {
  await new Promise<void>((resolve) => server.once('close', resolve))
}

import type { AgentCheckApi } from '../../../api/agent-check.js'
import type { Runtime } from '../../../core/runtime.js'
import { isProconsulError } from '../../../errors/proconsul-error.js'

/** What checks are taken over with. */
export interface TakeOverParts {
  readonly runtime: Runtime
  readonly checks: AgentCheckApi
}

/** Nobody waits for it: a check that is taken over is ended at once. */
const TTL_MS = 600_000

/**
 * Registers those of the checks that the agent has under the present token, before they are ended. The agent tells the servers of an end
 * under the token that a check was registered with: where that is revoked they would go on listing it. Its status stays as it is.
 */
export async function takeOver(
  { checks, runtime }: TakeOverParts,
  serviceId: string,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  if (ids.length === 0) return
  const filter = ids.map((id) => `CheckID == ${JSON.stringify(id)}`).join(' or ')
  try {
    const present = await checks.list({ filter, signal })
    await Promise.all(
      present.map(({ id, name, notes }) =>
        checks.register({ id, name, notes, type: 'ttl', ttlMs: TTL_MS }, { serviceId, signal }),
      ),
    )
  } catch (error) {
    if (signal.aborted || !isProconsulError(error) || error.retryable) throw error
    runtime.logger.debug({ id: serviceId, err: error }, 'checks could not be taken over before their end')
  }
}

import type { AgentServiceApi } from '../../../api/agent-service.js'
import type { ServiceRecord } from '../../../api/health-entry.js'
import { queryKey } from '../../../watch/query-key.js'
import { AGENT_SCOPE } from '../../../watch/read-scope.js'
import type { WatchEngine, WatchFamily } from '../../../watch/watch-engine.js'

/** How often a record that is not there is looked for. */
const POLL_MS = 1_000

/** Watches single records at the agent, which blocks on a hash of their content. */
export class RecordWatch {
  readonly #services: AgentServiceApi
  readonly #records: WatchFamily<ServiceRecord | undefined>

  constructor(engine: WatchEngine, services: AgentServiceApi) {
    this.#services = services
    this.#records = engine.family<ServiceRecord | undefined>({
      name: 'agent.service',
      reconcile: (previous, next) => (JSON.stringify(previous) === JSON.stringify(next) ? previous : next),
      isEmpty: (record) => record === undefined,
    })
  }

  /** Calls `onChange` at every change, and `onFailure` when the agent cannot be asked any more. Returns what stops that. */
  watch(id: string, onChange: () => void, onFailure: () => void): () => void {
    const query = {
      key: queryKey(id),
      scope: AGENT_SCOPE,
      // An unknown id cannot be waited for. It is being registered again at this moment.
      pollMs: POLL_MS,
      read: async ({ hash, waitMs, signal }: { hash?: string; waitMs: number; signal: AbortSignal }) =>
        await this.#services.get(id, { signal, repeat: false, ...(hash !== undefined && { hash, wait: waitMs }) }),
    }
    const subscription = this.#records.subscribe(query, { onValue: onChange, onRecovery: onChange, onFailure })
    return () => subscription.close()
  }
}

import type { AgentServiceApi } from '../../../api/agent-service.js'
import type { ServiceRecord } from '../../../api/health-entry.js'
import { queryKey } from '../../../watch/query-key.js'
import { AGENT_SCOPE } from '../../../watch/read-scope.js'
import type { WatchEngine, WatchFamily } from '../../../watch/watch-engine.js'

/** How soon a change is seen, where no heartbeat would notice it. */
const POLL_MS = 1_000

/**
 * Looks at single records of the agent again and again. The agent could hold such a question until the content changes, but not for an id
 * that it has forgotten, which is what is looked for.
 */
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
      pollMs: POLL_MS,
      read: async ({ signal }: { signal: AbortSignal }) => await this.#services.get(id, { signal, repeat: false }),
    }
    const subscription = this.#records.subscribe(query, { onValue: onChange, onRecovery: onChange, onFailure })
    return () => subscription.close()
  }
}

import type { AgentApi } from '../../../api/agent.js'
import type { AgentCheckApi } from '../../../api/agent-check.js'
import type { AgentServiceApi } from '../../../api/agent-service.js'
import type { HealthApi } from '../../../api/health.js'
import type { Runtime } from '../../../core/runtime.js'

/** What Consul's records are kept with. */
export interface ConsulParts {
  readonly runtime: Runtime
  readonly agent: Pick<AgentApi, 'self'>
  readonly services: AgentServiceApi
  readonly checks: AgentCheckApi
  readonly health: HealthApi
  /** How often the token has changed. */
  tokenChanges(): number
}

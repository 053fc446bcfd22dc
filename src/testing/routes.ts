import type { AgentNode } from './agent/agent-node.js'
import { aclRoutes } from './endpoints/acl.js'
import { agentCheckRoutes } from './endpoints/agent-checks.js'
import { agentSelfRoutes } from './endpoints/agent-self.js'
import { agentServiceRoutes } from './endpoints/agent-services.js'
import { catalogRegisterRoutes } from './endpoints/catalog-register.js'
import { catalogRoutes } from './endpoints/catalog.js'
import { eventRoutes } from './endpoints/event.js'
import { healthRoutes } from './endpoints/health.js'
import { kvRoutes } from './endpoints/kv.js'
import { preparedQueryRoutes } from './endpoints/prepared-query.js'
import { sessionRoutes } from './endpoints/session.js'
import { statusRoutes } from './endpoints/status.js'
import { txnRoutes } from './endpoints/txn.js'
import type { Route } from './server/router.js'

/** Everything that an agent answers. */
export function agentRoutes(agent: AgentNode, options: { readonly minSessionTtlMs: number }): readonly Route[] {
  return [
    ...agentSelfRoutes(agent),
    ...agentServiceRoutes(agent),
    ...agentCheckRoutes(agent),
    ...healthRoutes(agent),
    ...catalogRoutes(agent),
    ...catalogRegisterRoutes(agent),
    ...kvRoutes(agent),
    ...txnRoutes(agent),
    ...sessionRoutes(agent, options.minSessionTtlMs),
    ...eventRoutes(agent),
    ...preparedQueryRoutes(agent),
    ...aclRoutes(agent),
    ...statusRoutes(agent),
  ]
}

import type { AgentNode } from '../agent/agent-node.js'
import { json } from '../wire/reply.js'
import type { Route } from '../server/router.js'

/** `/v1/status/…`. See https://developer.hashicorp.com/consul/api-docs/status. */
export function statusRoutes(agent: AgentNode): readonly Route[] {
  const server = `${agent.identity.address}:${agent.identity.rpcPort}`
  return [
    { path: '/v1/status/leader', methods: { GET: () => json(agent.cluster.hasLeader ? server : '') } },
    { path: '/v1/status/peers', methods: { GET: () => json([server]) } },
  ]
}

/** `/v1/agent/self`, `/v1/agent/members`, node maintenance and the agent's own opinion of its services. */
import type { AgentNode } from '../agent/agent-node.js'
import { json, type Reply } from '../wire/reply.js'
import type { Route } from '../server/router.js'
import { aggregatedHealthRoutes } from './aggregated-health.js'
import { setNodeMaintenance } from './maintenance.js'

/** The routes that are about the agent itself. */
export function agentSelfRoutes(agent: AgentNode): readonly Route[] {
  return [
    {
      path: '/v1/agent/self',
      methods: {
        GET: (request) => {
          agent.view(request.token).require('agent', agent.nodeName, 'read')
          return self(agent)
        },
      },
    },
    {
      path: '/v1/agent/members',
      methods: {
        GET: (request) => {
          const view = agent.view(request.token)
          const members = agent.cluster.members().filter(({ nodeName }) => view.readsNode(nodeName))
          return json(members.map(({ nodeName }) => memberJson(agent, nodeName)))
        },
      },
    },
    { path: '/v1/agent/maintenance', methods: { PUT: (request) => setNodeMaintenance(agent, request) } },
    ...aggregatedHealthRoutes(agent),
  ]
}

/** What servers tell each other of themselves. */
const SERVER_TAGS = {
  ft_fs: '1',
  port: '8300',
  raft_vsn: '3',
  vsn: '2',
  vsn_max: '3',
  vsn_min: '2',
  wan_join_port: '8302',
}

function self(agent: AgentNode): Reply {
  const { identity, cluster, profile } = agent
  return json({
    Config: {
      Datacenter: cluster.datacenter,
      NodeName: identity.nodeName,
      NodeID: identity.nodeId,
      Revision: '',
      Server: identity.isServer,
      Version: profile.release,
    },
    DebugConfig: {
      ACLsEnabled: cluster.acl.isEnabled,
      ACLDefaultPolicy: cluster.acl.defaultPolicy,
      Datacenter: cluster.datacenter,
      DevMode: true,
      NodeID: identity.nodeId,
      NodeName: identity.nodeName,
    },
    // Where a node stands that has measured no way to another.
    Coord: { Vec: [0, 0, 0, 0, 0, 0, 0, 0], Error: 1.5, Adjustment: 0, Height: 0.00001 },
    Member: memberJson(agent, identity.nodeName),
    Stats: {
      agent: {
        check_monitors: '0',
        check_ttls: '0',
        checks: String(agent.local.checks().length),
        services: String(agent.local.services().length),
      },
      consul: { leader: String(cluster.hasLeader), server: String(identity.isServer) },
    },
    Meta: cluster.store.catalog.node(identity.nodeName)?.meta ?? identity.meta,
  })
}

function memberJson({ cluster, identity, profile }: AgentNode, nodeName: string): object {
  const node = cluster.store.catalog.node(nodeName)
  const isServer = cluster.store.catalog.service(nodeName, 'consul') !== undefined
  return {
    Name: nodeName,
    Addr: node?.address ?? identity.address,
    Port: identity.rpcPort,
    Tags: {
      acls: cluster.acl.isEnabled ? '1' : '0',
      build: `${profile.release}:`,
      dc: cluster.datacenter,
      id: node?.id ?? '',
      role: isServer ? 'consul' : 'node',
      segment: '',
      ...(isServer && SERVER_TAGS),
    },
    Status: 1,
    ProtocolMin: 1,
    ProtocolMax: 5,
    ProtocolCur: 2,
    DelegateMin: 2,
    DelegateMax: 5,
    DelegateCur: 4,
  }
}

/** One agent without its sockets: its identity, its own services and checks, and its place in the cluster. */
import { randomUUID } from 'node:crypto'
import type { Clock } from '../../core/clock.js'
import { AclView } from '../acl/acl-view.js'
import type { Cluster, ClusterMember } from '../cluster/cluster.js'
import { Waiters } from '../state/waiters.js'
import type { CheckDefinition, NodeDefinition, ServiceDefinition } from '../state/records.js'
import type { VersionProfile } from '../versions.js'
import { CatalogSync, CONSUL_SERVICE_ID, SERF_CHECK_ID } from './catalog-sync.js'
import { LocalState, type LocalStateSnapshot } from './local-state.js'
import { Reaper, type ReaperOptions } from './reaper.js'

/** What makes an agent the one it is. */
export interface AgentIdentity {
  readonly nodeName: string
  readonly nodeId: string
  readonly address: string
  /** Servers keep a service `consul` in the catalog. */
  readonly isServer: boolean
  readonly rpcPort: number
  readonly meta: Readonly<Record<string, string>>
}

/** What an agent is given. */
export interface AgentNodeContext {
  readonly cluster: Cluster
  readonly profile: VersionProfile
  readonly identity: AgentIdentity
  readonly reaper: ReaperOptions
  /** A random number from 0 to 1, for the jitter of waits. */
  readonly random: () => number
}

/** One life of an agent, from its start to its end. A restart makes a new one. */
export class AgentNode implements ClusterMember {
  readonly cluster: Cluster
  readonly clock: Clock
  readonly profile: VersionProfile
  readonly identity: AgentIdentity
  readonly local: LocalState
  readonly waiters = new Waiters()
  readonly random: () => number
  readonly #sync: CatalogSync
  readonly #reaper: Reaper

  constructor({ cluster, profile, identity, reaper, random }: AgentNodeContext) {
    this.cluster = cluster
    this.clock = cluster.clock
    this.profile = profile
    this.identity = identity
    this.random = random
    this.#sync = new CatalogSync(
      {
        clock: cluster.clock,
        store: cluster.store,
        nodeName: identity.nodeName,
        hasLeader: () => cluster.hasLeader,
        mayWriteService: (token, service) => this.#may(token, 'service', service),
        mayWriteNode: (token) => this.#may(token, 'node', identity.nodeName),
      },
      () => this.local,
    )
    this.local = new LocalState(cluster.clock, this.#sync)
    this.#reaper = new Reaper(cluster.clock, this.local, reaper)
  }

  get nodeName(): string {
    return this.identity.nodeName
  }

  /** Enters the cluster, with what an earlier life left on disk. */
  start(snapshot: LocalStateSnapshot | undefined): void {
    this.cluster.join(this)
    this.#enterCatalog()
    if (snapshot !== undefined) this.local.restore(snapshot)
    this.#sync.syncAll()
    this.#sync.start()
    this.#reaper.start()
  }

  /**
   * Ends this life. `crashed` leaves the node in the catalog with a critical agent check, `left` takes it out, and `unseen` changes
   * nothing, as a restart too quick for others to notice.
   */
  stop(how: 'crashed' | 'left' | 'unseen'): void {
    this.#reaper.stop()
    this.#sync.stop()
    this.local.close()
    this.waiters.close()
    const { store } = this.cluster
    if (how === 'left') store.apply((tx) => store.catalog.deleteNode(tx, this.nodeName))
    if (how === 'crashed') store.apply((tx) => store.catalog.putCheck(tx, this.nodeName, serfCheck('critical')))
    this.cluster.leave(this)
  }

  leaderElected(): void {
    this.#sync.syncAll()
  }

  stateCleared(): void {
    this.#enterCatalog()
    this.#sync.syncAll()
  }

  /** What a request with this token may see and do. */
  view(token: string): AclView {
    return new AclView(this.cluster.acl.resolve(token), this.profile)
  }

  #may(token: string, resource: 'service' | 'node', name: string): boolean {
    const { acl } = this.cluster
    if (!acl.isEnabled || token === '') return true
    return acl.findSecret(token) !== undefined && acl.resolve(token).allows(resource, name, 'write')
  }

  #enterCatalog(): void {
    const { store } = this.cluster
    const { identity } = this
    store.apply((tx) => {
      store.catalog.putNode(tx, nodeDefinition(identity))
      store.catalog.putCheck(tx, identity.nodeName, serfCheck('passing'))
      if (identity.isServer)
        store.catalog.putService(tx, identity.nodeName, consulService(identity, this.profile.release))
    })
  }
}

function nodeDefinition({ nodeId, nodeName, address, meta }: AgentIdentity): NodeDefinition {
  return {
    id: nodeId,
    node: nodeName,
    address,
    taggedAddresses: { lan: address, lan_ipv4: address, wan: address, wan_ipv4: address },
    meta: { 'consul-network-segment': '', ...meta },
  }
}

function serfCheck(status: 'passing' | 'critical'): CheckDefinition {
  return {
    checkId: SERF_CHECK_ID,
    name: 'Serf Health Status',
    status,
    notes: '',
    output: status === 'passing' ? 'Agent alive and reachable' : 'Agent not live or unreachable',
    serviceId: '',
    serviceName: '',
    serviceTags: [],
    type: '',
    interval: '',
    timeout: '',
    definition: {},
  }
}

function consulService({ rpcPort }: AgentIdentity, release: string): ServiceDefinition {
  return {
    id: CONSUL_SERVICE_ID,
    name: CONSUL_SERVICE_ID,
    kind: '',
    tags: [],
    address: '',
    port: rpcPort,
    ports: [],
    taggedAddresses: null,
    meta: {
      non_voter: 'false',
      raft_version: '3',
      serf_protocol_current: '2',
      serf_protocol_max: '5',
      serf_protocol_min: '1',
      version: release,
    },
    weights: { Passing: 1, Warning: 1 },
    enableTagOverride: false,
    socketPath: '',
    locality: undefined,
    proxy: undefined,
    connect: undefined,
  }
}

/** A new id for a node. */
export function newNodeId(): string {
  return randomUUID()
}

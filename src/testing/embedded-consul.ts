/** The embedded agent as its users hold it: one address, and the lives of the agent behind it. */
import type { Clock } from '../core/clock.js'
import { AclControl } from './acl/acl-control.js'
import { AgentNode, newNodeId, type AgentIdentity } from './agent/agent-node.js'
import type { LocalStateSnapshot } from './agent/local-state.js'
import { Cluster } from './cluster/cluster.js'
import { Faults } from './faults/faults.js'
import type { ResolvedEmbeddedConsulOptions } from './options.js'
import { agentRoutes } from './routes.js'
import { HttpServer } from './server/http-server.js'
import { Router } from './server/router.js'
import { VERSIONS, type ConsulVersion } from './versions.js'

/** What an agent keeps when it stops. */
export interface RestartOptions {
  /**
   * Whether it finds its data again, as an agent with a data directory does. Default false, as a development agent: services, checks, keys,
   * sessions and node id are gone, and indexes start over.
   */
  readonly keepState?: boolean
}

/** One life of an agent: from a start to a stop. */
interface Life {
  readonly node: AgentNode
  readonly server: HttpServer
  /** False while a fault keeps the port closed. */
  readonly isListening: boolean
}

/** An in-memory Consul agent that speaks Consul's HTTP API on a real socket. Made by `startEmbeddedConsul`. */
export class EmbeddedConsul implements AsyncDisposable {
  /** What goes wrong on purpose. */
  readonly faults: Faults
  /** Tokens, when the agent was started with ACLs. */
  readonly acl: AclControl
  readonly #options: ResolvedEmbeddedConsulOptions
  readonly #cluster: Cluster
  readonly #isServer: boolean
  readonly #node: string
  #nodeId = newNodeId()
  #port = 0
  #life: Life | undefined
  #remains: LocalStateSnapshot | undefined
  #portClosures = 0
  /** One change of life at a time. */
  #change: Promise<void> = Promise.resolve()
  #isClosed = false

  /** @internal Use `startEmbeddedConsul`. */
  constructor(options: ResolvedEmbeddedConsulOptions) {
    this.#options = options
    const joined = options.join?.cluster
    this.#cluster = joined ?? new Cluster(options.datacenter, options.clock, options.acl)
    this.#isServer = joined === undefined
    this.#node = options.node ?? (joined === undefined ? 'embedded' : `embedded-${joined.members().length + 1}`)
    this.acl = new AclControl(() => this.#cluster.acl)
    this.faults = new Faults(() => ({
      clock: this.#cluster.clock,
      closePort: () => this.#closePort(),
      loseLeader: () => this.#cluster.loseLeader(),
      wakeBlockedQueries: () => this.#life?.node.waiters.wakeAll(),
      failBlockedQueries: () => this.#life?.node.waiters.failAll(),
    }))
  }

  /** Host and port, such as `127.0.0.1:38500`. It stays the same over restarts. */
  get address(): string {
    return `${this.#options.host.includes(':') ? `[${this.#options.host}]` : this.#options.host}:${this.#port}`
  }

  /** The address with its scheme, such as `http://127.0.0.1:38500`. */
  get url(): string {
    return `http://${this.address}`
  }

  /** The name of its node in the catalog. */
  get node(): string {
    return this.#node
  }

  /** Whose documented behaviour it has. */
  get version(): ConsulVersion {
    return this.#options.version
  }

  /** The clock that it goes by. */
  get clock(): Clock {
    return this.#cluster.clock
  }

  /** How many connections are open to it. */
  get connections(): number {
    return this.#life?.server.connections ?? 0
  }

  /** How many queries it is holding back until something changes. */
  get blockedQueries(): number {
    return this.#life?.node.waiters.size ?? 0
  }

  /** @internal What the agents of one datacenter share. */
  get cluster(): Cluster {
    return this.#cluster
  }

  /** @internal Starts for the first time. */
  async open(): Promise<this> {
    this.#port = this.#options.port
    await this.start()
    return this
  }

  /**
   * Kills the agent, as a crash does: connections are reset, the port is closed, and nothing is said to the catalog. Others of its cluster see
   * its node as failed. `start` brings it back. Idempotent.
   */
  stop(): Promise<void> {
    return this.#once(() => this.#end(this.#cluster.members().length > 1 ? 'crashed' : 'unseen'))
  }

  /** Starts an agent that was stopped, on the same port. Idempotent. */
  start({ keepState = false }: RestartOptions = {}): Promise<void> {
    return this.#once(() => this.#begin(keepState))
  }

  /** Stops and starts the agent. Clients see reset connections and, for a moment, a closed port. */
  async restart(options: RestartOptions = {}): Promise<void> {
    await this.stop()
    await this.start(options)
  }

  /** Stops the agent the polite way: its node and services leave the catalog first. */
  leave(): Promise<void> {
    return this.#once(() => this.#end('left'))
  }

  /**
   * Back to an agent that nobody has talked to, at the same address: no services, keys, sessions, events, tokens or faults. Indexes go on, so
   * that a client that lives through it sees everything removed. In a cluster this empties what all share, and this agent's own services.
   */
  reset(): void {
    this.faults.clear()
    const local = this.#life?.node.local
    for (const { definition } of local?.services() ?? []) local?.removeService(definition.id)
    for (const { definition } of local?.checks() ?? []) local?.removeCheck(definition.checkId)
    this.#cluster.clear({ restartIndex: false })
  }

  /** Resolves when every stop, start and change of the port that was asked for so far is done. */
  ready(): Promise<void> {
    return this.#change
  }

  /** Ends a session as if nobody had renewed it; false when there is none. */
  expireSession(id: string): boolean {
    return this.#cluster.sessionTimers.expire(id)
  }

  /** Lets every blocking query answer now, though nothing may have changed. */
  wakeBlockedQueries(): void {
    this.#life?.node.waiters.wakeAll()
  }

  /** Ends the agent: no timer, socket or listener is left. Idempotent. */
  close(): Promise<void> {
    this.#isClosed = true
    this.faults.clear()
    return this.stop()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #once(change: () => Promise<void>): Promise<void> {
    this.#change = this.#change.then(change, change)
    return this.#change
  }

  async #begin(keepState: boolean): Promise<void> {
    if (this.#life !== undefined || this.#isClosed) return
    if (!keepState) this.#forget()
    const node = new AgentNode({
      cluster: this.#cluster,
      profile: VERSIONS[this.#options.version],
      identity: this.#identity(),
      reaper: { intervalMs: this.#options.reapIntervalMs, minimumMs: this.#options.minDeregisterAfterMs },
      random: this.#options.random,
    })
    const server = this.#createServer(node)
    this.#port = await server.listen(this.#options.host, this.#port)
    node.start(this.#remains)
    if (this.#cluster.members().length === 1) this.#cluster.sessionTimers.restart()
    this.#remains = undefined
    this.#life = { node, server, isListening: true }
  }

  async #end(how: 'crashed' | 'left' | 'unseen'): Promise<void> {
    const life = this.#life
    if (life === undefined) return
    this.#life = undefined
    this.#remains = life.node.local.snapshot()
    life.node.stop(how)
    if (life.isListening) await life.server.close()
  }

  /** What an agent without a data directory does not know after a restart. */
  #forget(): void {
    this.#remains = undefined
    if (this.#port === 0 || this.#cluster.store.catalog.node(this.#node) === undefined) return
    this.#nodeId = newNodeId()
    if (this.#cluster.members().length === 0) this.#cluster.clear({ restartIndex: true })
  }

  #identity(): AgentIdentity {
    return {
      nodeName: this.#node,
      nodeId: this.#nodeId,
      address: this.#options.host,
      isServer: this.#isServer,
      rpcPort: 8300,
      meta: this.#options.nodeMeta,
    }
  }

  #createServer(node: AgentNode): HttpServer {
    const { acl } = this.#cluster
    const profile = VERSIONS[this.#options.version]
    return new HttpServer({
      clock: this.#cluster.clock,
      profile,
      router: new Router(agentRoutes(node, { minSessionTtlMs: this.#options.minSessionTtlMs })),
      faults: this.faults,
      maxConnectionsPerClient: this.#options.connectionsPerClient,
      onRequest: this.#options.onRequest,
      headers: profile.defaultPolicyHeader ? { 'X-Consul-Default-Acl-Policy': acl.defaultPolicy } : {},
    })
  }

  /** The port is closed while the agent goes on: for the outside it is gone, for its cluster it lives. */
  #closePort(): () => void {
    this.#portClosures += 1
    void this.#once(() => this.#setListening())
    return () => {
      this.#portClosures -= 1
      void this.#once(() => this.#setListening())
    }
  }

  async #setListening(): Promise<void> {
    const life = this.#life
    const isWanted = this.#portClosures === 0 && !this.#isClosed
    if (life === undefined || life.isListening === isWanted) return
    if (isWanted) {
      const server = this.#createServer(life.node)
      this.#life = { node: life.node, server, isListening: true }
      await server.listen(this.#options.host, this.#port)
    } else {
      this.#life = { ...life, isListening: false }
      await life.server.close()
    }
  }
}

import { ConsulAgent } from './consul-agent.js'
import type { ConsulOptions } from './consul-options.js'
import { eventually } from './eventually.js'
import { claimPorts } from './process/ports.js'

/** What kind of cluster. The other options hold for every agent in it. */
export interface ConsulClusterOptions extends Pick<ConsulOptions, 'source' | 'hcl' | 'limits'> {
  /** Default 3. */
  readonly servers?: number
  /** Whether an agent that is no server joins, as services use it in production. Default true. */
  readonly client?: boolean
}

const ELECTION_WITHIN_MS = 20_000

/** Servers that elect a leader, and an agent that is their client, each on a loopback address of its own. Needs Linux. */
export async function startConsulCluster(options: ConsulClusterOptions = {}): Promise<ConsulCluster> {
  const { servers = 3, client = true, ...shared } = options
  const ports = await claimPorts()
  const count = servers + (client ? 1 : 0)
  const addresses = Array.from({ length: count }, (_, i) => `127.0.0.${11 + i}`)
  const join = addresses.slice(0, servers).map((address) => `-retry-join=${address}:${ports.serfLan}`)
  const membership = (i: number): string[] => (i < servers ? ['-server', `-bootstrap-expect=${servers}`] : [])
  const agents = await Promise.all(
    addresses.map((bind, i) => {
      const flags = [...membership(i), ...join, '-retry-interval=1s']
      return ConsulAgent.prepare({ ...shared, bind, node: `node-${i + 1}`, flags }, 'member', {
        ...ports,
        release: () => undefined,
      })
    }),
  )
  const cluster = new ConsulCluster(agents.slice(0, servers), client ? agents.at(-1) : undefined, () => ports.release())
  try {
    await Promise.all(agents.map((agent) => agent.start()))
    return cluster
  } catch (error) {
    await cluster.close()
    throw error
  }
}

/** Several agents under the control of a test. */
export class ConsulCluster implements AsyncDisposable {
  readonly servers: readonly ConsulAgent[]
  readonly #client: ConsulAgent | undefined
  readonly #release: () => void
  #closing: Promise<void> | undefined

  constructor(servers: readonly ConsulAgent[], client: ConsulAgent | undefined, release: () => void) {
    this.servers = servers
    this.#client = client
    this.#release = release
  }

  /** The agent that is no server. Throws when the cluster was started without. */
  get client(): ConsulAgent {
    if (!this.#client) throw new Error('start the cluster with { client: true } for that')
    return this.#client
  }

  /** Waits until all running servers name the same running leader, and gives it. */
  leader(): Promise<ConsulAgent> {
    return eventually(
      async () => {
        const running = this.servers.filter((server) => server.isRunning && !server.isPaused)
        const named = await Promise.all(
          running.map((server) => server.read<string>('/v1/status/leader', { within: 2_000 })),
        )
        const leader = running.find((server) => named[0]?.startsWith(`${server.host}:`))
        if (!leader || new Set(named).size !== 1)
          throw new Error(`the servers name as leader: ${named.join(', ') || 'none'}`)
        return leader
      },
      { within: ELECTION_WITHIN_MS, every: 50 },
    )
  }

  /** Kills the leader as a crash would, and gives it, so that it can be started again. It does not wait for the next one. */
  async killLeader(): Promise<ConsulAgent> {
    const leader = await this.leader()
    await leader.kill()
    return leader
  }

  /** The running servers that do not lead. */
  async followers(): Promise<ConsulAgent[]> {
    const leader = await this.leader()
    return this.servers.filter((server) => server !== leader && server.isRunning)
  }

  /** Kills servers, followers first, until no majority is left; gives those it killed. */
  async loseQuorum(): Promise<ConsulAgent[]> {
    const victims = (await this.followers()).slice(0, Math.ceil(this.servers.length / 2))
    await Promise.all(victims.map((server) => server.kill()))
    return victims
  }

  /** Kills all agents and removes everything of them. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#dispose()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #dispose(): Promise<void> {
    const agents = [...this.servers, ...(this.#client ? [this.#client] : [])]
    await Promise.all(agents.map((agent) => agent.close()))
    this.#release()
  }
}

import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConsulAcl } from './consul-acl.js'
import { findConsul, type ConsulSource } from './consul-binary.js'
import { askConsul, type HttpAnswer, type HttpOptions, type HttpTarget } from './consul-http.js'
import { agentArguments, type ConsulOptions } from './consul-options.js'
import { makeConsulTls, type ConsulTls } from './consul-tls.js'
import { eventually } from './eventually.js'
import { AgentProcess } from './process/agent-process.js'
import { guardFolder } from './process/child-guard.js'
import { claimPorts, type PortBlock } from './process/ports.js'
import type { AgentHost, AgentSignal } from './process/running-agent.js'

/** Generous, for a busy machine: an idle one needs half a second, or two with state on disk. */
const READY_WITHIN_MS = 20_000
const LOG_TAIL_LINES = 60
const started = new Set<ConsulAgent>()

/** Which part of an agent survives a restart. */
export interface RestartOptions {
  /** Services, checks, KV and the rest. Default: whether the agent is `durable`. */
  readonly keepState?: boolean
}

/** Starts an agent on free loopback ports and resolves once it has a leader and answers. Nothing of it outlives this process. */
export async function startConsul(options: ConsulOptions = {}): Promise<ConsulAgent> {
  for (let tries = 1; ; tries++) {
    const agent = await ConsulAgent.prepare(options, options.durable === true ? 'server' : 'dev')
    try {
      await agent.start()
      return agent
    } catch (error) {
      const log = await agent.logs()
      await agent.close()
      // Another program may take a port between our look at it and Consul's.
      if (tries >= 5 || !/address already in use|Failed to start.*bind/.test(log)) throw error
    }
  }
}

/** Agents started since the last call, running or not, for whoever prints their logs when a test fails. */
export function takeStartedAgents(): ConsulAgent[] {
  const agents = [...started]
  for (const agent of agents) if (agent.isClosed) started.delete(agent)
  return agents
}

/** One agent under the control of a test. */
export class ConsulAgent implements AsyncDisposable {
  readonly node: string
  readonly version: string
  /** `127.0.0.1:PORT` */
  readonly address: string
  /** `http://127.0.0.1:PORT`, or https with `tls: true`. */
  readonly url: string
  readonly host: string
  readonly port: number
  readonly #options: ConsulOptions
  readonly #ports: PortBlock
  readonly #place: AgentHost
  readonly #arguments: readonly string[]
  readonly #role: 'dev' | 'server' | 'member'
  readonly #tls: ConsulTls | undefined
  readonly #socketPath: string | undefined
  readonly #acl: ConsulAcl | undefined
  readonly #removeFolder: () => Promise<void>
  #paused = false
  #lastLogs: string | undefined
  #closing: Promise<void> | undefined

  /** Claims ports and writes certificates, but starts nothing yet. Tests want {@link startConsul}. */
  static async prepare(
    options: ConsulOptions,
    role: 'dev' | 'server' | 'member',
    ports?: PortBlock,
  ): Promise<ConsulAgent> {
    const source = options.source ?? (await findConsul())
    const folder = await mkdtemp(join(tmpdir(), 'proconsul-agent-'))
    const release = guardFolder(folder)
    const removeFolder = async (): Promise<void> => {
      await rm(folder, { recursive: true, force: true, maxRetries: 5 })
      release()
    }
    const bind = options.bind ?? '127.0.0.1'
    const place = await makePlace(source, folder, bind)
    const tls = options.tls === true ? await makeConsulTls(binaryOf(source, 'tls'), folder) : undefined
    if (options.unixSocket === true) binaryOf(source, 'unixSocket')
    const claimed = ports ?? (await claimPorts())
    return new ConsulAgent({ options, role, source, place, tls, folder, ports: claimed, bind, removeFolder })
  }

  private constructor(given: PreparedAgent) {
    const { options, ports, place, tls, source, role } = given
    this.#options = options
    this.#ports = ports
    this.#place = place
    this.#tls = tls
    this.#role = role
    this.#removeFolder = given.removeFolder
    this.#socketPath = options.unixSocket === true ? join(given.folder, 'consul.sock') : undefined
    this.#acl = options.acl === true ? new ConsulAcl(this, randomUUID()) : undefined
    this.version = source.version
    this.node = options.node ?? `node-${ports.http}`
    this.host = place.host
    this.port = ports.http
    this.address = `${this.host}:${this.port}`
    this.url = `${tls ? 'https' : 'http'}://${this.address}`
    this.#arguments = agentArguments(options, {
      version: source.version,
      ports,
      node: this.node,
      bind: given.bind,
      clientAddress: place.clientAddress,
      dataFolder: place.dataFolder,
      managementToken: this.#acl?.managementToken,
      tls,
      socketPath: this.#socketPath,
      role,
    })
  }

  /** Of the process; undefined while it is down, or when it runs in a container. */
  get pid(): number | undefined {
    return this.#place.pid
  }

  get isRunning(): boolean {
    return this.#place.isRunning
  }

  get isClosed(): boolean {
    return this.#closing !== undefined
  }

  /** Tokens and policies. Throws unless started with `acl: true`. */
  get acl(): ConsulAcl {
    return this.#acl ?? missing('acl')
  }

  /** The authority and the client's certificate. Throws unless started with `tls: true`. */
  get tls(): ConsulTls {
    return this.#tls ?? missing('tls')
  }

  /** Throws unless started with `unixSocket: true`. */
  get socketPath(): string {
    return this.#socketPath ?? missing('unixSocket')
  }

  /** Asks the agent, with the management token and the client certificate where it has them. Any status resolves. */
  request(method: string, path: string, options?: HttpOptions): Promise<HttpAnswer> {
    const target: HttpTarget = { url: this.url, tls: this.#tls, token: this.#acl?.managementToken }
    return askConsul(target, method, path, options)
  }

  /** `GET` and the body read as JSON. Rejects on any status but 200. */
  async read<T>(path: string, options?: HttpOptions): Promise<T> {
    const answer = await this.request('GET', path, options)
    if (answer.status !== 200) throw new Error(`GET ${path}: ${answer.status} ${answer.text}`)
    return answer.json() as T
  }

  /** Kills the agent as a crash would, and starts it again on the same ports. Resolves when it answers. */
  async restart({ keepState = this.#options.durable === true }: RestartOptions = {}): Promise<void> {
    this.#checkState(keepState)
    await this.kill()
    await this.start({ keepState })
  }

  /** Starts an agent that {@link kill} took down. Resolves when it has a leader and answers. */
  async start({ keepState = this.#options.durable === true }: RestartOptions = {}): Promise<void> {
    this.#checkState(keepState)
    if (this.isClosed) throw new Error(`the agent ${this.node} is closed`)
    started.add(this)
    await this.launch(keepState || this.#role === 'member')
    await this.ready()
  }

  /** Starts the process without waiting until it answers. */
  async launch(keepState: boolean): Promise<void> {
    await this.#place.start(this.#arguments, [this.#ports.http], keepState)
  }

  /** Resolves when the agent has a leader, has entered itself into the catalog and accepts its token. */
  async ready(): Promise<void> {
    const deadline = performance.now() + READY_WITHIN_MS
    try {
      await eventually(
        async () => {
          if (!this.isRunning) return 'ended'
          const leader = await this.request('GET', '/v1/status/leader', { within: 2_000 })
          // It answers; that it refuses is the rate limit that the test wants to see.
          if (leader.status === 429) return 'ready'
          if (leader.status !== 200 || leader.json() === '') throw new Error(`there is no leader: ${leader.text}`)
          const checks = await this.read<unknown[]>(`/v1/health/node/${this.node}`, { within: 2_000 })
          if (checks.length === 0) throw new Error('the node is not in the catalog')
          return 'ready'
        },
        { within: deadline - performance.now(), every: 25 },
      )
      if (!this.isRunning) throw new Error('it ended')
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      throw new Error(`Consul ${this.version} (${this.node}) did not get ready: ${reason}\n${await this.logTail()}`, {
        cause: error,
      })
    }
  }

  /** Ends the agent, by SIGKILL unless told otherwise; it stays down, and its ports stay ours, until {@link start}. */
  async kill(signal: AgentSignal = 'SIGKILL'): Promise<void> {
    await this.#place.signal(signal)
    this.#paused = false
    await this.#place.ended()
  }

  /** Stops the process as it stands (SIGSTOP): connections are still accepted by the system, and nothing answers. */
  async pause(): Promise<void> {
    await this.#place.signal('SIGSTOP')
    this.#paused = true
  }

  /** Lets a paused agent go on (SIGCONT). */
  async resume(): Promise<void> {
    await this.#place.signal('SIGCONT')
    this.#paused = false
  }

  get isPaused(): boolean {
    return this.#paused
  }

  /** All that the agent wrote so far, also after it was closed. */
  async logs(): Promise<string> {
    return this.#lastLogs ?? this.#place.logs()
  }

  /** The end of {@link logs}, under a heading that names the agent. */
  async logTail(lines = LOG_TAIL_LINES): Promise<string> {
    const text = (await this.logs()).trimEnd().split('\n').slice(-lines).join('\n')
    return `--- log of Consul ${this.version} at ${this.address} (${this.node}) ---\n${text}`
  }

  /** Kills the agent and removes everything of it. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#dispose()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #dispose(): Promise<void> {
    this.#lastLogs = await this.#place.logs()
    await this.#place.dispose()
    await this.#removeFolder()
    this.#ports.release()
  }

  #checkState(keepState: boolean): void {
    if (!keepState || this.#role !== 'dev') return
    throw new Error(
      'this agent keeps its state in memory; start it with { durable: true } to restart it with its state',
    )
  }
}

interface PreparedAgent {
  readonly options: ConsulOptions
  readonly role: 'dev' | 'server' | 'member'
  readonly source: ConsulSource
  readonly place: AgentHost
  readonly tls: ConsulTls | undefined
  readonly folder: string
  readonly ports: PortBlock
  readonly bind: string
  readonly removeFolder: () => Promise<void>
}

async function makePlace(source: ConsulSource, folder: string, bind: string): Promise<AgentHost> {
  if (source.kind === 'binary') return new AgentProcess(source.path, folder, bind)
  const { AgentContainer } = await import('./process/agent-container.js')
  return new AgentContainer(source.image)
}

function binaryOf(source: ConsulSource, option: string): string {
  if (source.kind === 'binary') return source.path
  throw new Error(`{ ${option}: true } needs Consul as a program on this machine, and here is only ${source.origin}`)
}

function missing(option: string): never {
  throw new Error(`start the agent with { ${option}: true } for that`)
}

import type { StandardSchemaV1 } from '@standard-schema/spec'
import { AgentApi } from './api/agent.js'
import { AgentVersion } from './api/agent-version.js'
import { CatalogApi } from './api/catalog.js'
import { EventApi } from './api/event.js'
import { HealthApi } from './api/health.js'
import { KvApi } from './api/kv.js'
import { PreparedQueryApi } from './api/prepared-query.js'
import { SessionApi } from './api/session.js'
import { StatusApi } from './api/status.js'
import { TxnApi } from './api/txn.js'
import type { Balancer } from './balancer/balancer.js'
import { BALANCER_OPTIONS, resolveBalancerOptions, type BalancerOptions } from './balancer/balancer-options.js'
import type { Followed } from './balancer/pool/pool.js'
import { SharedPools } from './balancer/shared-pools.js'
import type { ConfigOptions, TypedConfigOptions } from './config/options/config-options.js'
import { ConfigReader } from './config/config-reader.js'
import type { Settings } from './config/settings.js'
import type { TreeObject } from './config/tree/tree.js'
import type { ChecksWatcher, EventsWatcher, NodesWatcher, ServicesWatcher } from './discovery/catalog-watchers.js'
import { Discovery, type DiscoverQuery, type EventsQuery, type PreparedQueryWatch } from './discovery/discovery.js'
import { resolveServiceWatch, type CatalogQuery, type ServiceWatchQuery } from './discovery/service-query.js'
import type { HealthState } from './api/health.js'
import { checkObject } from './core/option-check.js'
import { invalidOption } from './errors/invalid-option.js'
import { ProconsulError, isProconsulError } from './errors/proconsul-error.js'
import { ConsulHttpClient } from './http/consul-http-client.js'
import { Lane } from './http/lane.js'
import type { ServiceInstance } from './instances/service-instance.js'
import type { ServiceWatcher } from './instances/service-watcher.js'
import { Kv } from './kv/kv.js'
import { handleSignals, refuseWorkerThread, type SignalHandlers } from './lifecycle/process-signals.js'
import { isProcessEnding } from './lifecycle/shutdown-group.js'
import {
  resolveCloseOptions,
  resolveSignalOptions,
  type CloseOptions,
  type SignalOptions,
} from './lifecycle/shutdown-options.js'
import {
  reportInsideHook,
  shutdown,
  type LeaveOutcome,
  type ShutdownPlan,
  type ShutdownReport,
  type ShutdownSteps,
} from './lifecycle/shutdown.js'
import { resolveOptions, type ProconsulOptions, type ResolvedOptions } from './options/client-options.js'
import type {
  DeregisterOptions,
  RegisterOptions,
  ServiceDefinition,
} from './registration/definition/service-definition.js'
import { createHealthHandler, type HealthHandler } from './registration/health/health-handler.js'
import { ConsulRegistry } from './registration/record/consul-registry.js'
import { Registrar } from './registration/registrar.js'
import type { Registration } from './registration/registration.js'
import { WatchEngine, type WatchDebug } from './watch/watch-engine.js'

/** How the instances of a service are found, chosen and called. All optional. */
export interface ServiceBalancerOptions extends BalancerOptions {
  /** Which instances, as for `watchService`; with `failover` also those of other datacenters. Default: those that serve. */
  readonly query?: Omit<ServiceWatchQuery, 'signal'> | undefined
}

/** Of the connections for short requests, the share that reads of watches may take: a heartbeat always finds one. */
const WATCH_SHARE = 0.5

/**
 * Everything that a service does with Consul, through one agent. Makes each part, hands it what it needs, and closes it.
 *
 * The constructor does no I/O. `close()`, or `await using`, takes the service out of discovery and lets go of every timer, socket and
 * listener.
 *
 * @example
 * ```ts
 * const consul = new Proconsul()
 * await consul.registerService({ name: 'orders', port: 3000, check: { type: 'ttl', ttl: '15s' } })
 * consul.shutdownOnSignals()
 * ```
 */
export class Proconsul implements AsyncDisposable {
  /** The agent itself, its services and its checks. */
  readonly agent: AgentApi
  /** Nodes and services of the catalog. */
  readonly catalog: CatalogApi
  /** Instances with their checks. */
  readonly health: HealthApi
  /** Keys and values. */
  readonly kv: Kv
  /** Sessions, to which locks are tied. */
  readonly session: SessionApi
  /** Leader and peers of the cluster. */
  readonly status: StatusApi
  /** User events. */
  readonly event: EventApi
  /** Prepared queries. */
  readonly query: PreparedQueryApi
  readonly #options: ResolvedOptions
  readonly #http: ConsulHttpClient
  readonly #engine: WatchEngine
  readonly #discovery: Discovery
  readonly #pools: SharedPools
  readonly #registrar: Registrar
  readonly #configs: ConfigReader
  readonly #steps: ShutdownSteps = {
    leave: (signal) => this.#leave(signal),
    close: () => this.#letGo(),
  }
  #signals: SignalHandlers | undefined
  /** From its beginning on, nothing new is registered. */
  #closing: Promise<ShutdownReport> | undefined
  /** From the signal on, where it is one by which the client leaves. */
  #leftBySignal: Promise<unknown> | undefined
  /** After the drain and the hook. Until then everything that reads goes on. */
  #isClosed = false

  /** @throws ProconsulError `PROCONSUL_INVALID_OPTION`, naming the option or the environment variable */
  constructor(options: ProconsulOptions = {}) {
    this.#options = resolveOptions(options, process.env)
    const { connection, runtime, watch } = this.#options
    const http = new ConsulHttpClient(connection, runtime)
    this.#http = http
    this.agent = new AgentApi(http)
    const version = new AgentVersion(http, runtime.clock)
    this.catalog = new CatalogApi(http, version)
    this.health = new HealthApi(http, version)
    this.session = new SessionApi(http)
    this.status = new StatusApi(http)
    this.event = new EventApi(http)
    this.query = new PreparedQueryApi(http)
    const plainPlaces = Math.max(1, Math.floor(connection.maxConnections * WATCH_SHARE))
    const budget = { blockingPlaces: http.watchLane.size, plainReads: new Lane(plainPlaces, runtime.clock) }
    this.#engine = new WatchEngine(runtime, budget, watch)
    const [kv, txn] = [new KvApi(http), new TxnApi(http)]
    this.kv = new Kv(runtime, kv, txn, this.#engine)
    this.#configs = new ConfigReader(runtime, kv, txn, this.#engine, connection)
    const { catalog, event, health, query: preparedQuery } = this
    this.#discovery = new Discovery(runtime, this.#engine, { catalog, event, health, preparedQuery }, connection)
    this.#pools = new SharedPools(runtime)
    const registry = new ConsulRegistry({
      runtime,
      http,
      engine: this.#engine,
      endpoint: connection,
      environment: process.env,
      onTokenChange: (listener) => http.onCredentialsChange(listener),
    })
    this.#registrar = new Registrar({ runtime, registry, target: () => http.plainTarget() })
  }

  /**
   * Registers a service and keeps it registered: heartbeats, repair, a new token. Resolves when the agent has it and its health.
   * @throws ProconsulError as {@link Registrar.registerService} says
   */
  async registerService(definition: ServiceDefinition, options?: RegisterOptions): Promise<Registration> {
    return await this.#untilLeft(async () => {
      if (this.#closing !== undefined) throw closedError()
      return await this.#registrar.registerService(definition, options)
    })
  }

  /** Deregisters a service of this agent by its id. One that the agent does not know is fine. */
  async deregisterService(id: string, options?: DeregisterOptions): Promise<void> {
    await this.#untilLeft(async () => {
      this.#refuseClosed()
      await this.#registrar.deregisterService(id, options)
    })
  }

  /** The registrations of this client that have not ended. */
  get registrations(): readonly Registration[] {
    return this.#registrar.registrations
  }

  /** Answers `/healthz`, `/livez` and `/readyz` from the probes of this client's services. */
  healthHandler(): HealthHandler {
    return createHealthHandler(() => this.#registrar.registrations)
  }

  /**
   * Follows the instances of a service, by default those that are passing or warning. Equal queries share one blocking query.
   * @throws ProconsulError `PROCONSUL_INVALID_OPTION`, `PROCONSUL_CLOSED`
   */
  watchService(name: string, query?: ServiceWatchQuery): ServiceWatcher {
    this.#refuseClosed()
    return this.#discovery.watchService(name, query)
  }

  /**
   * Chooses instances of a service for calls, and learns from how they went. Balancers with equal options share what they learn.
   * @throws ProconsulError `PROCONSUL_INVALID_OPTION`, `PROCONSUL_CLOSED`
   */
  balancer(name: string, options: ServiceBalancerOptions = {}): Balancer {
    this.#refuseClosed()
    checkObject('options', options, ['query', ...BALANCER_OPTIONS])
    const resolved = resolveBalancerOptions(options)
    const { signal, ...watch } = resolveServiceWatch(name, options.query)
    if (signal !== undefined)
      throw invalidOption('query.signal', signal, 'no signal here: `signal` closes the balancer')
    const follow = (): Followed => ({ watcher: this.#discovery.watchService(name, options.query), isOwned: true })
    return this.#pools.open(JSON.stringify(watch), resolved, follow)
  }

  /** Follows the names and tags of all services. */
  watchServices(query?: CatalogQuery): ServicesWatcher {
    this.#refuseClosed()
    return this.#discovery.watchServices(query)
  }

  /** Follows the nodes of the catalog. */
  watchNodes(query?: CatalogQuery): NodesWatcher {
    this.#refuseClosed()
    return this.#discovery.watchNodes(query)
  }

  /** Follows all checks in a state; `any` for all. */
  watchChecks(state: HealthState, query?: CatalogQuery): ChecksWatcher {
    this.#refuseClosed()
    return this.#discovery.watchChecks(state, query)
  }

  /** Follows user events. */
  watchEvents(query?: EventsQuery): EventsWatcher {
    this.#refuseClosed()
    return this.#discovery.watchEvents(query)
  }

  /** Executes a prepared query, by name or id, again and again. */
  watchPreparedQuery(query: string, options?: PreparedQueryWatch): ServiceWatcher {
    this.#refuseClosed()
    return this.#discovery.watchPreparedQuery(query, options)
  }

  /** The instances of a service, read once. */
  async discover(name: string, query?: DiscoverQuery): Promise<readonly ServiceInstance[]> {
    return await this.#untilLeft(async () => {
      this.#refuseClosed()
      return await this.#discovery.discover(name, query)
    })
  }

  /**
   * Loads configuration from the KV store and keeps it current.
   * @throws ProconsulError as {@link ConfigReader.open} says
   */
  async config<Schema extends StandardSchemaV1>(
    options: TypedConfigOptions<Schema>,
  ): Promise<Settings<StandardSchemaV1.InferOutput<Schema>>>
  async config<T = TreeObject>(options: ConfigOptions<T>): Promise<Settings<T>>
  async config<T>(options: ConfigOptions<T>): Promise<Settings<T>> {
    return await this.#untilLeft(async () => {
      this.#refuseClosed()
      return await this.#configs.open(options)
    })
  }

  /**
   * At one of the signals: out of discovery, drain, the application's hook, then everything else; and then the process ends by the same
   * signal. The signal given again changes nothing, but a second Ctrl-C, a second or more after the first, ends the process at once. A
   * further call replaces the handlers of the one before. From the signal on, a call that is cut off by it settles when the client has
   * left; where the process ends with that, never.
   * @throws ProconsulError `PROCONSUL_INVALID_OPTION`, also in a worker thread, which gets no signals; `PROCONSUL_CLOSED`
   */
  shutdownOnSignals(options?: SignalOptions): SignalHandlers {
    refuseWorkerThread()
    if (this.#closing !== undefined) throw closedError()
    const plan = resolveSignalOptions(options)
    const leave = (): Promise<ShutdownReport> => {
      const report = this.#shutdown(plan)
      this.#leftBySignal = report
      return report
    }
    this.#signals?.remove()
    this.#signals = handleSignals(plan, leave, process, undefined, this.#options.runtime)
    return this.#signals
  }

  /** What every watch is doing, for people who look for a fault. */
  debug(): WatchDebug {
    return this.#engine.debug()
  }

  /**
   * Takes every registration out of discovery, lets callers notice, and lets go of everything. Resolves with what could not be undone.
   * Idempotent: further calls return the same promise, and their options are not looked at; a call by the shutdown's own hook resolves at
   * once.
   * @throws ProconsulError `PROCONSUL_INVALID_OPTION`
   */
  close(options?: CloseOptions): Promise<ShutdownReport> {
    if (this.#closing !== undefined) {
      const soFar = reportInsideHook(this.#steps)
      return soFar === undefined ? this.#closing : Promise.resolve(soFar)
    }
    try {
      return this.#shutdown(resolveCloseOptions(options))
    } catch (error) {
      if (!isProconsulError(error)) throw error
      return Promise.reject(error)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #shutdown(plan: ShutdownPlan): Promise<ShutdownReport> {
    this.#closing ??= shutdown(this.#steps, plan, this.#options.runtime)
    return this.#closing
  }

  async #leave(signal: AbortSignal): Promise<LeaveOutcome> {
    const known = this.registrations.filter(({ state }) => state !== 'registering')
    const { leftBehind } = await this.#registrar.leave(signal)
    return { registrations: known.length, leftBehind }
  }

  async #letGo(): Promise<void> {
    this.#isClosed = true
    await Promise.all([this.#registrar.close(), this.#discovery.close(), this.#configs.close()])
    // What is still asked by then is not told of a close by which the process ends: see `isProcessEnding`.
    if (isProcessEnding()) return
    await Promise.all([this.#pools.close(), this.kv.close()])
    await this.#engine.close()
    this.#http.close()
    this.#signals?.remove()
  }

  /** Has the failure of a call wait until the client has left, where it leaves by a signal. */
  async #untilLeft<T>(call: () => Promise<T>): Promise<T> {
    try {
      return await call()
    } catch (error) {
      await this.#leftBySignal
      if (this.#leftBySignal !== undefined && isProcessEnding()) await new Promise(() => undefined)
      throw error
    }
  }

  #refuseClosed(): void {
    if (this.#isClosed) throw closedError()
  }
}

function closedError(): ProconsulError {
  return new ProconsulError('PROCONSUL_CLOSED', 'the client is closed')
}

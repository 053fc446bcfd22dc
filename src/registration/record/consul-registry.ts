import { AgentApi } from '../../api/agent.js'
import { HealthApi } from '../../api/health.js'
import { orAborted } from '../../core/abort.js'
import type { BackoffOptions } from '../../core/backoff.js'
import { persist } from '../../core/persist.js'
import type { Runtime } from '../../core/runtime.js'
import type { ProconsulError } from '../../errors/proconsul-error.js'
import type { HttpClient } from '../../http/request.js'
import type { WatchEngine } from '../../watch/watch-engine.js'
import { refuseForeignFields, refuseLoopbackChecks } from '../definition/agent-fit.js'
import type { ResolvedDefinition } from '../definition/resolve-definition.js'
import type { DeregisterOptions, ServiceDefinition } from '../definition/service-definition.js'
import { checkAddress } from '../identity/address.js'
import type { Boot } from '../identity/boot.js'
import { ADDRESS_VARIABLES, isLocalAgent, ownAddress, type AgentEndpoint } from '../identity/own-address.js'
import { Agents } from './agent/agents.js'
import { Comparison } from './agent/comparison.js'
import type { ConsulParts } from './agent/consul-parts.js'
import { RecordWatch } from './agent/record-watch.js'
import { ConsulRecord } from './consul-record.js'
import type { RecordObserver, RegistryRecord } from './record.js'
import type { Registry } from './registry.js'

/** What Consul's registry works with. */
export interface ConsulRegistryParts {
  readonly runtime: Runtime
  readonly http: HttpClient
  readonly engine: WatchEngine
  readonly endpoint: AgentEndpoint
  readonly environment: NodeJS.ProcessEnv
  /** Calls the listener after the token has changed; returns what stops that. */
  onTokenChange(listener: () => void): () => void
}

/** Delays between looks for the own address: a name that cannot be resolved yet may be a moment later. */
const LOOKUP_DELAYS: BackoffOptions = Object.freeze({ firstMs: 100, maxMs: 2_000 })

/** A Consul agent as a registry. */
export class ConsulRegistry implements Registry {
  readonly #parts: ConsulRegistryParts
  readonly #agent: AgentApi
  readonly #consul: ConsulParts
  readonly #agents: Agents
  readonly #comparison: Comparison
  readonly #watch: RecordWatch
  readonly #stopCounting: () => void
  #tokenChanges = 0

  constructor(parts: ConsulRegistryParts) {
    const { runtime, http, engine } = parts
    this.#parts = parts
    this.#agent = new AgentApi(http)
    const { services, checks } = this.#agent
    const tokenChanges = (): number => this.#tokenChanges
    this.#consul = { runtime, agent: this.#agent, services, checks, health: new HealthApi(http), tokenChanges }
    this.#agents = new Agents(this.#consul)
    this.#comparison = new Comparison(this.#consul)
    this.#watch = new RecordWatch(engine, services)
    this.#stopCounting = parts.onTokenChange(() => void (this.#tokenChanges += 1))
  }

  open(definition: ResolvedDefinition, boot: Boot): RegistryRecord {
    if (definition.service.address === undefined) checkEnvironment(this.#parts.environment)
    return new ConsulRecord(definition, boot, {
      ...this.#consul,
      agents: this.#agents,
      observe: (record, observer, closely) => this.#observe(record, observer, closely),
    })
  }

  acceptChecks(checks: ResolvedDefinition['service']['checks']): void {
    refuseLoopbackChecks(checks, isLocalAgent(this.#parts.endpoint))
  }

  async complete(
    definition: ServiceDefinition,
    signal: AbortSignal,
    onFailure: (error: ProconsulError) => void,
  ): Promise<ServiceDefinition> {
    if (definition.address !== undefined) return definition
    const { endpoint, environment, runtime } = this.#parts
    const options = { runtime, delays: LOOKUP_DELAYS, signal, onFailure }
    const address = await persist(options, () => ownAddress(endpoint, environment, { signal, clock: runtime.clock }))
    return { ...definition, ...(address !== undefined && { address }) }
  }

  async verify({ service }: ResolvedDefinition, signal: AbortSignal): Promise<void> {
    await orAborted(signal, refuseForeignFields(service, this.#agent))
  }

  async remove(id: string, { timeout, signal }: Pick<DeregisterOptions, 'timeout' | 'signal'>): Promise<void> {
    await this.#consul.services.deregister(id, { timeout, signal })
  }

  onCredentials(listener: () => void): () => void {
    return this.#parts.onTokenChange(listener)
  }

  close(): void {
    this.#stopCounting()
    this.#comparison.close()
  }

  #observe(record: ConsulRecord, observer: RecordObserver, closely: boolean): () => void {
    this.#comparison.add(record, observer)
    const onChange = (): void => observer(undefined)
    const onFailure = (): void => this.#comparison.hurry()
    const unwatch = closely ? this.#watch.watch(record.definition.service.id, onChange, onFailure) : undefined
    return () => {
      unwatch?.()
      this.#comparison.remove(record)
    }
  }
}

/** A variable that holds no address is said at the call, before anything is looked up. */
function checkEnvironment(environment: NodeJS.ProcessEnv): void {
  for (const name of ADDRESS_VARIABLES) {
    const value = environment[name]
    if (value !== undefined && value !== '') checkAddress(name, value)
  }
}

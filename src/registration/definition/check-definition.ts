import type { Duration } from '../../core/duration.js'
import type { HealthStatus } from './health-status.js'
import type { Probes } from './probe-definition.js'

/** What every kind of check may have. */
export interface CheckOptions {
  /** One of its own at the agent. Default `service:<service id>`, and for further checks `service:<service id>:2` and so on. */
  readonly id?: string | undefined
  /** Default `Service '<service name>' check`. Names of one service must differ. */
  readonly name?: string | undefined
  /** For people. */
  readonly notes?: string | undefined
  /**
   * Consul removes the service when the check has been critical for so long; it looks every 30 s. A service that lives is registered
   * again. At least one minute, as Consul has it; `false` for never. Default 10 minutes.
   */
  readonly deregisterCriticalServiceAfter?: Duration | false | undefined
  /**
   * What decides whether the service can do its work. The heartbeats of a TTL check carry the worst of them; with checks of any kind they
   * are in `registration.health` and behind the health handler. The probes of several checks count together. Default none.
   */
  readonly probes?: Probes | undefined
}

/** A check that this process keeps alive with heartbeats. The default kind. */
export interface TtlCheckDefinition extends CheckOptions {
  readonly type?: 'ttl' | undefined
  /** The check turns critical after so long without a heartbeat. Heartbeats are sent every third of it. 1 s and up; default 15 s. */
  readonly ttl?: Duration | undefined
}

/** A check that the agent carries out. */
export interface ActiveCheckOptions extends CheckOptions {
  /** Default 10 s. */
  readonly interval?: Duration | undefined
  /** Default: Consul's, which is 10 s. */
  readonly timeout?: Duration | undefined
  /** Status until the first result. Default critical, as Consul has it. */
  readonly status?: HealthStatus | undefined
  /** Passes in a row until it counts as passing. */
  readonly successBeforePassing?: number | undefined
  /** Failures in a row until it counts as critical. */
  readonly failuresBeforeCritical?: number | undefined
}

/** The agent asks a URL: 2xx is passing, 429 warning, anything else critical. */
export interface HttpCheckDefinition extends ActiveCheckOptions {
  readonly type: 'http'
  readonly url: string
  /** Default GET. */
  readonly method?: string | undefined
  readonly headers?: Readonly<Record<string, string | readonly string[]>> | undefined
  readonly body?: string | undefined
  readonly tlsSkipVerify?: boolean | undefined
}

/** The agent connects to `host:port`. */
export interface TcpCheckDefinition extends ActiveCheckOptions {
  readonly type: 'tcp'
  readonly address: string
}

/** The agent asks the gRPC health service at `host:port` or `host:port/service`. */
export interface GrpcCheckDefinition extends ActiveCheckOptions {
  readonly type: 'grpc'
  readonly address: string
  readonly useTls?: boolean | undefined
  readonly tlsSkipVerify?: boolean | undefined
}

/** The health of another service of the same agent, or of a node. */
export interface AliasCheckDefinition extends CheckOptions {
  readonly type: 'alias'
  /** Id of the other service. */
  readonly service?: string | undefined
  readonly node?: string | undefined
}

/** A health check of a service. */
export type CheckDefinition =
  TtlCheckDefinition | HttpCheckDefinition | TcpCheckDefinition | GrpcCheckDefinition | AliasCheckDefinition

import type { Duration } from '../../core/duration.js'
import type { ProconsulError } from '../../errors/proconsul-error.js'
import type { CheckDefinition } from './check-definition.js'

/** A share of the traffic, for DNS and for balancers that weigh. */
export interface ServiceWeights {
  /** 1 to 65535. Default 1. */
  readonly passing?: number | undefined
  /** 0 to 65535. Default 1. */
  readonly warning?: number | undefined
}

/** One named port of several (Consul 1.22 and later). */
export interface PortDefinition {
  readonly name: string
  readonly port: number
  readonly default?: boolean | undefined
}

/** A service as its owner describes it. */
export interface ServiceDefinition {
  /** A name with other characters than A-Z a-z 0-9 - works, but not through Consul's DNS; then a warning is logged. */
  readonly name: string
  /** Default `<name>-<hostname>-<port>`: the same after a restart, so that no remnant stays. */
  readonly id?: string | undefined
  readonly port?: number | undefined
  /** In place of `port`. An agent older than 1.22 would refuse it. */
  readonly ports?: readonly PortDefinition[] | undefined
  /**
   * How others reach the service. Default: SERVICE_ADDRESS, then POD_IP from the environment; then, with an agent on another host, the
   * address of the interface that reaches it; with an agent on this host none, which stands for the node's own.
   */
  readonly address?: string | undefined
  readonly tags?: readonly string[] | undefined
  /** At most 63 entries: one is taken by the boot id. */
  readonly meta?: Readonly<Record<string, string>> | undefined
  readonly weights?: ServiceWeights | undefined
  /** Addresses for other places, such as `wan`. */
  readonly taggedAddresses?: Readonly<Record<string, { readonly address: string; readonly port: number }>> | undefined
  /** Whether others may change the tags in the catalog. They are then not set back. Default false. */
  readonly enableTagOverride?: boolean | undefined
  /** Default a TTL check of 15 s. */
  readonly check?: CheckDefinition | undefined
  /** Several checks in place of `check`; at most one of them TTL. An empty list is a service without checks. */
  readonly checks?: readonly CheckDefinition[] | undefined
  /** Raises the weight step by step from 1 to `weights.passing`, over so long, after the first registration. Default: at once. */
  readonly slowStart?: Duration | undefined
  /**
   * When a blocked event loop counts as degraded or down. With heartbeats from the main thread this adds a probe that measures how late
   * timers are; default none. The heartbeat thread tells of a block itself, while it lasts, also where this is left out.
   */
  readonly eventLoop?: EventLoopOptions | boolean | undefined
  /** How heartbeats are sent. */
  readonly heartbeat?: HeartbeatOptions | undefined
}

/** When a blocked event loop counts as a failing dependency. */
export interface EventLoopOptions {
  /** 100 ms and up. Default 200 ms; 1 s for a heartbeat thread where `eventLoop` is left out. */
  readonly warnAfter?: Duration | undefined
  /** Default 30 s. */
  readonly criticalAfter?: Duration | undefined
}

/** How heartbeats are sent. */
export interface HeartbeatOptions {
  /** `worker`: from a thread of its own, so that a blocked event loop is reported instead of looking like death. Default `main`. */
  readonly thread?: 'main' | 'worker' | undefined
  /** Whether heartbeats keep the process running. Default true: a registered service that ends without a word is a ghost. */
  readonly keepAlive?: boolean | undefined
}

/**
 * What can be changed of a registered service. What is left out stays as it is, also the `ttl` of a TTL check, and the `probes` where none
 * of the new checks has any (`{}` is none).
 */
export type ServiceUpdate = Partial<
  Pick<ServiceDefinition, 'tags' | 'meta' | 'weights' | 'port' | 'address' | 'taggedAddresses' | 'check' | 'checks'>
>

/** Options of `registerService`. */
export interface RegisterOptions {
  /** How long to keep trying. Default 30 s. */
  readonly timeout?: Duration | undefined
  /** Resolve at once and keep trying for ever. Default false. */
  readonly background?: boolean | undefined
  /**
   * Gives up the registration, also one in the background. Not heard any more once the service is registered: from then on `deregister`
   * and `close` end it.
   */
  readonly signal?: AbortSignal | undefined
  /**
   * Hears of each try that failed and is repeated, until the service is registered or given up. It is what the event `registerFailed` is
   * to those who have the registration, which comes only with the promise.
   */
  readonly onRegisterFailed?: ((error: ProconsulError) => void) | undefined
}

/** Options of `deregister`. */
export interface DeregisterOptions {
  /** Time for callers to notice, after the service has left discovery. Default 0. */
  readonly drain?: Duration | undefined
  /** Time to get the deregistration through, without the drain. Default 10 s. */
  readonly timeout?: Duration | undefined
  /** Gives up. The service may then stay in Consul until its check lapses. */
  readonly signal?: AbortSignal | undefined
}

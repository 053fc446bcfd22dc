import { systemClock, type Clock } from '../core/clock.js'
import { parseDuration, type Duration } from '../core/duration.js'
import { checkInteger, checkObject, checkOneOf, checkString, checkStringMap } from '../core/option-check.js'
import type { AclOptions } from './acl/acl-system.js'
import type { JoinableAgent } from './cluster/cluster.js'
import type { ServedRequest } from './server/served-request.js'
import type { ConsulVersion } from './versions.js'

/** The limits of an agent. */
export interface EmbeddedConsulLimits {
  /** Connections that one client address may have at a time (`limits.http_max_conns_per_client`). Default 200. */
  readonly connectionsPerClient?: number | undefined
  /** How often services are looked at whose time to be removed may have come. Default `'30s'`. */
  readonly reapInterval?: Duration | undefined
  /** The shortest `DeregisterCriticalServiceAfter` that counts. Default `'1m'`. */
  readonly minDeregisterAfter?: Duration | undefined
  /** The shortest TTL of a session that is taken. Default `'10s'`. */
  readonly minSessionTtl?: Duration | undefined
}

/** How to start an embedded agent. Everything has a default. */
export interface EmbeddedConsulOptions {
  /** The address to listen on. Default `'127.0.0.1'`. */
  readonly host?: string | undefined
  /** The port to listen on. Default 0: any free one. */
  readonly port?: number | undefined
  /** Whose documented behaviour it has. Default `'1.22'`. */
  readonly version?: ConsulVersion | undefined
  /** The name of its node. Default `'embedded'`, with a number behind it when it joins others. */
  readonly node?: string | undefined
  /** Metadata of its node. */
  readonly nodeMeta?: Readonly<Record<string, string>> | undefined
  /** Its datacenter. Default `'dc1'`; an agent that joins has that of the others. */
  readonly datacenter?: string | undefined
  /** The time that it goes by. Default: real time. A `ManualClock` lets a test jump. */
  readonly clock?: Clock | undefined
  /** ACLs. Default: none. An agent that joins has those of the others. */
  readonly acl?: AclOptions | undefined
  readonly limits?: EmbeddedConsulLimits | undefined
  /** Another embedded agent whose cluster this one joins: they share the catalog, and each keeps its own services. */
  readonly join?: JoinableAgent | undefined
  /** Random numbers from 0 to 1, for the jitter of waits. Default `Math.random`. */
  readonly random?: (() => number) | undefined
  /** Told of every request once it is dealt with, for a log or for a test that looks at what its service asked. Default: nobody. */
  readonly onRequest?: ((request: ServedRequest) => void) | undefined
}

/** Options with every default filled in. */
export interface ResolvedEmbeddedConsulOptions {
  readonly host: string
  readonly port: number
  readonly version: ConsulVersion
  readonly node: string | undefined
  readonly nodeMeta: Readonly<Record<string, string>>
  readonly datacenter: string
  readonly clock: Clock
  readonly acl: AclOptions | undefined
  readonly connectionsPerClient: number
  readonly reapIntervalMs: number
  readonly minDeregisterAfterMs: number
  readonly minSessionTtlMs: number
  readonly join: JoinableAgent | undefined
  readonly random: () => number
  readonly onRequest: ((request: ServedRequest) => void) | undefined
}

/** The defaults, each with its reason. */
export const EMBEDDED_CONSUL_DEFAULTS = Object.freeze({
  /** Never reachable from outside unless asked for. */
  host: '127.0.0.1',
  /** Tests run side by side. */
  port: 0,
  /** What most users run. */
  version: '1.22',
  datacenter: 'dc1',
  /** The real agent's own limits. */
  connectionsPerClient: 200,
  reapInterval: '30s',
  minDeregisterAfter: '1m',
  minSessionTtl: '10s',
} as const)

const OPTION_NAMES = [
  'host',
  'port',
  'version',
  'node',
  'nodeMeta',
  'datacenter',
  'clock',
  'acl',
  'limits',
  'join',
  'random',
  'onRequest',
] as const
const LIMIT_NAMES = ['connectionsPerClient', 'reapInterval', 'minDeregisterAfter', 'minSessionTtl'] as const

/**
 * Checks options and fills in defaults.
 * @throws ProconsulError `PROCONSUL_INVALID_OPTION`, naming the option, for a value of another form or an unknown name.
 */
export function resolveEmbeddedConsulOptions(options: EmbeddedConsulOptions): ResolvedEmbeddedConsulOptions {
  checkObject('options', options, OPTION_NAMES)
  const limits = options.limits ?? {}
  checkObject('limits', limits, LIMIT_NAMES)
  const defaults = EMBEDDED_CONSUL_DEFAULTS
  return Object.freeze({
    host: checkString('host', options.host ?? defaults.host),
    port: checkInteger('port', options.port ?? defaults.port, 0, 65_535),
    version: checkOneOf('version', options.version ?? defaults.version, ['1.8', '1.22'] as const),
    node: options.node === undefined ? undefined : checkString('node', options.node),
    nodeMeta: checkStringMap('nodeMeta', options.nodeMeta ?? {}),
    datacenter: checkString('datacenter', options.datacenter ?? defaults.datacenter),
    clock: options.clock ?? systemClock,
    acl: options.acl,
    connectionsPerClient: checkInteger(
      'limits.connectionsPerClient',
      limits.connectionsPerClient ?? defaults.connectionsPerClient,
      1,
      1_000_000,
    ),
    reapIntervalMs: parseDuration('limits.reapInterval', limits.reapInterval ?? defaults.reapInterval, { minMs: 1 }),
    minDeregisterAfterMs: parseDuration(
      'limits.minDeregisterAfter',
      limits.minDeregisterAfter ?? defaults.minDeregisterAfter,
    ),
    minSessionTtlMs: parseDuration('limits.minSessionTtl', limits.minSessionTtl ?? defaults.minSessionTtl),
    join: options.join,
    random: options.random ?? Math.random,
    onRequest: options.onRequest,
  })
}

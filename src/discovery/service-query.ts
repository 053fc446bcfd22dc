import type { HealthServiceOptions } from '../api/health.js'
import { parseDuration, type Duration } from '../core/duration.js'
import {
  checkBoolean,
  checkInteger,
  checkObject,
  checkString,
  checkStringMap,
  checkStrings,
} from '../core/option-check.js'
import { invalidOption } from '../errors/invalid-option.js'
import { FilterExpression } from './filter.js'

/** Where and how to read. */
export interface CatalogQuery {
  /** Expression of https://developer.hashicorp.com/consul/api-docs/features/filtering, as text or from the `filter` builder. */
  readonly filter?: string | FilterExpression | undefined
  /** Sort by round trip time from this node; `'_agent'` is the agent's own. Then the order of the list means something. */
  readonly near?: string | undefined
  /** Only nodes with all of this metadata. */
  readonly nodeMeta?: Readonly<Record<string, string>> | undefined
  /** Default: the client's, else the agent's own. */
  readonly datacenter?: string | undefined
  /** Consul Enterprise namespace. Default: the client's. */
  readonly namespace?: string | undefined
  /** Consul Enterprise admin partition. Default: the client's. */
  readonly partition?: string | undefined
  /** Cluster peer to read from (Consul 1.13 and later). */
  readonly peer?: string | undefined
  /** Any server may answer. An answer that lags more than `maxStale` of the watch options is read again from the leader. Default false. */
  readonly stale?: boolean | undefined
  /** The leader confirms with its peers that it still leads. Not with `stale` or `cached`. Default false. */
  readonly consistent?: boolean | undefined
  /** The agent may answer from its cache. Default false. */
  readonly cached?: boolean | undefined
  /** Ends what was asked: a watch is closed, a read is aborted. */
  readonly signal?: AbortSignal | undefined
}

/** Which instances of a service. */
export interface ServiceQuery extends CatalogQuery {
  /** Only instances with all of these tags. */
  readonly tags?: readonly string[] | undefined
  /** Only instances all of whose checks, those of the node included, are passing. Default true. */
  readonly passingOnly?: boolean | undefined
  /** Name of the port that `instance.port` is to be (Consul 1.22 and later). Instances without it are left out. */
  readonly port?: string | undefined
}

/** What protects the list against a sudden loss of most instances. */
export interface ShrinkGuardOptions {
  /** The share of instances, above 0 and up to 1, whose loss at once is doubted. Default 0.5: more than half. */
  readonly share?: number | undefined
  /** Lists shorter than this are not guarded. Default 4. */
  readonly atLeast?: number | undefined
  /**
   * How long the instances are kept while their loss is in doubt, up to three times in a row as long as the leader does not confirm it.
   * Counts only while Consul can be asked. Default `'10s'`.
   */
  readonly hold?: Duration | undefined
}

/** Other datacenters to fall back on. */
export interface FailoverOptions {
  /** In order of preference, after the query's own. */
  readonly datacenters: readonly string[]
  /** A datacenter counts as able to serve with so many instances. Default 1. */
  readonly minInstances?: number | undefined
  /** How long a datacenter must have had too few before the next is used. Default 0: at once. */
  readonly after?: Duration | undefined
  /**
   * How long a datacenter whose last list has enough may be unreadable, while another can be read, before the next is used.
   * Default `'30s'`.
   */
  readonly unreadableAfter?: Duration | undefined
  /** How long a preferred datacenter must have been able again before it is used again. Default `'30s'`. */
  readonly backAfter?: Duration | undefined
}

/** What to watch. */
export interface ServiceWatchQuery extends ServiceQuery {
  /** Default: on. `false` shows every loss at once. */
  readonly shrinkGuard?: ShrinkGuardOptions | false | undefined
  /** Fall back on other datacenters. Default: none. */
  readonly failover?: FailoverOptions | undefined
  /** File that keeps the last list, from which a process starts while Consul is down. Default: none. */
  readonly cacheFile?: string | undefined
}

/** {@link ShrinkGuardOptions} with every value decided. */
export interface ResolvedShrinkGuard {
  readonly share: number
  readonly atLeast: number
  readonly holdMs: number
}

/** {@link FailoverOptions} with every value decided. */
export interface ResolvedFailover {
  readonly datacenters: readonly string[]
  readonly minInstances: number
  readonly afterMs: number
  readonly unreadableAfterMs: number
  readonly backAfterMs: number
}

/** Every default, with its reason. */
export const SERVICE_WATCH_DEFAULTS = Object.freeze({
  /** Discovery is for calling: what is not healthy is not asked for. */
  passingOnly: true,
  shrinkGuard: Object.freeze({
    /** A rolling restart stays below it. */
    share: 0.5,
    /** One of two or two of three are lost on an ordinary day. */
    atLeast: 4,
    /** Services that beat come back to a registry that lost its state within a third of their TTL. */
    holdMs: 10_000,
  }),
  failover: Object.freeze({
    minInstances: 1,
    afterMs: 0,
    /** Longer than an election, which takes 11 to 16 s with Consul's default timing; the instances serve on meanwhile. */
    unreadableAfterMs: 30_000,
    /** Longer than a flapping check takes to flap. */
    backAfterMs: 30_000,
  }),
})

/** The part of a query that the agent is asked, resolved. Equal queries have equal JSON. */
export interface ResolvedServiceQuery {
  readonly name: string
  readonly port: string | undefined
  /** Options of the read, without its signal. */
  readonly read: HealthServiceOptions
}

/** A {@link ServiceWatchQuery} with every value decided. */
export interface ResolvedServiceWatch {
  readonly query: ResolvedServiceQuery
  readonly shrinkGuard: ResolvedShrinkGuard | undefined
  readonly failover: ResolvedFailover | undefined
  readonly cacheFile: string | undefined
  readonly signal: AbortSignal | undefined
}

const CATALOG_OPTIONS: readonly (keyof CatalogQuery)[] = [
  'filter',
  'near',
  'nodeMeta',
  'datacenter',
  'namespace',
  'partition',
  'peer',
  'stale',
  'consistent',
  'cached',
  'signal',
]
/** The names of {@link ServiceQuery}. */
export const SERVICE_OPTIONS: readonly (keyof ServiceQuery)[] = ['tags', 'passingOnly', 'port', ...CATALOG_OPTIONS]
const WATCH_OPTIONS: readonly (keyof ServiceWatchQuery)[] = ['shrinkGuard', 'failover', 'cacheFile', ...SERVICE_OPTIONS]

/**
 * Checks and completes.
 * @throws ProconsulError `PROCONSUL_INVALID_OPTION`
 */
export function resolveServiceWatch(name: string, query: ServiceWatchQuery = {}): ResolvedServiceWatch {
  checkObject('query', query, WATCH_OPTIONS)
  const { shrinkGuard, failover, cacheFile, ...rest } = query
  return Object.freeze({
    query: resolveServiceQuery(name, rest),
    shrinkGuard: shrinkGuard === false ? undefined : resolveShrinkGuard(shrinkGuard ?? {}),
    failover: failover === undefined ? undefined : resolveFailover(failover),
    cacheFile: cacheFile === undefined ? undefined : checkString('cacheFile', cacheFile),
    signal: query.signal,
  })
}

/**
 * Checks and completes.
 * @throws ProconsulError `PROCONSUL_INVALID_OPTION`
 */
export function resolveServiceQuery(name: string, query: ServiceQuery = {}): ResolvedServiceQuery {
  checkObject('query', query, SERVICE_OPTIONS)
  const { tags, passingOnly = SERVICE_WATCH_DEFAULTS.passingOnly, port } = query
  return Object.freeze({
    name: checkString('name', name),
    port: port === undefined ? undefined : checkString('port', port),
    read: Object.freeze({
      tags: tags === undefined ? undefined : [...checkStrings('tags', tags)].sort(),
      passing: checkBoolean('passingOnly', passingOnly),
      ...resolveCatalogQuery(query),
    }),
  })
}

/**
 * Checks the options that all reads of the catalog share, the signal left out.
 * @throws ProconsulError `PROCONSUL_INVALID_OPTION`
 */
export function resolveCatalogQuery(query: CatalogQuery): HealthServiceOptions {
  const text = (name: 'near' | 'datacenter' | 'namespace' | 'partition' | 'peer'): string | undefined =>
    query[name] === undefined ? undefined : checkString(name, query[name])
  const flag = (name: 'stale' | 'consistent' | 'cached'): boolean | undefined =>
    query[name] === undefined ? undefined : checkBoolean(name, query[name])
  if (query.consistent === true && (query.stale === true || query.cached === true)) {
    throw invalidOption('consistent', true, 'no `stale` and no `cached` beside it')
  }
  return {
    filter: resolveFilter(query.filter),
    near: text('near'),
    nodeMeta: query.nodeMeta === undefined ? undefined : sorted(checkStringMap('nodeMeta', query.nodeMeta)),
    datacenter: text('datacenter'),
    namespace: text('namespace'),
    partition: text('partition'),
    peer: text('peer'),
    stale: flag('stale'),
    consistent: flag('consistent'),
    cached: flag('cached'),
  }
}

/** Checks that no option is unknown. */
export function checkCatalogQuery(query: CatalogQuery): CatalogQuery {
  checkObject('query', query, CATALOG_OPTIONS)
  return query
}

function resolveFilter(filter: CatalogQuery['filter']): string | undefined {
  if (filter === undefined) return undefined
  return filter instanceof FilterExpression ? filter.toString() : checkString('filter', filter)
}

function resolveShrinkGuard(options: ShrinkGuardOptions): ResolvedShrinkGuard {
  checkObject('shrinkGuard', options, ['share', 'atLeast', 'hold'])
  const { share, atLeast, holdMs } = SERVICE_WATCH_DEFAULTS.shrinkGuard
  const given: unknown = options.share ?? share
  if (typeof given !== 'number' || !(given > 0 && given <= 1)) {
    throw invalidOption('shrinkGuard.share', given, 'a number above 0 and up to 1')
  }
  return Object.freeze({
    share: given,
    atLeast: checkInteger('shrinkGuard.atLeast', options.atLeast ?? atLeast, 1, 1_000_000),
    holdMs: parseDuration('shrinkGuard.hold', options.hold ?? holdMs),
  })
}

function resolveFailover(options: FailoverOptions): ResolvedFailover {
  checkObject('failover', options, ['datacenters', 'minInstances', 'after', 'unreadableAfter', 'backAfter'])
  const { minInstances, afterMs, unreadableAfterMs, backAfterMs } = SERVICE_WATCH_DEFAULTS.failover
  const datacenters = checkStrings('failover.datacenters', options.datacenters)
  if (datacenters.length === 0) throw invalidOption('failover.datacenters', datacenters, 'at least one datacenter')
  return Object.freeze({
    datacenters,
    minInstances: checkInteger('failover.minInstances', options.minInstances ?? minInstances, 1, 1_000_000),
    afterMs: parseDuration('failover.after', options.after ?? afterMs),
    unreadableAfterMs: parseDuration('failover.unreadableAfter', options.unreadableAfter ?? unreadableAfterMs),
    backAfterMs: parseDuration('failover.backAfter', options.backAfter ?? backAfterMs),
  })
}

function sorted(map: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)))
}

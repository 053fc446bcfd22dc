import type { HealthServiceOptions } from '../api/health.js'
import {
  checkBoolean,
  checkObject,
  checkOneOf,
  checkSignal,
  checkString,
  checkStringMap,
  checkStrings,
  isRecord,
} from '../core/option-check.js'
import { invalidOption } from '../errors/invalid-option.js'
import {
  GUARD_DEFAULTS,
  resolveFailoverTimes,
  type FailoverTimes,
  type ResolvedFailover,
} from '../instances/guard-options.js'
import { resolveLossGuard, type LossGuardOptions, type ResolvedLossGuard } from '../live/loss-guard-options.js'
import { FilterExpression } from './filter.js'
import { SERVICE_HEALTHS, type ServiceHealth } from './service-health.js'

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
  /** By their health. Default `'serving'`: passing and warning. */
  readonly health?: ServiceHealth | undefined
  /** Name of the port that `instance.port` is to be (Consul 1.22 and later). Instances without it are left out. */
  readonly port?: string | undefined
}

/** Other datacenters to fall back on. */
export interface FailoverOptions extends FailoverTimes {
  /** In order of preference, after the query's own. */
  readonly datacenters: readonly string[]
}

/** What to watch. */
export interface ServiceWatchQuery extends ServiceQuery {
  /** Keeps what was known through a sudden loss of most instances. Default: on. `false` shows every loss at once. */
  readonly lossGuard?: LossGuardOptions | false | undefined
  /** Fall back on other datacenters. Default: none. */
  readonly failover?: FailoverOptions | undefined
  /** File that keeps the last list, from which a process starts while Consul is down. Default: none. */
  readonly cacheFile?: string | undefined
}

/** {@link FailoverOptions} with every value decided. */
export interface ResolvedDatacenters extends ResolvedFailover {
  readonly datacenters: readonly string[]
}

/** The part of a query that the agent is asked, resolved. Equal queries have equal JSON. */
export interface ResolvedServiceQuery {
  readonly name: string
  readonly port: string | undefined
  readonly health: ServiceHealth
  /** Options of the read, without its signal. */
  readonly read: HealthServiceOptions
}

/** A {@link ServiceWatchQuery} with every value decided. */
export interface ResolvedServiceWatch {
  readonly query: ResolvedServiceQuery
  readonly lossGuard: ResolvedLossGuard | undefined
  readonly failover: ResolvedDatacenters | undefined
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
export const SERVICE_OPTIONS: readonly (keyof ServiceQuery)[] = ['tags', 'health', 'port', ...CATALOG_OPTIONS]
const WATCH_OPTIONS: readonly (keyof ServiceWatchQuery)[] = ['lossGuard', 'failover', 'cacheFile', ...SERVICE_OPTIONS]

/** Names that options had before, with what to write in their place. */
const RENAMED: Readonly<Record<string, string>> = {
  passingOnly: "health: 'passing' in its place, or health: 'any' for passingOnly: false",
  shrinkGuard: 'lossGuard in its place, with the same fields',
}

/**
 * Checks and completes.
 * @throws ProconsulError `PROCONSUL_INVALID_OPTION`
 */
export function resolveServiceWatch(name: string, query: ServiceWatchQuery = {}): ResolvedServiceWatch {
  checkNames(query, WATCH_OPTIONS)
  const { lossGuard, failover, cacheFile, ...rest } = query
  return Object.freeze({
    query: resolveServiceQuery(name, rest),
    lossGuard: resolveLossGuard(lossGuard, GUARD_DEFAULTS.lossGuard),
    failover: failover === undefined ? undefined : resolveFailover(failover),
    cacheFile: cacheFile === undefined ? undefined : checkString('cacheFile', cacheFile),
    signal: checkSignal('signal', query.signal),
  })
}

/**
 * Checks and completes.
 * @throws ProconsulError `PROCONSUL_INVALID_OPTION`
 */
export function resolveServiceQuery(name: string, query: ServiceQuery = {}): ResolvedServiceQuery {
  checkNames(query, SERVICE_OPTIONS)
  const { tags, port } = query
  const health = checkOneOf('health', query.health ?? DEFAULT_HEALTH, SERVICE_HEALTHS)
  return Object.freeze({
    name: checkString('name', name),
    port: port === undefined ? undefined : checkString('port', port),
    health,
    read: Object.freeze({
      tags: tags === undefined ? undefined : [...checkStrings('tags', tags)].sort(),
      passing: health === 'passing' ? true : undefined,
      ...resolveCatalogQuery(query),
    }),
  })
}

/** Discovery is for calling: what cannot serve is not asked for, and what serves with a warning still serves. */
const DEFAULT_HEALTH: ServiceHealth = 'serving'

function checkNames(query: object, known: readonly string[]): void {
  const renamed = isRecord(query) ? Object.keys(query).find((name) => Object.hasOwn(RENAMED, name)) : undefined
  if (renamed !== undefined && RENAMED[renamed] !== undefined) {
    throw invalidOption(`query.${renamed}`, Reflect.get(query, renamed), RENAMED[renamed])
  }
  checkObject('query', query, known)
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

function resolveFailover(options: FailoverOptions): ResolvedDatacenters {
  const times = resolveFailoverTimes(options, ['datacenters'])
  const datacenters = checkStrings('failover.datacenters', options.datacenters)
  if (datacenters.length === 0) throw invalidOption('failover.datacenters', datacenters, 'at least one datacenter')
  return Object.freeze({ datacenters, ...times })
}

function sorted(map: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)))
}

import type { CatalogApi } from '../api/catalog.js'
import type { EventApi, UserEvent } from '../api/event.js'
import type { CheckEntry, NodeEntry } from '../api/health-entry.js'
import type { HealthApi, HealthState } from '../api/health.js'
import type { ListOptions } from '../api/options.js'
import type { PreparedQueryApi } from '../api/prepared-query.js'
import { parseDuration, type Duration } from '../core/duration.js'
import { checkObject, checkOneOf, checkSignal, checkString } from '../core/option-check.js'
import type { Runtime } from '../core/runtime.js'
import { ProconsulError } from '../errors/proconsul-error.js'
import type { Tenancy } from '../http/request.js'
import { guardedSource } from '../instances/guarded-source.js'
import type { InstanceSource, ListFacts } from '../instances/instance-source.js'
import { INSTANCE, type ServiceInstance } from '../instances/service-instance.js'
import { ServiceWatcher } from '../instances/service-watcher.js'
import type { Closeable } from '../lifecycle/closeable.js'
import type { LiveSource } from '../live/live-source.js'
import type { LiveParts } from '../live/live-view.js'
import { queryKey } from '../watch/query-key.js'
import type { WatchEngine } from '../watch/watch-engine.js'
import {
  CHECK,
  ChecksWatcher,
  EventsWatcher,
  NODE,
  NodesWatcher,
  SERVICE_NAME,
  ServicesWatcher,
  USER_EVENT,
  type ServiceName,
} from './catalog-watchers.js'
import { consulInstance } from './consul-instance.js'
import { isWhole, ListReader, type ListKind } from './list-reader.js'
import { instancesOver } from './listing.js'
import {
  checkCatalogQuery,
  resolveCatalogQuery,
  resolveServiceQuery,
  resolveServiceWatch,
  SERVICE_OPTIONS,
  type CatalogQuery,
  type ResolvedServiceQuery,
  type ResolvedServiceWatch,
  type ServiceQuery,
  type ServiceWatchQuery,
} from './service-query.js'
import { ServiceReader } from './service-reader.js'

/** The endpoints that discovery reads. */
export interface DiscoveryApis {
  readonly health: HealthApi
  readonly catalog: CatalogApi
  readonly preparedQuery: PreparedQueryApi
  readonly event: EventApi
}

/** Options of one read of instances. */
export interface DiscoverQuery extends ServiceQuery {
  /** Time for the read with its repetitions. Default: the client's `timeout`. */
  readonly timeout?: Duration | undefined
}

/** Which user events. */
export interface EventsQuery extends Pick<CatalogQuery, 'datacenter' | 'signal'> {
  /** Only events of this name. */
  readonly name?: string | undefined
}

/** How to execute a prepared query again and again. */
export interface PreparedQueryWatch extends Pick<CatalogQuery, 'datacenter' | 'near' | 'signal'> {
  /** Consul cannot hold such a query until something changes: it is executed anew this often. Default `'10s'`. */
  readonly interval?: Duration | undefined
}

/** What the documentation of prepared queries does not forbid and servers do not feel. */
const PREPARED_QUERY_INTERVAL_MS = 10_000

type EventOptions = Omit<ListOptions, 'index'> & {
  readonly name?: string | undefined
  readonly hash?: string | undefined
}
type CheckOptions = ListOptions & { readonly state: HealthState }
type PreparedOptions = ListOptions & { readonly query: string }

/** Finds services: once, or again and again. Equal queries share one blocking query, however many watchers there are. */
export class Discovery implements Closeable {
  readonly #runtime: Runtime
  readonly #tenancy: Tenancy
  readonly #watchers = new Set<Closeable>()
  readonly #instances: ServiceReader
  readonly #services: ListReader<ServiceName, ListOptions>
  readonly #nodes: ListReader<NodeEntry, ListOptions>
  readonly #checks: ListReader<CheckEntry, CheckOptions>
  readonly #events: ListReader<UserEvent, EventOptions>
  readonly #prepared: ListReader<ServiceInstance, PreparedOptions>
  #isClosed = false

  /** @param tenancy where the client asks when a query does not say */
  constructor(runtime: Runtime, engine: WatchEngine, apis: DiscoveryApis, tenancy: Tenancy) {
    this.#runtime = runtime
    this.#tenancy = tenancy
    this.#instances = new ServiceReader(engine, apis.health, apis.catalog)
    const isNeverEmpty = (options: ListOptions): boolean => isWhole({ ...options, ...placeOf(tenancy, options) })
    this.#services = new ListReader(engine, { ...servicesKind(apis.catalog), isNeverEmpty })
    this.#nodes = new ListReader(engine, {
      name: 'catalog.nodes',
      ...NODE,
      read: (options) => apis.catalog.nodes(options),
      isNeverEmpty,
    })
    this.#checks = new ListReader(engine, {
      name: 'health.state',
      ...CHECK,
      read: ({ state, ...options }) => apis.health.state(state, options),
      isNeverEmpty: ({ state, ...options }) => state === 'any' && isNeverEmpty(options),
    })
    this.#events = new ListReader(engine, {
      name: 'event.list',
      isLocal: true,
      ...USER_EVENT,
      read: (options) => apis.event.list(options),
    })
    this.#prepared = new ListReader(engine, preparedKind(apis.preparedQuery))
  }

  /**
   * Follows the instances of a service.
   * @throws ProconsulError `PROCONSUL_INVALID_OPTION`, `PROCONSUL_CLOSED`
   */
  watchService(name: string, query: ServiceWatchQuery = {}): ServiceWatcher {
    const watch = resolveServiceWatch(name, query)
    return this.#open(this.#source(watch), watch.signal, (parts) => new ServiceWatcher(name, parts))
  }

  /**
   * The instances of a service, read once.
   * @throws ProconsulError with any code of a request, or `PROCONSUL_INVALID_OPTION`
   */
  async discover(name: string, options: DiscoverQuery = {}): Promise<readonly ServiceInstance[]> {
    checkObject('query', options, [...SERVICE_OPTIONS, 'timeout'])
    const { timeout, ...query } = options
    return await this.#instances.once(resolveServiceQuery(name, query), { signal: query.signal, timeout })
  }

  /** Follows the names and tags of all services. Throws as {@link watchService} does. */
  watchServices(query: CatalogQuery = {}): ServicesWatcher {
    const source = this.#services.source('the list of all services', resolveCatalogQuery(checkCatalogQuery(query)))
    return this.#open(source, query.signal, (parts) => new ServicesWatcher(parts))
  }

  /** Follows the nodes of the catalog. Throws as {@link watchService} does. */
  watchNodes(query: CatalogQuery = {}): NodesWatcher {
    const source = this.#nodes.source('the list of all nodes', resolveCatalogQuery(checkCatalogQuery(query)))
    return this.#open(source, query.signal, (parts) => new NodesWatcher(parts))
  }

  /** Follows all checks in a state. Throws as {@link watchService} does. */
  watchChecks(state: HealthState, query: CatalogQuery = {}): ChecksWatcher {
    checkOneOf('state', state, ['any', 'passing', 'warning', 'critical'])
    const options = { state, ...resolveCatalogQuery(checkCatalogQuery(query)) }
    const source = this.#checks.source(
      state === 'any' ? 'the list of all checks' : `the list of ${state} checks`,
      options,
    )
    return this.#open(source, query.signal, (parts) => new ChecksWatcher(parts))
  }

  /** Follows the user events that the agent sees. Gossip promises neither delivery nor order. Throws as {@link watchService} does. */
  watchEvents(query: EventsQuery = {}): EventsWatcher {
    checkObject('query', query, ['name', 'datacenter', 'signal'])
    const name = query.name === undefined ? undefined : checkString('name', query.name)
    const { datacenter } = resolveCatalogQuery(query)
    const source = this.#events.source(name === undefined ? 'the list of events' : `events "${name}"`, {
      name,
      datacenter,
    })
    return this.#open(source, query.signal, (parts) => new EventsWatcher(parts))
  }

  /**
   * Follows the result of a prepared query, by its id or name. Consul cannot hold such a query: it is executed at an interval, and a
   * change is seen that much later. Throws as {@link watchService} does.
   */
  watchPreparedQuery(query: string, options: PreparedQueryWatch = {}): ServiceWatcher {
    checkObject('query', options, ['interval', 'datacenter', 'near', 'signal'])
    const pollMs = parseDuration('interval', options.interval ?? PREPARED_QUERY_INTERVAL_MS, { minMs: 100 })
    const { datacenter, near } = resolveCatalogQuery(options)
    const read = { query: checkString('query', query), datacenter, near }
    const source = instancesOver(this.#prepared.query(`prepared query "${query}"`, read, pollMs))
    return this.#open(source, options.signal, (parts) => new ServiceWatcher(query, parts))
  }

  /** Closes every watcher. Resolves when their cache files are written. */
  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.all([...this.#watchers].map((watcher) => watcher.close()))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #open<Fact extends ListFacts, Watcher extends Closeable>(
    source: LiveSource<Fact>,
    signal: AbortSignal | undefined,
    make: (parts: LiveParts<Fact>) => Watcher,
  ): Watcher {
    if (this.#isClosed) throw new ProconsulError('PROCONSUL_CLOSED', 'the client is closed')
    const watcher: Watcher = make({
      runtime: this.#runtime,
      source,
      signal: checkSignal('signal', signal),
      onClose: () => queueMicrotask(() => this.#watchers.delete(watcher)),
    })
    this.#watchers.add(watcher)
    return watcher
  }

  #source({ query, failover, lossGuard, cacheFile }: ResolvedServiceWatch): InstanceSource {
    const others = (failover?.datacenters ?? []).map((datacenter) =>
      this.#instances.source({ ...query, read: { ...query.read, datacenter } }),
    )
    return guardedSource(this.#instances.source(query), others, {
      runtime: this.#runtime,
      lossGuard,
      failover,
      cacheFile,
      cacheKind: `instances ${queryKey(this.#placed(query))}`,
    })
  }

  /** The query with the place at which it is asked: a cache file of another place must not be used. */
  #placed(query: ResolvedServiceQuery): ResolvedServiceQuery {
    return { ...query, read: { ...query.read, ...placeOf(this.#tenancy, query.read) } }
  }
}

function servicesKind(catalog: CatalogApi): ListKind<ServiceName, ListOptions> {
  return {
    name: 'catalog.services',
    ...SERVICE_NAME,
    read: async (options) => {
      const { value, meta } = await catalog.services(options)
      const services = Object.entries(value).map(([name, tags]) => ({ name, tags: [...tags].sort() }))
      return { value: services.sort((a, b) => (a.name < b.name ? -1 : 1)), meta }
    },
  }
}

function preparedKind(api: PreparedQueryApi): ListKind<ServiceInstance, PreparedOptions> {
  return {
    name: 'query.execute',
    ...INSTANCE,
    read: async ({ query, ...options }) => {
      const { value, meta } = await api.execute(query, options)
      const items = value.entries.map((entry) => consulInstance(entry)).filter((instance) => instance !== undefined)
      return { value: items, meta }
    },
  }
}

/** Where a read asks: as it says itself, or as its client does. */
function placeOf(client: Tenancy, read: Tenancy): Tenancy {
  return {
    datacenter: read.datacenter ?? client.datacenter,
    namespace: read.namespace ?? client.namespace,
    partition: read.partition ?? client.partition,
  }
}

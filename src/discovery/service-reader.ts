import type { CatalogApi } from '../api/catalog.js'
import type { ServiceEntry } from '../api/health-entry.js'
import type { HealthApi, HealthServiceOptions } from '../api/health.js'
import { mapInSlices } from '../core/map-in-slices.js'
import { isProconsulError } from '../errors/proconsul-error.js'
import type { QueryMeta } from '../http/query-meta.js'
import type { EmptyReason, InstanceSource } from '../instances/instance-source.js'
import { INSTANCE, type ServiceInstance } from '../instances/service-instance.js'
import { askedOptions } from '../watch/asked-options.js'
import { queryKey } from '../watch/query-key.js'
import { querySource } from '../watch/query-source.js'
import type { WatchFamily, WatchEngine } from '../watch/watch-engine.js'
import type { WatchReading } from '../watch/watch-query.js'
import { consulInstance } from './consul-instance.js'
import { adoptListing, instancesOver, reconcileListing, type Listing } from './listing.js'
import { scopeOf } from '../watch/read-scope.js'
import { isFound } from './service-health.js'
import type { ResolvedServiceQuery } from './service-query.js'

/**
 * Reads the instances of services, once or again and again, and says why there are none. Consul can leave out what does not pass, but
 * not what is critical alone; a filter that does would be parsed at every read, and agents that stream ignored changes behind filters
 * up to 1.12. So all instances are read, and those with the wrong health are left out here.
 */
export class ServiceReader {
  readonly #health: HealthApi
  readonly #catalog: CatalogApi
  readonly #family: WatchFamily<Listing<ServiceInstance>>

  constructor(engine: WatchEngine, health: HealthApi, catalog: CatalogApi) {
    this.#health = health
    this.#catalog = catalog
    this.#family = engine.family<Listing<ServiceInstance>>({
      name: 'health.service',
      reconcile: (previous, next) => reconcileListing(previous, next, INSTANCE),
      adopt: adoptListing,
      isEmpty: (listing) => listing.items.length === 0,
    })
  }

  /** The instances again and again. Equal queries share one blocking query. */
  source(query: ResolvedServiceQuery): InstanceSource {
    const { name, read } = query
    const label = `service "${name}"${read.datacenter === undefined ? '' : ` in datacenter "${read.datacenter}"`}`
    const source = querySource(label, this.#family, {
      key: queryKey(query),
      scope: scopeOf(read),
      stale: read.stale === true,
      read: (request) => this.#read(query, { ...read, ...askedOptions(request) }),
    })
    return { ...instancesOver(source), confirm: (signal) => this.#confirm(query, signal) }
  }

  /** The instances, read once. */
  async once(
    query: ResolvedServiceQuery,
    bounds: Pick<HealthServiceOptions, 'signal' | 'timeout'>,
  ): Promise<readonly ServiceInstance[]> {
    const { value } = await this.#health.service(query.name, { ...query.read, ...bounds })
    return adoptListing({ items: await found(value, query) }).items
  }

  /** The instances from the leader, past every cache. */
  async #confirm(query: ResolvedServiceQuery, signal: AbortSignal): Promise<readonly ServiceInstance[]> {
    const asked = askedOptions({ waitMs: 0, fresh: true, compress: true, signal })
    // No loop stands behind it.
    const { value } = await this.#health.service(query.name, { ...query.read, ...asked, repeat: true })
    return await found(value, query)
  }

  async #read(
    query: ResolvedServiceQuery,
    options: HealthServiceOptions,
  ): Promise<WatchReading<Listing<ServiceInstance>>> {
    const { value, meta } = await this.#health.service(query.name, options)
    const items = await found(value, query)
    const isOrdered = query.read.near !== undefined
    if (items.length > 0) return { value: { items, isOrdered }, meta }
    const emptyReason = await this.#whyEmpty(query, value, options, meta).catch((error: unknown) => {
      // What must not be asked cannot be explained; what cannot be answered now fails the read, which is repeated.
      if (isProconsulError(error) && !error.retryable && options.signal?.aborted !== true) return undefined
      throw error
    })
    return { value: { items, isOrdered, emptyReason }, meta }
  }

  /** Looks at what was left out, then at the service without the narrowing of the query, and at the names in the catalog. */
  async #whyEmpty(
    query: ResolvedServiceQuery,
    leftOut: readonly ServiceEntry[],
    { signal }: HealthServiceOptions,
    meta: QueryMeta,
  ): Promise<EmptyReason> {
    if (leftOut.length > 0) return whyLeftOut(leftOut, query)
    if (meta.filteredByAcls === true) return 'filtered-by-acl'
    const { datacenter, namespace, partition, peer, stale } = query.read
    const wide = { datacenter, namespace, partition, peer, stale, signal, repeat: false }
    const all = isNarrow(query) ? (await this.#health.service(query.name, wide)).value : []
    if (all.length > 0) return whyLeftOut(all, query)
    const names = await this.#catalog.services(wide)
    // A catalog that names the service but shows no instance hides the nodes; one without any name hides even Consul's own servers.
    const isHidden = Object.hasOwn(names.value, query.name) || Object.keys(names.value).length === 0
    return isHidden ? 'filtered-by-acl' : 'not-registered'
  }
}

/** Whether the agent was asked for a part of the instances only. */
function isNarrow({ read: { tags, passing, filter, nodeMeta } }: ResolvedServiceQuery): boolean {
  return [tags, passing, filter, nodeMeta].some((narrowing) => narrowing !== undefined)
}

function whyLeftOut(entries: readonly ServiceEntry[], { health }: ResolvedServiceQuery): EmptyReason {
  const instances = entries.map((entry) => consulInstance(entry))
  const isAnyFound = instances.some((instance) => instance !== undefined && isFound(instance.status, health))
  return isAnyFound ? 'none-matching' : 'none-passing'
}

async function found(
  entries: readonly ServiceEntry[],
  { port, health }: ResolvedServiceQuery,
): Promise<readonly ServiceInstance[]> {
  const instances = await mapInSlices(entries, (entry) => consulInstance(entry, port))
  return instances.filter((instance) => instance !== undefined).filter(({ status }) => isFound(status, health))
}

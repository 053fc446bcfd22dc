import type { CatalogApi } from '../api/catalog.js'
import type { ServiceEntry } from '../api/health-entry.js'
import type { HealthApi, HealthServiceOptions } from '../api/health.js'
import { mapInSlices } from '../core/map-in-slices.js'
import { isProconsulError } from '../errors/proconsul-error.js'
import type { QueryMeta } from '../http/query-meta.js'
import { askedOptions } from '../watch/asked-options.js'
import { scopeOf } from '../watch/read-scope.js'
import type { WatchFamily, WatchEngine } from '../watch/watch-engine.js'
import type { WatchRead, WatchReading } from '../watch/watch-query.js'
import { adoptListing, reconcileListing, type EmptyReason, type Listing } from './listing.js'
import { instanceKey, sameInstance, serviceInstance, type ServiceInstance } from './service-instance.js'
import type { ResolvedServiceQuery } from './service-query.js'
import { querySource, type ListSource } from './sources/list-source.js'

/** Reads the instances of services, once or again and again, and says why there are none. */
export class ServiceReader {
  readonly #health: HealthApi
  readonly #catalog: CatalogApi
  readonly #family: WatchFamily<Listing<ServiceInstance>>

  constructor(engine: WatchEngine, health: HealthApi, catalog: CatalogApi) {
    this.#health = health
    this.#catalog = catalog
    const shape = { key: instanceKey, same: sameInstance }
    this.#family = engine.family<Listing<ServiceInstance>>({
      name: 'health.service',
      reconcile: (previous, next) => reconcileListing(previous, next, shape),
      adopt: adoptListing,
      isEmpty: (listing) => listing.items.length === 0,
    })
  }

  /** The instances again and again. Equal queries share one blocking query. */
  source(query: ResolvedServiceQuery): ListSource<ServiceInstance> {
    const facts = {
      key: JSON.stringify(query),
      scope: scopeOf(query.read),
      stale: query.read.stale === true,
      read: (request: WatchRead) => this.#read(query, { ...query.read, ...askedOptions(request) }),
    }
    return querySource(this.#family, facts)
  }

  /** The instances from the leader, past every cache. */
  async confirm(query: ResolvedServiceQuery, signal: AbortSignal): Promise<readonly ServiceInstance[]> {
    const asked = askedOptions({ waitMs: 0, fresh: true, compress: true, signal })
    // No loop stands behind it.
    const options = { ...query.read, ...asked, repeat: true }
    const { value } = await this.#health.service(query.name, options)
    return await instancesOf(value, query.port)
  }

  /** The instances, read once. */
  async once(
    query: ResolvedServiceQuery,
    bounds: Pick<HealthServiceOptions, 'signal' | 'timeout'>,
  ): Promise<readonly ServiceInstance[]> {
    const { value } = await this.#health.service(query.name, { ...query.read, ...bounds })
    return adoptListing({ items: await instancesOf(value, query.port) }).items
  }

  async #read(
    query: ResolvedServiceQuery,
    options: HealthServiceOptions,
  ): Promise<WatchReading<Listing<ServiceInstance>>> {
    const { value, meta } = await this.#health.service(query.name, options)
    const items = await instancesOf(value, query.port)
    const isOrdered = query.read.near !== undefined
    if (items.length > 0) return { value: { items, isOrdered }, meta }
    const emptyReason = await this.#whyEmpty(query, options, meta).catch((error: unknown) => {
      // What must not be asked cannot be explained; what cannot be answered now fails the read, which is repeated.
      if (isProconsulError(error) && !error.retryable && options.signal?.aborted !== true) return undefined
      throw error
    })
    return { value: { items, isOrdered, emptyReason }, meta }
  }

  /** Looks at the service without the narrowing of the query, and at the names in the catalog. */
  async #whyEmpty(
    { name, read }: ResolvedServiceQuery,
    { signal }: HealthServiceOptions,
    meta: QueryMeta,
  ): Promise<EmptyReason> {
    if (meta.filteredByAcls === true) return 'filtered-by-acl'
    const { datacenter, namespace, partition, peer, stale } = read
    const wide = { datacenter, namespace, partition, peer, stale, signal, repeat: false }
    const all = await this.#health.service(name, wide)
    if (all.value.length > 0) {
      const isAnyPassing = all.value.some((entry) => serviceInstance(entry)?.status === 'passing')
      return isAnyPassing ? 'none-matching' : 'none-passing'
    }
    const names = await this.#catalog.services(wide)
    // A catalog that names the service but shows no instance hides the nodes; one without any name hides even Consul's own servers.
    const isHidden = Object.hasOwn(names.value, name) || Object.keys(names.value).length === 0
    return isHidden ? 'filtered-by-acl' : 'not-registered'
  }
}

async function instancesOf(
  entries: readonly ServiceEntry[],
  port: string | undefined,
): Promise<readonly ServiceInstance[]> {
  const instances = await mapInSlices(entries, (entry) => serviceInstance(entry, port))
  return instances.filter((instance) => instance !== undefined)
}

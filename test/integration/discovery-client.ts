import { CatalogApi } from '../../src/api/catalog.js'
import { EventApi } from '../../src/api/event.js'
import { HealthApi } from '../../src/api/health.js'
import { PreparedQueryApi } from '../../src/api/prepared-query.js'
import { Discovery } from '../../src/discovery/discovery.js'
import { ConsulHttpClient } from '../../src/http/consul-http-client.js'
import { Lane } from '../../src/http/lane.js'
import { resolveOptions, type ProconsulOptions } from '../../src/options/client-options.js'
import { WatchEngine } from '../../src/watch/watch-engine.js'
import { resolveWatchOptions, type WatchOptions } from '../../src/watch/watch-options.js'

/** The parts that discovery needs, on one connection. */
export interface DiscoveryClient extends AsyncDisposable {
  readonly discovery: Discovery
  readonly engine: WatchEngine
  readonly http: ConsulHttpClient
  readonly health: HealthApi
  readonly catalog: CatalogApi
  readonly preparedQuery: PreparedQueryApi
  readonly event: EventApi
  close(): Promise<void>
}

export function discoveryClient(options: ProconsulOptions, watch: WatchOptions = {}): DiscoveryClient {
  const { connection, runtime } = resolveOptions(options, {})
  const http = new ConsulHttpClient(connection, runtime)
  const budget = { blockingPlaces: http.watchLane.size, plainReads: new Lane(8, runtime.clock) }
  const engine = new WatchEngine(runtime, budget, resolveWatchOptions(watch))
  const health = new HealthApi(http)
  const catalog = new CatalogApi(http)
  const preparedQuery = new PreparedQueryApi(http)
  const event = new EventApi(http)
  const discovery = new Discovery(runtime, engine, { health, catalog, preparedQuery, event }, connection)
  const close = async (): Promise<void> => {
    await discovery.close()
    await engine.close()
    http.close()
  }
  return { discovery, engine, http, health, catalog, preparedQuery, event, close, [Symbol.asyncDispose]: close }
}

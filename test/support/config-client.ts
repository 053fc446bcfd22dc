import { KvApi } from '../../src/api/kv.js'
import { SessionApi } from '../../src/api/session.js'
import { TxnApi } from '../../src/api/txn.js'
import { ConfigReader } from '../../src/config/config-reader.js'
import { LayerReader } from '../../src/config/source/layer-reader.js'
import { ConsulHttpClient } from '../../src/http/consul-http-client.js'
import type { HttpAnswer, HttpClient, HttpRequest } from '../../src/http/request.js'
import { Lane } from '../../src/http/lane.js'
import { Kv } from '../../src/kv/kv.js'
import { resolveOptions, type ProconsulOptions } from '../../src/options/client-options.js'
import { WatchEngine } from '../../src/watch/watch-engine.js'
import { resolveWatchOptions, type WatchOptions } from '../../src/watch/watch-options.js'

/** The KV store and the configurations of one client. */
export interface ConfigClient extends AsyncDisposable {
  readonly kv: Kv
  readonly kvApi: KvApi
  readonly txnApi: TxnApi
  readonly session: SessionApi
  readonly config: ConfigReader
  readonly layers: LayerReader
  readonly engine: WatchEngine
}

/** What a test does with a request on its way: hand it on, before or after it has done something else, or fail it. */
export type OnTheWay = (request: HttpRequest, send: HttpClient) => Promise<HttpAnswer>

/** A client without the environment's `CONSUL_*` variables. */
export function configClient(options: ProconsulOptions, watch: WatchOptions = {}, onTheWay?: OnTheWay): ConfigClient {
  const { connection, runtime } = resolveOptions(options, {})
  const http = new ConsulHttpClient(connection, runtime)
  const plainReads = new Lane(8, runtime.clock)
  const engine = new WatchEngine(runtime, { blockingPlaces: 64, plainReads }, resolveWatchOptions(watch))
  const sent: HttpClient = onTheWay === undefined ? http : { request: (request) => onTheWay(request, http) }
  const kvApi = new KvApi(sent)
  const txnApi = new TxnApi(sent)
  const kv = new Kv(runtime, kvApi, txnApi, engine)
  const config = new ConfigReader(runtime, kvApi, txnApi, engine, connection)
  return {
    kv,
    kvApi,
    txnApi,
    session: new SessionApi(http),
    config,
    layers: new LayerReader(runtime, kvApi, txnApi, engine),
    engine,
    async [Symbol.asyncDispose]() {
      await config.close()
      await kv.close()
      await engine.close()
      http.close()
    },
  }
}

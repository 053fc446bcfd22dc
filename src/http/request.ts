/** The shape of one request to one agent and of its answer. Paths are ready to send; nothing here knows an endpoint. */

import type { QueryMeta } from './query-meta.js'

/** A value of the query string. `undefined` and `false` leave the parameter out, `true` sends it without a value, a list repeats it. */
export type QueryValue = string | number | bigint | boolean | readonly string[] | undefined

/** Where in Consul's tenancy a request goes. What is left out comes from the client's options, then from the agent. */
export interface Tenancy {
  /** The datacenter to ask; the agent forwards the request. */
  readonly datacenter?: string | undefined
  /** Consul Enterprise namespace. */
  readonly namespace?: string | undefined
  /** Consul Enterprise admin partition. */
  readonly partition?: string | undefined
}

/** A blocking query: how long the agent may hold it (https://developer.hashicorp.com/consul/api-docs/features/blocking). */
export interface BlockingWait {
  /** The longest hold asked for, in milliseconds. The agent adds up to a sixteenth of it. */
  readonly waitMs: number
}

/** One request. */
export interface HttpRequest extends Tenancy {
  /** What is asked, for messages and diagnostics, such as `health.service`. */
  readonly operation: string
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE'
  /** Path below `/v1`, each segment encoded, beginning with a slash. */
  readonly path: string
  readonly query?: Readonly<Record<string, QueryValue>>
  /** Sent as it is when it is bytes, as JSON otherwise. */
  readonly body?: unknown
  /** Whether repeating the request after an unknown outcome does no harm. Reads are; a CAS write is not. */
  readonly idempotent: boolean
  /** Whether it changes something. Default: all but a GET do. */
  readonly writes?: boolean | undefined
  /**
   * False for a read of a loop, whose own back-off is shared by all that read from the agent: repetitions beneath it would multiply the
   * load on an agent in distress. It is repeated only once, after a lost connection, which may have been a kept one that had died.
   * Default true.
   */
  readonly repeat?: boolean | undefined
  /** Set for a request that the agent may hold. It goes through the lane of the watches and is not repeated. */
  readonly blocking?: BlockingWait | undefined
  /** Set for a heartbeat. It has connections of its own, so that calls that hang cannot hold it up. */
  readonly vital?: boolean | undefined
  /**
   * Whether the agent may compress the answer. `'off-host'`: only one on another host, for bodies that take longer to pack and unpack
   * than to hand over. Default true.
   */
  readonly compress?: boolean | 'off-host' | undefined
  /** The answer may be no larger than this, decompressed. The client's `maxResponseBytes` holds in any case. */
  readonly maxBytes?: number | undefined
  /** Statuses beside 2xx that are answers and not failures. */
  readonly answers?: readonly number[]
  /** Overrides the client's token for this request. */
  readonly token?: string | undefined
  /** Time for the request with its repetitions, in milliseconds; for a blocking one, on top of its wait. Default: the client's. */
  readonly timeoutMs?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/** A successful answer. */
export interface HttpAnswer {
  /** What was asked. */
  readonly operation: string
  readonly status: number
  /** The body, decompressed. */
  readonly body: Buffer
  readonly meta: QueryMeta
}

/** Sends requests to the agent. */
export interface HttpClient {
  /**
   * One answer, or a `ProconsulError`.
   * @throws ProconsulError with any code but those of options.
   */
  request(request: HttpRequest): Promise<HttpAnswer>
}

import type { HttpAnswer, HttpClient, HttpRequest, QueryValue } from '../http/request.js'
import type { AgentVersion } from './agent-version.js'
import { commonPart, readPart, type ListOptions, type RequestOptions } from './options.js'

/** The two ways in which every endpoint speaks to the agent. Which options a call knows, the endpoint has checked. */

/** Further facts of a read. */
export interface ReadRequest {
  readonly query?: Readonly<Record<string, QueryValue>>
  /** Statuses beside 2xx that are answers, such as 404 for a missing key. */
  readonly answers?: readonly number[]
  /** Whether the agent may compress the answer, where the options do not say. */
  readonly compress?: HttpRequest['compress']
  /** Most bytes of the answer. */
  readonly maxBytes?: HttpRequest['maxBytes']
}

/** Sends a GET. `operation` names it in messages; `path` is encoded. */
export async function read(
  http: HttpClient,
  operation: string,
  path: string,
  options: ListOptions,
  { query, answers, compress, maxBytes }: ReadRequest = {},
): Promise<HttpAnswer> {
  return await http.request({
    operation,
    method: 'GET',
    path,
    idempotent: true,
    ...(compress !== undefined && { compress }),
    ...readPart(options, query),
    ...(answers !== undefined && { answers }),
    ...(maxBytes !== undefined && { maxBytes }),
  })
}

/** Whom a list is asked of. */
export interface ListEndpoint {
  readonly http: HttpClient
  readonly version: AgentVersion
}

/** Sends a GET for a list of what is registered. An agent that is too old for `peer` would answer with everything: it is not asked. */
export async function readList(
  { http, version }: ListEndpoint,
  operation: string,
  path: string,
  options: ListOptions,
  request: ReadRequest = {},
): Promise<HttpAnswer> {
  if (options.peer !== undefined) {
    // What is wrong with the options is said before anything is asked.
    readPart(options)
    await version.require('peer', options)
  }
  return await read(http, operation, path, options, request)
}

/** Further facts of a write. */
export interface WriteRequest {
  /** Default PUT. */
  readonly method?: 'PUT' | 'POST' | 'DELETE'
  readonly query?: Readonly<Record<string, QueryValue>>
  /** Sent as JSON, or as it is when it is bytes. */
  readonly body?: unknown
  readonly answers?: readonly number[]
  /** Whether the agent may compress the answer. */
  readonly compress?: HttpRequest['compress']
  /** Whether it is a heartbeat. */
  readonly vital?: boolean | undefined
  /** Whether repeating it after an unknown outcome does no harm. */
  readonly idempotent: boolean
  /** False for one that only reads, though it is sent like a write. */
  readonly writes?: boolean | undefined
}

/** Sends a PUT, a POST or a DELETE. */
export async function write(
  http: HttpClient,
  operation: string,
  path: string,
  options: RequestOptions,
  { method = 'PUT', ...facts }: WriteRequest,
): Promise<HttpAnswer> {
  return await http.request({ operation, method, path, ...facts, ...commonPart(options) })
}

import type { HttpAnswer, HttpClient, HttpRequest, QueryValue } from '../http/request.js'
import {
  commonPart,
  LIST_OPTIONS,
  readPart,
  refuseUnknown,
  REQUEST_OPTIONS,
  type ListOptions,
  type RequestOptions,
} from './options.js'

/** The two ways in which every endpoint speaks to the agent. */

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
  refuseUnknown(operation, options, LIST_OPTIONS)
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
}

/** Sends a PUT, a POST or a DELETE. */
export async function write(
  http: HttpClient,
  operation: string,
  path: string,
  options: RequestOptions,
  { method = 'PUT', ...facts }: WriteRequest,
): Promise<HttpAnswer> {
  refuseUnknown(operation, options, REQUEST_OPTIONS)
  return await http.request({ operation, method, path, ...facts, ...commonPart(options) })
}

import type { HttpAnswer, HttpClient, QueryValue } from '../http/request.js'
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
  /** Whether an agent on the same host may answer uncompressed. */
  readonly plainOnHost?: boolean
}

/** Sends a GET. `operation` names it in messages; `path` is encoded. */
export async function read(
  http: HttpClient,
  operation: string,
  path: string,
  options: ListOptions,
  { query, answers, plainOnHost }: ReadRequest = {},
): Promise<HttpAnswer> {
  refuseUnknown(operation, options, LIST_OPTIONS)
  return await http.request({
    operation,
    method: 'GET',
    path,
    idempotent: true,
    ...readPart(options, query),
    ...(answers !== undefined && { answers }),
    ...(plainOnHost !== undefined && { plainOnHost }),
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
  /** Whether an agent on the same host may answer uncompressed. */
  readonly plainOnHost?: boolean
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

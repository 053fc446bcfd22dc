import type { EventEmitter } from 'node:events'
import type { Agent, IncomingMessage } from 'node:http'
import type { Writable } from 'node:stream'
import Consul from 'consul'

/** The `consul` package's own request functions, which its types leave out. This is the one place that says what they are. */

/** One request as the `consul` package sends it. */
export interface WireRequest {
  readonly name: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Buffer
  readonly agent: Agent
  /** Receives the body as it arrives. */
  readonly pipe: Writable
  /** `emit('cancel')` ends the request. */
  readonly ctx: EventEmitter
}

/** Sends requests below `/v1`. */
export interface WireClient {
  _get(request: WireRequest): Promise<IncomingMessage>
  _put(request: WireRequest): Promise<IncomingMessage>
  _post(request: WireRequest): Promise<IncomingMessage>
  _delete(request: WireRequest): Promise<IncomingMessage>
}

/** The `consul` package's client for one agent. */
export function openWireClient(baseUrl: string, socketPath: string | undefined): WireClient {
  const options = { baseUrl: `${baseUrl}/v1`, ...(socketPath !== undefined && { socketPath }) }
  const client: unknown = new Consul(options as ConstructorParameters<typeof Consul>[0])
  return client as WireClient
}

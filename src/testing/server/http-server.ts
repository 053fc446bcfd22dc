/** The agent's HTTP port: sockets, the connection limit, faults, and how a reply becomes bytes. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import type { Clock } from '../../core/clock.js'
import { sleep } from '../../core/sleep.js'
import type { Fault } from '../faults/fault.js'
import type { Faults } from '../faults/faults.js'
import type { VersionProfile } from '../versions.js'
import { encodeGoJson } from '../wire/go-json.js'
import { ApiRequest } from './api-request.js'
import { AgentStopped } from './blocking-query.js'
import { ConnectionLimit } from './connection-limit.js'
import { ConnectionDropped, plain, Refusal, type Reply } from '../wire/reply.js'
import { parsePath } from './request-path.js'
import { allowedMethods, type Router } from './router.js'
import type { ServedRequest } from './served-request.js'

/** Go refuses larger request headers. */
const MAX_HEADER_BYTES = 1_048_576

/** What the port is made of. */
export interface HttpServerOptions {
  readonly clock: Clock
  readonly profile: VersionProfile
  readonly router: Router
  readonly faults: Faults
  readonly maxConnectionsPerClient: number
  /** On every answer. */
  readonly headers: Readonly<Record<string, string>>
  /** Told of every request once it is dealt with. */
  readonly onRequest: ((request: ServedRequest) => void) | undefined
}

/** One listening port. Once closed it is not used again. */
export class HttpServer {
  readonly #options: HttpServerOptions
  readonly #server: Server
  readonly #limit: ConnectionLimit
  readonly #sockets = new Set<Socket>()
  readonly #closed = new AbortController()

  constructor(options: HttpServerOptions) {
    this.#options = options
    this.#limit = new ConnectionLimit(options.maxConnectionsPerClient)
    this.#server = createServer({
      maxHeaderSize: MAX_HEADER_BYTES,
      requestTimeout: 0,
      headersTimeout: 0,
      keepAliveTimeout: 0,
    })
    this.#server.on('connection', (socket) => this.#connect(socket))
    this.#server.on('request', (request, response) => void this.#handle(request, response))
    this.#server.on('clientError', (_error, socket) => {
      if (socket.writable)
        socket.end(
          'HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n400 Bad Request',
        )
    })
  }

  /** How many connections are open. */
  get connections(): number {
    return this.#sockets.size
  }

  /** Listens; resolves with the port. */
  listen(host: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen({ host, port }, () => {
        this.#server.off('error', reject)
        resolve(portOf(this.#server.address()))
      })
    })
  }

  /** Stops listening and resets every connection. */
  close(): Promise<void> {
    this.#closed.abort()
    return new Promise((resolve) => {
      this.#server.close(() => resolve())
      this.resetConnections()
    })
  }

  /** Resets every open connection. */
  resetConnections(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy()
  }

  #connect(socket: Socket): void {
    socket.setNoDelay(true)
    socket.on('error', () => socket.destroy())
    if (!this.#limit.admit(socket)) {
      this.#turnAway(socket)
      return
    }
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
  }

  #turnAway(socket: Socket): void {
    if (!this.#options.profile.connectionLimitAnswers) {
      socket.destroy()
      return
    }
    const body = 'Your IP is issuing too many concurrent connections, please rate limit your calls\n'
    const head = `HTTP/1.1 429 Too Many Requests\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n`
    socket.end(head + body, () => socket.destroySoon())
  }

  async #handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const done = this.#limit.begin(incoming.socket)
    const beganMs = this.#options.clock.monotonic()
    try {
      const body = await readBody(incoming)
      if (body !== undefined) await this.#answer(incoming, body, response)
    } catch (error) {
      if (error instanceof ConnectionDropped || error instanceof AgentStopped) incoming.socket.destroy()
      else
        send(
          response,
          plain(500, error instanceof Error ? error.message : String(error)),
          this.#sending(incoming, undefined),
        )
    } finally {
      done()
      this.#tell(incoming, response, beganMs)
    }
  }

  #tell({ method = '', url = '' }: IncomingMessage, response: ServerResponse, beganMs: number): void {
    this.#options.onRequest?.({
      method,
      path: url.split('?')[0] ?? '',
      status: response.headersSent ? response.statusCode : undefined,
      durationMs: this.#options.clock.monotonic() - beganMs,
    })
  }

  async #answer(incoming: IncomingMessage, body: Buffer, response: ServerResponse): Promise<void> {
    const [rawPath = '/', rawQuery = ''] = (incoming.url ?? '/').split(/\?(.*)/s)
    const parsed = parsePath(rawPath)
    const path = parsed.type === 'ok' ? parsed.path : rawPath
    const method = incoming.method ?? 'GET'
    const faults = this.#options.faults.take({ method, path })
    const answered = await this.#applyBefore(faults, incoming)
    if (answered === 'closed') return
    const parts = { method, path, query: new URLSearchParams(rawQuery), headers: incoming.headers, body }
    const reply = answered ?? (parsed.type === 'ok' ? await this.#dispatch(parts) : refusedPath(parsed, method))
    if (faults.some(({ effect }) => effect.type === 'drop')) {
      incoming.socket.destroy()
      return
    }
    send(response, withFaultyIndex(reply, faults), this.#sending(incoming, cutOf(faults)))
  }

  /** What the faults do before the endpoint is asked: an answer in its place, an end of the connection, or nothing. */
  async #applyBefore(faults: readonly Fault[], incoming: IncomingMessage): Promise<Reply | 'closed' | undefined> {
    for (const fault of faults) {
      const { effect } = fault
      if (effect.type === 'delay')
        await sleep(effect.delayMs, { clock: this.#options.clock, keepAlive: false, signal: this.#closed.signal })
      else if (effect.type === 'hang') await fault.removed()
      else if (effect.type === 'reset') {
        incoming.socket.resetAndDestroy()
        return 'closed'
      } else if (effect.type === 'drop' && !effect.afterHandling) {
        incoming.socket.destroy()
        return 'closed'
      } else if (effect.type === 'answer') {
        return { status: effect.status, headers: effect.headers, body: { text: effect.body } }
      }
    }
    return this.#closed.signal.aborted ? 'closed' : undefined
  }

  async #dispatch(parts: ConstructorParameters<typeof ApiRequest>[0]): Promise<Reply> {
    const route = this.#options.router.find(parts.path)
    if (route === undefined) return { status: 404, headers: {}, body: undefined }
    if (parts.method === 'OPTIONS') return { status: 200, headers: { Allow: allowedMethods(route) }, body: undefined }
    const handler = Object.entries(route.methods).find(([method]) => method === parts.method)?.[1]
    if (handler === undefined) return plain(405, `method ${parts.method} not allowed`, { Allow: allowedMethods(route) })
    try {
      return await handler(new ApiRequest(parts, route.path))
    } catch (error) {
      if (error instanceof Refusal) return plain(error.status, error.message, error.headers)
      throw error
    }
  }

  #sending(incoming: IncomingMessage, cutAfter: Sending['cutAfter']): Sending {
    const { profile, headers } = this.#options
    const query = (incoming.url ?? '').split('?')[1] ?? ''
    return {
      headers,
      isPretty: profile.prettyJson || new URLSearchParams(query).has('pretty'),
      takesGzip: /\bgzip\b/.test(incoming.headers['accept-encoding'] ?? ''),
      cutAfter,
    }
  }
}

interface Sending {
  readonly headers: Readonly<Record<string, string>>
  readonly isPretty: boolean
  readonly takesGzip: boolean
  /** Break off after so many bytes, or in the middle. */
  readonly cutAfter: number | 'middle' | undefined
}

function send(response: ServerResponse, reply: Reply, { headers, isPretty, takesGzip, cutAfter }: Sending): void {
  if (response.destroyed || response.socket?.destroyed === true) return
  const { bytes, type } = encode(reply.body, isPretty)
  const isZipped = takesGzip && bytes.length > 0
  const payload = isZipped ? gzipSync(bytes, { level: 1 }) : bytes
  // Go still says it the old way.
  if (reply.status === 413) response.statusMessage = 'Request Entity Too Large'
  response.writeHead(reply.status, {
    ...type,
    ...headers,
    ...reply.headers,
    Vary: 'Accept-Encoding',
    ...(isZipped ? { 'Content-Encoding': 'gzip' } : {}),
    'Content-Length': payload.length,
  })
  if (cutAfter === undefined) {
    response.end(payload)
    return
  }
  const kept = payload.subarray(0, cutAfter === 'middle' ? Math.floor(payload.length / 2) : cutAfter)
  // An empty write would not send the headers.
  response.flushHeaders()
  response.write(kept, () => response.socket?.destroy())
}

function encode(
  body: Reply['body'],
  isPretty: boolean,
): { readonly bytes: Buffer; readonly type: Readonly<Record<string, string>> } {
  if (body === undefined) return { bytes: Buffer.alloc(0), type: {} }
  if ('bytes' in body) return { bytes: body.bytes, type: {} }
  if ('text' in body) return { bytes: Buffer.from(body.text, 'utf8'), type: {} }
  return { bytes: Buffer.from(encodeGoJson(body.json, isPretty), 'utf8'), type: { 'Content-Type': 'application/json' } }
}

/** The whole body; undefined when the client went away before it was sent. */
function readBody(incoming: IncomingMessage): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('end', () => resolve(Buffer.concat(chunks)))
    incoming.on('error', () => resolve(undefined))
    incoming.on('close', () => resolve(undefined))
  })
}

function refusedPath(parsed: Exclude<ReturnType<typeof parsePath>, { readonly type: 'ok' }>, method: string): Reply {
  if (parsed.type === 'malformed') return plain(400, '400 Bad Request')
  if (parsed.type === 'unprintable') return { status: 400, headers: {}, body: undefined }
  const headers = { Location: parsed.location }
  if (method !== 'GET') return { status: 301, headers, body: undefined }
  return plain(301, `<a href="${parsed.location}">Moved Permanently</a>.\n\n`, {
    ...headers,
    'Content-Type': 'text/html; charset=utf-8',
  })
}

function withFaultyIndex(reply: Reply, faults: readonly Fault[]): Reply {
  const effect = faults.map((fault) => fault.effect).find(({ type }) => type === 'index')
  if (effect?.type !== 'index' || reply.headers['X-Consul-Index'] === undefined) return reply
  return { ...reply, headers: { ...reply.headers, 'X-Consul-Index': effect.index.toString() } }
}

function cutOf(faults: readonly Fault[]): Sending['cutAfter'] {
  const effect = faults.map((fault) => fault.effect).find(({ type }) => type === 'cut')
  return effect?.type === 'cut' ? (effect.afterBytes ?? 'middle') : undefined
}

function portOf(address: AddressInfo | string | null): number {
  return typeof address === 'object' && address !== null ? address.port : 0
}

import { Agent, request as sendRequest, type IncomingHttpHeaders } from 'node:http'

/** An answer, whatever its status. */
export interface WireAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly bytes: Buffer
  readonly text: string
  /** `X-Consul-Index`; -1 when there is none. */
  readonly index: number
  /** The body as JSON, of the type that the test expects and goes on to check. Throws when it is none. */
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- a cast at each call would say the same, longer
  json<T = unknown>(): T
}

/** What a request may carry. */
export interface WireOptions {
  /** Text and bytes go as they are, anything else as JSON. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly token?: string
  readonly signal?: AbortSignal
}

/** Where and as whom to ask. */
export interface WireTarget {
  readonly url: string
  readonly token?: string | undefined
}

/** HTTP as it is on the wire: no path cleaning, no redirects, no client of ours. */
export class WireClient {
  readonly #target: () => WireTarget
  readonly #agent = new Agent({ keepAlive: true })

  /** `target` is asked at every request, so that a client can be made before its agent runs. */
  constructor(target: () => WireTarget) {
    this.#target = target
  }

  get(path: string, options?: WireOptions): Promise<WireAnswer> {
    return this.send('GET', path, options)
  }

  put(path: string, body?: unknown, options?: WireOptions): Promise<WireAnswer> {
    return this.send('PUT', path, { ...options, body })
  }

  post(path: string, body?: unknown, options?: WireOptions): Promise<WireAnswer> {
    return this.send('POST', path, { ...options, body })
  }

  delete(path: string, options?: WireOptions): Promise<WireAnswer> {
    return this.send('DELETE', path, options)
  }

  /** The path goes out as it is given. Rejects only when there is no answer. */
  send(method: string, path: string, options: WireOptions = {}): Promise<WireAnswer> {
    const { url, token: ownToken } = this.#target()
    const { hostname, port } = new URL(url)
    const { body, headers = {}, token = ownToken, signal } = options
    const payload =
      body === undefined ? undefined : typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body)
    const isChunked = headers['transfer-encoding'] !== undefined
    const length = payload === undefined || isChunked ? {} : { 'content-length': Buffer.byteLength(payload) }
    return new Promise((resolve, reject) => {
      const request = sendRequest(
        {
          agent: this.#agent,
          host: hostname,
          port,
          method,
          path,
          signal,
          headers: { ...length, ...headers, ...(token !== undefined && { 'x-consul-token': token }) },
        },
        (response) => {
          const chunks: Buffer[] = []
          response.on('data', (chunk: Buffer) => chunks.push(chunk))
          response.on('error', reject)
          response.on('end', () => resolve(toAnswer(response.statusCode ?? 0, response.headers, Buffer.concat(chunks))))
        },
      )
      request.on('error', reject)
      request.end(payload)
    })
  }

  close(): void {
    this.#agent.destroy()
  }
}

function toAnswer(status: number, headers: IncomingHttpHeaders, bytes: Buffer): WireAnswer {
  const text = bytes.toString('utf8')
  const index = headers['x-consul-index']
  return {
    status,
    headers,
    bytes,
    text,
    index: typeof index === 'string' ? Number(index) : -1,
    json: read(text),
  }
}

function read(text: string): WireAnswer['json'] {
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- as in the interface
  return <T>() => JSON.parse(text) as T
}

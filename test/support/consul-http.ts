import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { request as httpsRequest, type RequestOptions } from 'node:https'

/** Where and as whom to ask. */
export interface HttpTarget {
  readonly url: string
  readonly token?: string | undefined
  readonly socketPath?: string | undefined
  readonly tls?: { readonly ca: string; readonly cert: string; readonly key: string } | undefined
}

/** An answer, whatever its status. */
export interface HttpAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  /** The body read as JSON. Throws when it is none. */
  json(): unknown
}

/** What a request may carry. */
export interface HttpOptions {
  /** A string goes as it is, anything else as JSON. */
  readonly body?: unknown
  readonly token?: string
  /** Milliseconds until the request is given up. Default 10,000. */
  readonly within?: number
}

/**
 * One request to an agent over plain node:http, so that tests see Consul through other eyes than the client under test. Each has a
 * connection of its own, closed with the answer.
 */
export function askConsul(
  target: HttpTarget,
  method: string,
  path: string,
  options: HttpOptions = {},
): Promise<HttpAnswer> {
  const { body, token = target.token, within = 10_000 } = options
  const payload = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body)
  const url = new URL(path, target.url)
  const settings: RequestOptions = {
    method,
    agent: false,
    headers: { ...(token !== undefined && { 'x-consul-token': token }), connection: 'close' },
    ...(target.socketPath !== undefined && { socketPath: target.socketPath }),
    ...target.tls,
  }
  return new Promise((resolve, reject) => {
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest
    const request = send(url, settings, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8')
        const status = response.statusCode ?? 0
        resolve({ status, headers: response.headers, text, json: (): unknown => JSON.parse(text) })
      })
    })
    const late = new Error(`${method} ${path}: no answer within ${within} ms`)
    const timer = setTimeout(() => request.destroy(late), within)
    request.on('close', () => clearTimeout(timer))
    request.on('error', reject)
    request.end(payload)
  })
}

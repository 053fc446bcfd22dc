import type { IncomingHttpHeaders } from 'node:http'
import { GoDurationError, NS_PER_MS, parseGoDuration } from '../wire/go-duration.js'
import { GoDecodeError } from '../wire/go-decode.js'
import { GoJsonError, parseGoJson } from '../wire/go-json.js'
import { Refusal } from '../wire/reply.js'

/** One request, as the endpoints see it. */
export interface ApiRequestParts {
  readonly method: string
  /** Decoded and clean: no `//`, no `.` or `..` segments. */
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

const MAX_WAIT_MS = 600_000
const DEFAULT_WAIT_MS = 300_000

/** One request, as the endpoints see it. */
export class ApiRequest {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  /** The part of the path after the route. */
  readonly rest: string

  constructor({ method, path, query, headers, body }: ApiRequestParts, route: string) {
    this.method = method
    this.path = path
    this.query = query
    this.headers = headers
    this.body = body
    this.rest = path.slice(route.length)
  }

  /** The first value of a parameter; empty when it is absent. */
  param(name: string): string {
    return this.query.get(name) ?? ''
  }

  /** Whether a parameter is there at all, with or without a value. */
  has(name: string): boolean {
    return this.query.has(name)
  }

  /** The token, by Consul's order of precedence; empty for none. */
  get token(): string {
    const header = this.headers['x-consul-token']
    const bearer = /^bearer\s+(.*)$/i.exec(this.headers.authorization ?? '')?.[1]
    return [this.param('token'), typeof header === 'string' ? header.trim() : '', bearer?.trim()].find(Boolean) ?? ''
  }

  /** The JSON body. What is wrong with it is said in Go's words after `prefix`, with 400. */
  decode<Value>(decoder: (value: unknown, field: string) => Value, prefix = 'Request decode failed: '): Value {
    try {
      return decoder(parseGoJson(this.body.toString('utf8')), '')
    } catch (error) {
      if (error instanceof GoJsonError || error instanceof GoDecodeError) throw new Refusal(400, prefix + error.message)
      throw error
    }
  }

  /** The index to wait past; 0 for a plain read. */
  get minIndex(): bigint {
    const given = this.param('index')
    if (given === '') return 0n
    if (!/^\d+$/.test(given)) throw new Refusal(400, 'Invalid index')
    return BigInt(given)
  }

  /** How long a blocking query may wait, without its jitter. */
  get waitMs(): number {
    const given = this.param('wait')
    if (given === '') return DEFAULT_WAIT_MS
    const waitMs = parseWait(given) / NS_PER_MS
    return waitMs <= 0 ? DEFAULT_WAIT_MS : Math.min(waitMs, MAX_WAIT_MS)
  }
}

function parseWait(given: string): number {
  try {
    return parseGoDuration(given)
  } catch (error) {
    if (error instanceof GoDurationError) throw new Refusal(400, 'Invalid wait time')
    throw error
  }
}

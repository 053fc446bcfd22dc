import { Agent as HttpAgent, request as requestHttp, type ClientRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as requestHttps } from 'node:https'
import { isDeepStrictEqual } from 'node:util'
import type { AgentAnswer, ThreadTarget } from './messages.js'

/** Connections under one set of credentials. They are closed when a new set has come and the last request of the old one is over. */
interface Pool {
  readonly agent: HttpAgent
  underWay: number
}

/** One update of a check. */
export interface AgentRequest {
  readonly path: string
  readonly body: string
  readonly timeoutMs: number
  /** Ends it; what it answers then is of no interest. */
  readonly signal: AbortSignal
}

const MOST_CONNECTIONS = 8

/** So much of a refusal is told. */
const TOLD_BYTES = 300

/**
 * The requests of the heartbeat thread. It has no package at hand but Node.js itself: its program is one text. A new token goes with the
 * next request; a new certificate needs new connections, and the beats that are under way end over the old ones.
 */
export class AgentConnection {
  #target: ThreadTarget
  #pool: Pool

  constructor(target: ThreadTarget) {
    this.#target = target
    this.#pool = openPool(target)
  }

  /** Sends from now on with these credentials. */
  renew(target: ThreadTarget): void {
    const [old, before] = [this.#pool, this.#target]
    this.#target = target
    if (isDeepStrictEqual(placeOf(before), placeOf(target))) return
    this.#pool = openPool(target)
    if (old.underWay === 0) old.agent.destroy()
  }

  /** Never rejects. */
  async send(request: AgentRequest): Promise<AgentAnswer> {
    const pool = this.#pool
    pool.underWay += 1
    try {
      return await this.#answer(request, pool)
    } finally {
      pool.underWay -= 1
      if (pool !== this.#pool && pool.underWay === 0) pool.agent.destroy()
    }
  }

  #answer({ path, body, timeoutMs, signal }: AgentRequest, { agent }: Pool): Promise<AgentAnswer> {
    return new Promise((resolve) => {
      try {
        const request = this.#open(path, body, agent)
        const settle = (answer: AgentAnswer): void => {
          clearTimeout(timer)
          signal.removeEventListener('abort', end)
          resolve(answer)
        }
        const fail = (error: Error): void => settle(failed(error))
        const end = (): unknown => request.destroy()
        const timer = setTimeout(() => {
          settle({ ok: false, timedOut: true })
          request.destroy()
        }, timeoutMs)
        signal.addEventListener('abort', end, { once: true })
        request.on('error', fail)
        request.on('response', (response) => readAnswer(response, settle, fail))
        request.end(body)
      } catch (error) {
        // Of certificates that cannot be used, and headers that cannot be sent.
        resolve(failed(error))
      }
    })
  }

  #open(path: string, body: string, agent: HttpAgent): ClientRequest {
    const { baseUrl, socketPath, tls, headers, query } = this.#target
    const url = new URL(baseUrl)
    const isTls = url.protocol === 'https:'
    const place =
      socketPath === undefined
        ? { host: url.hostname.replace(/^\[|\]$/g, ''), port: url.port === '' ? (isTls ? 443 : 80) : Number(url.port) }
        : { socketPath }
    return (isTls ? requestHttps : requestHttp)({
      ...tls,
      ...place,
      agent,
      method: 'PUT',
      path: url.pathname.replace(/\/$/, '') + path + query,
      headers: { ...headers, 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
    })
  }
}

function openPool({ baseUrl }: ThreadTarget): Pool {
  const Agent = baseUrl.startsWith('https:') ? HttpsAgent : HttpAgent
  return { agent: new Agent({ keepAlive: true, maxSockets: MOST_CONNECTIONS }), underWay: 0 }
}

/** All of a target that a connection is made with. */
function placeOf({ baseUrl, socketPath, tls }: ThreadTarget): unknown {
  return { baseUrl, socketPath, tls }
}

function readAnswer(
  response: IncomingMessage,
  resolve: (answer: AgentAnswer) => void,
  fail: (error: Error) => void,
): void {
  let text = ''
  response.setEncoding('utf8')
  response.on('data', (part: string) => {
    if (text.length < TOLD_BYTES) text += part
  })
  response.on('error', fail)
  response.on('end', () => {
    const { statusCode = 0 } = response
    resolve(statusCode === 200 ? { ok: true } : { ok: false, httpStatus: statusCode, body: text.slice(0, TOLD_BYTES) })
  })
}

function failed(error: unknown): AgentAnswer {
  const { message, code } = Object.assign({ message: String(error), code: undefined }, error)
  return { ok: false, message, ...(typeof code === 'string' && { code }) }
}

import type { IncomingMessage, ServerResponse } from 'node:http'
import { worstOf } from '../definition/health-status.js'
import type { RegistrationHealth } from './probe-board.js'

/**
 * Answers `/healthz`, `/livez` and `/readyz`, and leaves every other path to `next`, or answers it with 404 where there is none. Fits
 * `http.createServer`, Express and whatever takes a request and a response of `node:http`.
 */
export type HealthHandler = (request: IncomingMessage, response: ServerResponse, next?: () => void) => void

/** What the handler needs of a registration. */
export interface HealthSource {
  readonly id: string
  readonly state: string
  readonly health: RegistrationHealth
  /** It has not begun to leave and is not critical. */
  readonly isReady: boolean
}

interface Answer {
  readonly status: number
  readonly body: object
}

/** As Consul's HTTP check reads an answer: 2xx is passing, 429 warning, anything else critical. */
const HTTP_STATUS = Object.freeze({ passing: 200, warning: 429, critical: 503 })

/** A handler over the registrations that `sources` yields at the time of the request. */
export function createHealthHandler(sources: () => readonly HealthSource[]): HealthHandler {
  const answers: Readonly<Record<string, () => Answer>> = {
    // Whoever can answer lives. A probe that fails must not get a process restarted: that would not bring the database back.
    '/livez': () => ({ status: 200, body: { status: 'passing' } }),
    '/readyz': () => ready(sources()),
    '/healthz': () => healthOf(sources()),
  }
  return (request, response, next) => {
    const [path = ''] = (request.url ?? '').split('?')
    const answer = Object.hasOwn(answers, path) ? answers[path]?.() : undefined
    if (answer === undefined && next !== undefined) next()
    else send(request, response, answer ?? { status: 404, body: { error: 'not found' } })
  }
}

/**
 * Ready while every service of this client has not begun to leave and is passing or warning, as they are for whoever looks for them in
 * Consul. That Consul cannot be reached changes nothing.
 */
function ready(sources: readonly HealthSource[]): Answer {
  const isReady = sources.length > 0 && sources.every((source) => source.isReady)
  const services = sources.map(({ id, state, isReady: ready }) => ({ id, state, ready }))
  return { status: isReady ? 200 : 503, body: { ready: isReady, services } }
}

function healthOf(sources: readonly HealthSource[]): Answer {
  const services = sources.map(({ id, state, health }) => ({ id, state, ...shown(health) }))
  const status = worstOf(services.map((service) => service.status))
  return { status: HTTP_STATUS[status], body: { status, services } }
}

/** The probes alone decide: what Consul found by asking this very path must not decide what it finds next. */
function shown({ probes }: RegistrationHealth): RegistrationHealth {
  return { status: worstOf(Object.values(probes).map(({ status }) => status)), probes }
}

function send(request: IncomingMessage, response: ServerResponse, { status, body }: Answer): void {
  const text = JSON.stringify(body)
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
  })
  response.end(request.method === 'HEAD' ? undefined : text)
}

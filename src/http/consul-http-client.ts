import { EventEmitter } from 'node:events'
import { AbortLink, abortError, orAborted, withDeadline } from '../core/abort.js'
import type { Clock } from '../core/clock.js'
import { formatDuration } from '../core/duration.js'
import type { Runtime } from '../core/runtime.js'
import { Secret } from '../core/secret.js'
import { httpFailure } from '../errors/http-failure.js'
import { networkFailure } from '../errors/network-failure.js'
import { ProconsulError, isProconsulError } from '../errors/proconsul-error.js'
import { BodySink } from './body-sink.js'
import { isForeign } from './consul-answer.js'
import {
  areIdle,
  closePools,
  openPools,
  retirePools,
  type ConnectionPools,
  type ConnectionSetting,
} from './connection.js'
import { Credential } from './credential.js'
import { Lane } from './lane.js'
import type { PlainTarget } from './plain-target.js'
import { queryMeta } from './query-meta.js'
import { queryString } from './query-string.js'
import type { HttpAnswer, HttpClient, HttpRequest } from './request.js'
import { withRetries } from './retry.js'
import { TlsSource, type TlsConnectOptions } from './tls-source.js'
import { retryAfterMs } from '../core/retry-after.js'
import { TokenSource } from './token-source.js'
import { openWireClient, type WireClient } from './wire-client.js'

/** The agent may hold a blocking query this share of its wait longer than asked. */
const WAIT_JITTER_SHARE = 1 / 16

const LOOPBACK = /^https?:\/\/(?:localhost|127(?:\.\d+){3}|\[::1\])(?::|\/|$)/

interface Open {
  readonly pools: ConnectionPools
  /** The certificates with which these pools connect. */
  readonly tls: TlsConnectOptions | undefined
}

/** Requests to one agent, through the `consul` package. Opens its connections at the first request. */
export class ConsulHttpClient implements HttpClient {
  /** Places for blocking queries. */
  readonly watchLane: Lane
  readonly tokens: TokenSource
  readonly #setting: ConnectionSetting
  readonly #clock: Clock
  /** `user:password` as it goes over the wire. */
  readonly #basicCredentials: Secret | undefined
  readonly #closed = new AbortController()
  readonly #wire: WireClient
  /** Absent for plain HTTP. */
  readonly #tls: Credential<TlsConnectOptions> | undefined
  /** Pools of certificates that were replaced, with requests that are under way yet. */
  readonly #retired = new Set<ConnectionPools>()
  #open: Open | undefined

  constructor(setting: ConnectionSetting, runtime: Pick<Runtime, 'clock' | 'logger'>) {
    const { clock } = runtime
    this.#setting = setting
    this.#clock = clock
    this.#wire = openWireClient(setting.baseUrl, setting.socketPath)
    this.watchLane = new Lane(setting.maxBlockingQueries, clock)
    this.#basicCredentials = setting.basicAuth && new Secret(Buffer.from(setting.basicAuth.reveal()).toString('base64'))
    const closed = this.#closed.signal
    this.tokens = new TokenSource(setting.token, runtime, closed)
    const isTls = setting.baseUrl.startsWith('https:')
    this.#tls = isTls ? new Credential(new TlsSource(setting.tls), runtime, closed) : undefined
  }

  async request(request: HttpRequest): Promise<HttpAnswer> {
    const link = new AbortLink(this.#closed.signal, request.signal)
    try {
      return request.blocking === undefined
        ? await this.#short(request, link.signal)
        : await this.#blocking(request, request.blocking.waitMs, link.signal)
    } finally {
      link.unlink()
    }
  }

  /**
   * What a thread of its own needs to reach the same agent, with the token and the certificates of this moment: their files and functions
   * are looked at again.
   */
  async plainTarget(): Promise<PlainTarget> {
    const { baseUrl, socketPath } = this.#setting
    const { signal } = this.#closed
    const [token, tls] = await Promise.all([this.tokens.get(signal), this.#tls?.get(signal)])
    const headers = this.#headers({ compress: false }, token)
    return { baseUrl, socketPath, tls: tls ?? {}, headers, query: queryString({}, this.#setting) }
  }

  /**
   * Calls `listener` after the token or the certificates have changed: what was handed out by {@link plainTarget} is out of date then.
   * Returns a function that stops that.
   */
  onCredentialsChange(listener: () => void): () => void {
    const stops = [this.tokens.onChange(listener), this.#tls?.onChange(listener)]
    return () => {
      for (const stop of stops) stop?.()
    }
  }

  /** Ends what is under way with `PROCONSUL_CLOSED` and closes every connection. */
  close(): void {
    this.#closed.abort(new ProconsulError('PROCONSUL_CLOSED', 'the client is closed'))
    this.watchLane.close()
    for (const pools of this.#retired) closePools(pools)
    if (this.#open !== undefined) closePools(this.#open.pools)
  }

  async #short(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
    const timeoutMs = request.timeoutMs ?? this.#setting.timeoutMs
    let lastFailure: ProconsulError | undefined
    const onTimeout = (): ProconsulError => this.#timeout(request, timeoutMs, lastFailure)
    return await withDeadline({ clock: this.#clock, timeoutMs, signal, onTimeout }, async (deadline) => {
      const options = {
        idempotent: request.idempotent,
        repeat: request.repeat ?? true,
        clock: this.#clock,
        giveUpAt: this.#clock.monotonic() + timeoutMs,
        signal: deadline,
        onFailure: (error: ProconsulError) => {
          lastFailure = error
        },
      }
      return await withRetries(options, () => this.#attempt(request, deadline))
    })
  }

  async #blocking(request: HttpRequest, waitMs: number, signal: AbortSignal): Promise<HttpAnswer> {
    await this.watchLane.enter(signal)
    const heldMs = waitMs * (1 + WAIT_JITTER_SHARE)
    const startedAt = this.#clock.monotonic()
    let heldForMs = 0
    try {
      const timeoutMs = heldMs + (request.timeoutMs ?? this.#setting.timeoutMs)
      const onTimeout = (): ProconsulError => this.#timeout(request, timeoutMs, undefined)
      return await withDeadline({ clock: this.#clock, timeoutMs, signal, onTimeout }, (deadline) =>
        this.#attempt(request, deadline),
      )
    } catch (error) {
      if (signal.aborted) heldForMs = heldMs - (this.#clock.monotonic() - startedAt)
      throw error
    } finally {
      this.watchLane.leave(heldForMs)
    }
  }

  async #attempt(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
    const tls = await this.#tls?.get(signal)
    const token = request.token === undefined ? await this.tokens.get(signal) : new Secret(request.token)
    if (signal.aborted) throw abortError(signal)

    const pools = this.#poolsFor(tls)
    const ctx = new EventEmitter()
    const cancel = (): boolean => ctx.emit('cancel')
    signal.addEventListener('abort', cancel, { once: true })
    const { sink, failed } = this.#bodySink(request, cancel)
    try {
      const send = { GET: '_get', PUT: '_put', POST: '_post', DELETE: '_delete' } as const
      const body = encodeBody(request.body)
      const sent = this.#wire[send[request.method]]({
        name: request.operation,
        path: request.path + queryString(request, this.#setting),
        headers: this.#headers(request, token),
        ...(body !== undefined && { body }),
        agent: pools[poolOf(request)],
        pipe: sink,
        ctx,
      })
      await orAborted(signal, Promise.race([sent, failed]))
    } catch (error) {
      // An answer that is no success rejects as well. The package's error holds the request's headers: it goes no further.
      if (isProconsulError(error)) throw error
      if (sink.response?.complete !== true)
        throw networkFailure(request.operation, this.#target, error, isRead(request))
    } finally {
      signal.removeEventListener('abort', cancel)
    }
    return await this.#answer(request, sink, token)
  }

  #bodySink(request: HttpRequest, cancel: () => void): { sink: BodySink; failed: Promise<never> } {
    let onFailure: (error: ProconsulError) => void = () => undefined
    const failed = new Promise<never>((_resolve, reject) => {
      onFailure = (error) => {
        reject(error)
        cancel()
      }
    })
    const maxBytes = Math.min(this.#setting.maxResponseBytes, request.maxBytes ?? Infinity)
    return { sink: new BodySink(request.operation, maxBytes, onFailure), failed }
  }

  async #answer(request: HttpRequest, sink: BodySink, token: Secret | undefined): Promise<HttpAnswer> {
    const response = sink.response
    const status = response?.statusCode ?? 0
    const headers = response?.headers ?? {}
    const body = await sink.read()
    const isSuccess = status >= 200 && status < 300
    // The body of a success may be large: its headers are enough.
    const isOther = isForeign({ status, headers, body: isSuccess ? '' : body.toString('utf8') })
    if (!isOther && (isSuccess || request.answers?.includes(status) === true)) {
      return { operation: request.operation, status, body, meta: { ...queryMeta(headers), bodyBytes: body.length } }
    }
    const wait = retryAfterMs(headers['retry-after'], this.#clock.now())
    throw httpFailure({
      operation: request.operation,
      status,
      body: this.#redact(body.toString('utf8'), token),
      target: this.#target,
      isRead: isRead(request),
      isForeign: isOther,
      ...(wait !== undefined && { retryAfterMs: wait }),
    })
  }

  #headers(
    { body, compress = true }: Pick<HttpRequest, 'body' | 'compress'>,
    token: Secret | undefined,
  ): Record<string, string> {
    const isJson = body !== undefined && !Buffer.isBuffer(body)
    const mayCompress = compress === 'off-host' ? !this.#isOnHost : compress
    return {
      'accept-encoding': mayCompress ? 'gzip' : 'identity',
      'user-agent': 'proconsul',
      ...(token !== undefined && { 'x-consul-token': token.reveal() }),
      ...(this.#basicCredentials !== undefined && { authorization: `Basic ${this.#basicCredentials.reveal()}` }),
      ...(isJson && { 'content-type': 'application/json' }),
    }
  }

  #redact(text: string, token: Secret | undefined): string {
    const secrets = [token, this.#setting.basicAuth, this.#basicCredentials]
    return secrets.reduce((redacted, secret) => secret?.redact(redacted) ?? redacted, text)
  }

  #timeout(request: HttpRequest, timeoutMs: number, lastFailure: ProconsulError | undefined): ProconsulError {
    const before = lastFailure === undefined ? '' : `; before that: ${lastFailure.message}`
    const message = `${request.operation}: no answer from ${this.#target} within ${formatDuration(timeoutMs)}${before}`
    // An agent looks for a leader for many seconds before it says that there is none: the repetition runs out of time.
    const code = lastFailure?.code === 'PROCONSUL_NO_LEADER' ? lastFailure.code : 'PROCONSUL_TIMEOUT'
    return new ProconsulError(code, message, lastFailure && { cause: lastFailure })
  }

  get #isOnHost(): boolean {
    return this.#setting.socketPath !== undefined || LOOPBACK.test(this.#setting.baseUrl)
  }

  get #target(): string {
    return this.#setting.socketPath ?? this.#setting.baseUrl
  }

  /** The pools with these certificates. Those of earlier ones are given up: a connection shows its certificate only once. */
  #poolsFor(tls: TlsConnectOptions | undefined): ConnectionPools {
    if (this.#open?.tls === tls && this.#open !== undefined) return this.#open.pools
    for (const pools of this.#retired) if (areIdle(pools)) this.#retired.delete(pools)
    if (this.#open !== undefined) {
      retirePools(this.#open.pools)
      this.#retired.add(this.#open.pools)
    }
    this.#open = { pools: openPools(this.#setting, tls), tls }
    return this.#open.pools
  }
}

function poolOf(request: HttpRequest): keyof ConnectionPools {
  if (request.blocking !== undefined) return 'watch'
  if (request.vital === true) return 'vital'
  return request.idempotent ? 'command' : 'once'
}

function isRead({ method, writes }: HttpRequest): boolean {
  return writes === undefined ? method === 'GET' : !writes
}

function encodeBody(body: unknown): Buffer | undefined {
  if (body === undefined || Buffer.isBuffer(body)) return body
  return Buffer.from(JSON.stringify(body))
}

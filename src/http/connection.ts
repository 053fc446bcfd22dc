import { Agent as HttpAgent, type AgentOptions } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import type { Secret } from '../core/secret.js'
import type { TlsConnectOptions, TlsSetting } from './tls-source.js'
import type { TokenSetting } from './token-source.js'

/** Everything needed to reach one agent. */
export interface ConnectionSetting {
  /** `http://host:port/prefix`, without a trailing slash. For a unix socket the host is `localhost`. */
  readonly baseUrl: string
  readonly socketPath?: string | undefined
  readonly tls: TlsSetting
  /** `user:password` for HTTP basic authentication, in front of the agent. */
  readonly basicAuth?: Secret | undefined
  readonly token: TokenSetting
  readonly datacenter?: string | undefined
  readonly namespace?: string | undefined
  readonly partition?: string | undefined
  /** Time for one request with its repetitions. */
  readonly timeoutMs: number
  /** Blocking queries under way at once. */
  readonly maxBlockingQueries: number
  /** Connections for all other requests that are safe to repeat, but for heartbeats. */
  readonly maxConnections: number
  readonly maxResponseBytes: number
}

/** One pool of connections per kind of request, so that none can starve another. */
export interface ConnectionPools {
  /** Short requests that are safe to repeat, over kept connections. */
  readonly command: HttpAgent
  /** Blocking queries. */
  readonly watch: HttpAgent
  /** Heartbeats. */
  readonly vital: HttpAgent
  /** Requests that must not be repeated: a fresh connection each, since a kept one may be dead without our knowing. */
  readonly once: HttpAgent
}

/** Heartbeats are answered within a millisecond, but where one changes a status without a leader it may hang for many seconds. */
const VITAL_CONNECTIONS = 8
/** Conditional writes and transactions at once. With the rest of the defaults, two processes stay below an agent's 200 connections. */
const ONCE_CONNECTIONS = 8

/** Makes the pools. `tls` is there for https. */
export function openPools(setting: ConnectionSetting, tls: TlsConnectOptions | undefined): ConnectionPools {
  const pool = (options: AgentOptions): HttpAgent => {
    const shared = { ...options, ...lookupOption(setting.baseUrl) }
    return tls === undefined ? new HttpAgent(shared) : new HttpsAgent({ ...shared, ...tls })
  }
  return {
    command: pool({ keepAlive: true, maxSockets: setting.maxConnections }),
    watch: pool({ keepAlive: true, maxSockets: setting.maxBlockingQueries }),
    vital: pool({ keepAlive: true, maxSockets: VITAL_CONNECTIONS }),
    once: pool({ keepAlive: false, maxSockets: ONCE_CONNECTIONS }),
  }
}

/** Lets what is under way end, and keeps no connection after that. */
export function retirePools(pools: ConnectionPools): void {
  for (const pool of poolsOf(pools)) {
    pool.maxFreeSockets = 0
    for (const socket of Object.values(pool.freeSockets).flatMap((free) => free ?? [])) socket.destroy()
  }
}

/** Whether nothing is under way any more. */
export function areIdle(pools: ConnectionPools): boolean {
  return poolsOf(pools).every((pool) => Object.keys(pool.sockets).length + Object.keys(pool.requests).length === 0)
}

/** Closes every connection at once. */
export function closePools(pools: ConnectionPools): void {
  for (const pool of poolsOf(pools)) pool.destroy()
}

function poolsOf({ command, watch, vital, once }: ConnectionPools): readonly HttpAgent[] {
  return [command, watch, vital, once]
}

/** The `consul` package passes an IPv6 host on with its brackets, which no resolver knows. */
function lookupOption(baseUrl: string): AgentOptions {
  const { hostname } = new URL(baseUrl)
  if (!hostname.startsWith('[')) return {}
  const address = hostname.slice(1, -1)
  return {
    lookup: (_hostname, options, done) => {
      if (options.all === true) done(null, [{ address, family: 6 }])
      else done(null, address, 6)
    },
  }
}

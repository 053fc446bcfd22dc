import { readFile, readdir } from 'node:fs/promises'
import { Agent as HttpAgent, type AgentOptions } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { join } from 'node:path'
import type { Secret } from '../core/secret.js'
import { ProconsulError } from '../errors/proconsul-error.js'
import type { TokenSetting } from './token-source.js'

/** PEM text or bytes, or the file that holds them, read at the first request. */
export type PemSource =
  | { readonly type: 'inline'; readonly pem: string | Buffer }
  | { readonly type: 'file' | 'directory'; readonly option: string; readonly path: string }

/** TLS as resolved from options and environment. */
export interface TlsSetting {
  readonly ca: readonly PemSource[]
  readonly cert?: PemSource | undefined
  readonly key?: PemSource | undefined
  readonly passphrase?: Secret | undefined
  /** Name for SNI and for the check of the certificate. */
  readonly serverName?: string | undefined
  readonly verify: boolean
}

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

/** Makes the pools, reading the TLS files. */
export async function openPools(setting: ConnectionSetting): Promise<ConnectionPools> {
  const tls = setting.baseUrl.startsWith('https:') ? await tlsOptions(setting.tls) : undefined
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

/** The options of `node:https` for a setting, with its files read. */
export async function tlsOptions(tls: TlsSetting): Promise<object> {
  const ca = (await Promise.all(tls.ca.map(readPem))).flat()
  const [cert] = tls.cert === undefined ? [] : await readPem(tls.cert)
  const [key] = tls.key === undefined ? [] : await readPem(tls.key)
  return {
    rejectUnauthorized: tls.verify,
    ...(ca.length > 0 && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(tls.passphrase !== undefined && { passphrase: tls.passphrase.reveal() }),
    ...(tls.serverName !== undefined && { servername: tls.serverName }),
  }
}

async function readPem(source: PemSource): Promise<(string | Buffer)[]> {
  if (source.type === 'inline') return [source.pem]
  try {
    if (source.type === 'file') return [await readFile(source.path)]
    const files = (await readdir(source.path, { withFileTypes: true })).filter((entry) => !entry.isDirectory())
    return await Promise.all(files.map((entry) => readFile(join(source.path, entry.name))))
  } catch (cause) {
    throw new ProconsulError(
      'PROCONSUL_INVALID_OPTION',
      `${source.option} is ${JSON.stringify(source.path)}, which cannot be read; expected a readable ${source.type}`,
      { cause },
    )
  }
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

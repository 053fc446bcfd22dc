import type { Random } from '../core/backoff.js'
import type { Clock } from '../core/clock.js'
import { parseDuration, type Duration } from '../core/duration.js'
import type { Logger } from '../core/logger.js'
import { checkInteger, checkObject, checkString } from '../core/option-check.js'
import type { Runtime } from '../core/runtime.js'
import { resolveRuntime } from '../core/runtime-options.js'
import { Secret } from '../core/secret.js'
import { readEnvironment, type ConsulEnvironment } from './environment.js'
import { invalidOption, SECRET_VALUE } from '../errors/invalid-option.js'
import { parseAddress, type Address } from '../http/address.js'
import type { ConnectionSetting } from '../http/connection.js'
import { TOKEN_FORM, tokenIn, type TokenFunction, type TokenSetting } from '../http/token-source.js'
import { resolveWatchOptions, type ResolvedWatchOptions, type WatchOptions } from '../watch/watch-options.js'
import { resolveTls, type TlsOptions } from './tls-options.js'

/**
 * What a {@link Proconsul} is made of. All optional: a service beside an agent of its own needs none. What is not given comes from the
 * environment variables of Consul's own tools, then the default; in production most services are configured by these variables alone.
 */
export interface ProconsulOptions {
  /**
   * `'host:port'`, `'http://…'`, `'https://…'`, or `'unix:///path'`. Without a port, the scheme's own, which is not 8500.
   * Then CONSUL_HTTP_ADDR. Default `'http://127.0.0.1:8500'`. For those whose agent is on another host, or reached through a gateway.
   */
  readonly address?: string | undefined
  /**
   * ACL token, or a function that yields the current one, asked at most once a second and for five seconds at most. When it yields another,
   * registrations follow; while it fails, or yields none, the last one goes on. A function is for those whose tokens come from Vault or a
   * login and run out. Then CONSUL_HTTP_TOKEN_FILE, then CONSUL_HTTP_TOKEN. Default none: the agent's own default token counts.
   */
  readonly token?: string | TokenFunction | undefined
  /** File that holds the ACL token; read again when it changes. For those whose platform writes it. Not together with `token`. */
  readonly tokenFile?: string | undefined
  /** `'user:password'` of HTTP basic authentication, for those with a proxy in front of the agent that asks for it. Then CONSUL_HTTP_AUTH. */
  readonly auth?: string | undefined
  /** Namespace, for users of Consul Enterprise. Then CONSUL_NAMESPACE. Default: that of the token, or `default`. */
  readonly namespace?: string | undefined
  /** Admin partition, for users of Consul Enterprise. Then CONSUL_PARTITION. Default: that of the agent. */
  readonly partition?: string | undefined
  /** Datacenter to ask, for a client that works on another one than its agent's. Default: the agent's own. */
  readonly datacenter?: string | undefined
  /** TLS to the agent, whose address must then be `https`. For those whose agent is not on loopback, or asks for certificates. */
  readonly tls?: TlsOptions | undefined
  /**
   * Time for one request with its repetitions; a blocking query has its hold on top. Default `'10s'`. A job that must not wait sets less,
   * who reads from datacenters far away more.
   */
  readonly timeout?: Duration | undefined
  /**
   * Blocking queries under way at once, 1 to 190. Default 64. An agent allows one host 200 connections in all: where many processes share an
   * agent, each sets less; one that watches hundreds of things alone, more. Watches beyond it take turns.
   */
  readonly maxBlockingQueries?: number | undefined
  /**
   * Connections for short requests, 1 to 190. Default 16. Set together with `maxBlockingQueries`, for the same reason. Heartbeats and
   * conditional writes have eight each beside them.
   */
  readonly maxConnections?: number | undefined
  /**
   * Answers with a larger body fail with `PROCONSUL_RESPONSE_TOO_LARGE`. In bytes, after decompression. Default 32 MiB. Who lists more
   * than some 20,000 instances at once raises it; who has little memory lowers it.
   */
  readonly maxResponseBytes?: number | undefined
  /** How watches read. */
  readonly watch?: WatchOptions | undefined
  /**
   * Where messages go, in pino's argument order; `console` fits. Every service should hand over its own. Default: standard error if
   * NODE_DEBUG holds `proconsul`, and faults of the application's own listeners and hooks as process warnings.
   */
  readonly logger?: Logger | undefined
  /** The time that the loops live by. For tests. */
  readonly clock?: Clock | undefined
  /** The randomness of jitter. For tests. */
  readonly random?: Random | undefined
}

/** Options with every value decided. */
export interface ResolvedOptions {
  readonly connection: ConnectionSetting
  readonly watch: ResolvedWatchOptions
  readonly runtime: Runtime
}

/** Every default, with its reason. */
export const PROCONSUL_DEFAULTS = Object.freeze({
  /** The agent belongs on the same host (https://developer.hashicorp.com/consul/docs/architecture). */
  address: '127.0.0.1:8500',
  /** Longer than the agent's own hold of about 7 s while servers elect a leader, so that an election is not taken for an outage. */
  timeoutMs: 10_000,
  /** Two processes with every lane full stay below the 200 connections that an agent allows one host. */
  maxBlockingQueries: 64,
  maxConnections: 16,
  /** 5,000 instances of one service are 8 MB. */
  maxResponseBytes: 32 * 1024 * 1024,
})

const MOST_CONNECTIONS = 190

const KNOWN_OPTIONS: readonly (keyof ProconsulOptions)[] = [
  'address',
  'token',
  'tokenFile',
  'auth',
  'namespace',
  'partition',
  'datacenter',
  'tls',
  'timeout',
  'maxBlockingQueries',
  'maxConnections',
  'maxResponseBytes',
  'watch',
  'logger',
  'clock',
  'random',
]

/**
 * Decides every value. Reads no file and asks no one.
 * @throws ProconsulError `PROCONSUL_INVALID_OPTION`, naming the option or the environment variable.
 */
export function resolveOptions(options: ProconsulOptions, variables: NodeJS.ProcessEnv): ResolvedOptions {
  checkObject('options', options, KNOWN_OPTIONS)
  const environment = readEnvironment(variables)
  const text = (name: 'namespace' | 'partition' | 'datacenter', fallback?: string): string | undefined =>
    options[name] === undefined ? fallback : checkString(name, options[name])
  const count = (name: 'maxBlockingQueries' | 'maxConnections' | 'maxResponseBytes', most: number): number =>
    checkInteger(name, options[name] ?? PROCONSUL_DEFAULTS[name], 1, most)
  const place = resolveAddress(options, environment)
  return Object.freeze({
    connection: Object.freeze({
      ...place,
      tls: resolveTls(options.tls, environment, place.baseUrl.startsWith('https:')),
      basicAuth: resolveAuth(options, environment),
      token: resolveToken(options, environment),
      namespace: text('namespace', environment.namespace),
      partition: text('partition', environment.partition),
      datacenter: text('datacenter'),
      timeoutMs: parseDuration('timeout', options.timeout ?? PROCONSUL_DEFAULTS.timeoutMs, { minMs: 1 }),
      maxBlockingQueries: count('maxBlockingQueries', MOST_CONNECTIONS),
      maxConnections: count('maxConnections', MOST_CONNECTIONS),
      maxResponseBytes: count('maxResponseBytes', Number.MAX_SAFE_INTEGER),
    }),
    watch: resolveWatchOptions(options.watch),
    runtime: resolveRuntime(options),
  })
}

function resolveAddress(
  options: ProconsulOptions,
  environment: ConsulEnvironment,
): Pick<ConnectionSetting, 'baseUrl' | 'socketPath'> {
  const explicit =
    options.address === undefined ? undefined : parseAddress('address', checkString('address', options.address))
  const address =
    explicit ??
    (environment.address === undefined
      ? parseAddress('address', PROCONSUL_DEFAULTS.address)
      : parseAddress('CONSUL_HTTP_ADDR', environment.address))
  if (address.type === 'unix') return { baseUrl: 'http://localhost', socketPath: address.socketPath }
  return { baseUrl: `${scheme(address, explicit !== undefined, environment)}://${address.authority}${address.prefix}` }
}

/** CONSUL_HTTP_SSL turns even `http://` of CONSUL_HTTP_ADDR into https, as in Consul's tools; a scheme in the option wins over it. */
function scheme(
  address: Extract<Address, { type: 'tcp' }>,
  isExplicit: boolean,
  environment: ConsulEnvironment,
): 'http' | 'https' {
  if (isExplicit && address.scheme !== undefined) return address.scheme
  return environment.ssl === true ? 'https' : (address.scheme ?? 'http')
}

function resolveAuth({ auth }: ProconsulOptions, environment: ConsulEnvironment): Secret | undefined {
  const [option, text] = auth === undefined ? ['CONSUL_HTTP_AUTH', environment.auth] : ['auth', auth]
  if (text === undefined) return undefined
  if (typeof text !== 'string' || text === '' || text.startsWith(':')) {
    throw invalidOption(option, SECRET_VALUE, "'user:password'")
  }
  return new Secret(text.includes(':') ? text : `${text}:`)
}

function resolveToken({ token, tokenFile }: ProconsulOptions, environment: ConsulEnvironment): TokenSetting {
  if (token !== undefined && tokenFile !== undefined) {
    throw invalidOption('tokenFile', tokenFile, 'either `token` or `tokenFile`, not both')
  }
  if (typeof token === 'function') return { type: 'function', read: token }
  if (token !== undefined) return fixedToken('token', token)
  if (tokenFile !== undefined) return { type: 'file', option: 'tokenFile', path: checkString('tokenFile', tokenFile) }
  if (environment.tokenFile !== undefined) {
    return { type: 'file', option: 'CONSUL_HTTP_TOKEN_FILE', path: environment.tokenFile }
  }
  return environment.token === undefined ? { type: 'none' } : fixedToken('CONSUL_HTTP_TOKEN', environment.token)
}

function fixedToken(option: string, token: unknown): TokenSetting {
  const text = typeof token === 'string' ? tokenIn(token) : undefined
  if (text === undefined) throw invalidOption(option, SECRET_VALUE, TOKEN_FORM)
  return { type: 'value', secret: new Secret(text) }
}

import { parseDuration, type Duration } from '../core/duration.js'
import {
  checkBoolean,
  checkInteger,
  checkObject,
  isRecord,
  checkSignal,
  checkString,
  checkStringMap,
} from '../core/option-check.js'
import { invalidOption, SECRET_VALUE } from '../errors/invalid-option.js'
import type { BlockingWait, HttpRequest, QueryValue } from '../http/request.js'
import { TOKEN_FORM, tokenIn } from '../http/token-source.js'
import { goDuration } from './go-duration.js'

/** Options of every call. */
export interface RequestOptions {
  /** Ends the call: it rejects with `PROCONSUL_ABORTED`. */
  readonly signal?: AbortSignal | undefined
  /** Time for the call with its repetitions. Default: the client's `timeout`. */
  readonly timeout?: Duration | undefined
  /** Whether the call is repeated after an outage that may pass. `false` is for loops with a back-off of their own. Default true. */
  readonly repeat?: boolean | undefined
  /** Overrides the client's ACL token. */
  readonly token?: string | undefined
  /** Overrides the client's datacenter. */
  readonly datacenter?: string | undefined
  /** Overrides the client's namespace (Consul Enterprise). */
  readonly namespace?: string | undefined
  /** Overrides the client's admin partition (Consul Enterprise). */
  readonly partition?: string | undefined
}

/** Options of a read of the catalog's state. */
export interface ReadOptions extends RequestOptions {
  /** Any server may answer, without asking the leader (https://developer.hashicorp.com/consul/api-docs/features/consistency). */
  readonly stale?: boolean | undefined
  /** The leader confirms with its peers that it still leads. Not with `stale` or `cached`. */
  readonly consistent?: boolean | undefined
  /** The agent may answer from its cache, where the endpoint has one. */
  readonly cached?: boolean | undefined
  /** Return when the index is above this one, or when `wait` is over. */
  readonly index?: number | undefined
  /** The longest that the agent holds a read with an `index`. Default 30 s here; Consul's own is 5 minutes. */
  readonly wait?: Duration | undefined
  /** Whether the agent may compress the answer. Default: yes, but for keys and values that an agent on the same host reads. */
  readonly compress?: boolean | undefined
}

/** Options of a read that lists. */
export interface ListOptions extends ReadOptions {
  /** Expression of https://developer.hashicorp.com/consul/api-docs/features/filtering. */
  readonly filter?: string | undefined
  /** Sort by round trip time from this node; `_agent` is the agent's own. */
  readonly near?: string | undefined
  /** Cluster peer to read from (Consul 1.13 and later). */
  readonly peer?: string | undefined
  /** Only nodes with all of this metadata. */
  readonly nodeMeta?: Readonly<Record<string, string>> | undefined
}

/** The hold asked for when a blocking read names none: modest, for the agent keeps an abandoned one until it is over. */
export const DEFAULT_WAIT_MS = 30_000

/** Consul caps a hold at ten minutes. */
const LONGEST_WAIT_MS = 600_000

/** The names of {@link RequestOptions}. */
export const REQUEST_OPTIONS: readonly (keyof RequestOptions)[] = Object.freeze([
  'signal',
  'timeout',
  'repeat',
  'token',
  'datacenter',
  'namespace',
  'partition',
])

/** The names of {@link ReadOptions}. */
export const READ_OPTIONS: readonly (keyof ReadOptions)[] = Object.freeze([
  ...REQUEST_OPTIONS,
  'stale',
  'consistent',
  'cached',
  'index',
  'wait',
  'compress',
])

/** The names of {@link ListOptions}. */
export const LIST_OPTIONS: readonly (keyof ListOptions)[] = Object.freeze([
  ...READ_OPTIONS,
  'filter',
  'near',
  'peer',
  'nodeMeta',
])

/**
 * The options of a call, which knows them all: one that is misspelt, or meant for another call, would be without effect. One that is
 * undefined counts as left out.
 * @throws ProconsulError `PROCONSUL_INVALID_OPTION`, naming the call and the option
 */
export function knownOptions<Options extends object>(
  operation: string,
  options: Options,
  known: readonly (keyof Options & string)[],
): Options {
  const given = isRecord(options) ? definedOnes(options) : options
  checkObject(`${operation}: options`, given, known)
  return options
}

function definedOnes(options: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}

type Common = Pick<HttpRequest, 'signal' | 'timeoutMs' | 'repeat' | 'token' | 'datacenter' | 'namespace' | 'partition'>

/** The part of a request that follows from the options of any call. */
export function commonPart(options: RequestOptions): Common {
  return {
    signal: checkSignal('signal', options.signal),
    timeoutMs: options.timeout === undefined ? undefined : parseDuration('timeout', options.timeout, { minMs: 1 }),
    ...(options.repeat !== undefined && { repeat: checkBoolean('repeat', options.repeat) }),
    token: options.token === undefined ? undefined : checkToken(options.token),
    datacenter: name('datacenter', options.datacenter),
    namespace: name('namespace', options.namespace),
    partition: name('partition', options.partition),
  }
}

function checkToken(token: unknown): string {
  const text = typeof token === 'string' ? tokenIn(token) : undefined
  if (text === undefined) throw invalidOption('token', SECRET_VALUE, TOKEN_FORM)
  return text
}

function name(option: string, value: unknown): string | undefined {
  return value === undefined ? undefined : checkString(option, value)
}

function flag(option: string, value: unknown): boolean | undefined {
  return value === undefined ? undefined : checkBoolean(option, value)
}

function nodeMetaPairs(nodeMeta: unknown): readonly string[] {
  return Object.entries(checkStringMap('nodeMeta', nodeMeta)).map(([key, value]) => `${key}:${value}`)
}

/** The part of a request that follows from the options of a read, with its query parameters. */
export function readPart(
  options: ListOptions,
  query: Readonly<Record<string, QueryValue>> = {},
): Common & Pick<HttpRequest, 'compress'> & { query: Readonly<Record<string, QueryValue>>; blocking?: BlockingWait } {
  const index =
    options.index === undefined ? undefined : checkInteger('index', options.index, 0, Number.MAX_SAFE_INTEGER)
  const blocking = index === undefined ? undefined : blockingWait(options.wait)
  return {
    ...commonPart(options),
    ...(options.compress !== undefined && { compress: checkBoolean('compress', options.compress) }),
    query: {
      ...query,
      stale: flag('stale', options.stale),
      consistent: flag('consistent', options.consistent),
      cached: flag('cached', options.cached),
      filter: name('filter', options.filter),
      near: name('near', options.near),
      peer: name('peer', options.peer),
      'node-meta': options.nodeMeta && nodeMetaPairs(options.nodeMeta),
      ...(blocking !== undefined && { index, wait: goDuration(blocking.waitMs) }),
    },
    ...(blocking !== undefined && { blocking }),
  }
}

/** How long a blocking read is to be held. */
export function blockingWait(wait: Duration | undefined): BlockingWait {
  const waitMs =
    wait === undefined ? DEFAULT_WAIT_MS : parseDuration('wait', wait, { minMs: 1, maxMs: LONGEST_WAIT_MS })
  return { waitMs }
}

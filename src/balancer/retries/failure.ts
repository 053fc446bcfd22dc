import { isRecord } from '../../core/option-check.js'
import { retryAfterMs } from '../../core/retry-after.js'

/** Reads what a failed call says of itself. Errors come from any client, so every field is looked at with care; nothing here throws. */

/** Whether what a call rejected with is the instance's fault. */
export type FailureTest = (error: unknown) => boolean

/**
 * What a failure says about the connection. `unsent`: none was made, so that nothing can have had an effect; `lost`: there was one, and
 * it broke; undefined: it says nothing.
 */
export type ConnectionFailure = 'unsent' | 'lost'

const UNSENT_CODES: ReadonlySet<unknown> = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_CONNECT_TIMEOUT',
  'ERR_SOCKET_CONNECTION_TIMEOUT',
])
const LOST_CODES: ReadonlySet<unknown> = new Set(['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ECONNABORTED', 'UND_ERR_SOCKET'])

/** Causes are followed so far: those of users may form a ring. */
const DEEPEST_CAUSE = 8

/** What an error, or what caused it, says about the connection. */
export function connectionFailure(error: unknown): ConnectionFailure | undefined {
  for (const cause of causesOf(error)) {
    // Of the tries of one connection, over IPv6 and IPv4, all have failed.
    const tries = field(cause, 'errors')
    if (Array.isArray(tries) && tries.length > 0 && tries.every((each) => isUnsent(each))) return 'unsent'
    if (isUnsent(cause)) return 'unsent'
    if (LOST_CODES.has(field(cause, 'code'))) return 'lost'
  }
  return undefined
}

/** The HTTP status that an error carries, as those of most clients do: `status`, `statusCode`, or those of its `response`. */
export function statusOf(error: unknown): number | undefined {
  const response = field(error, 'response')
  const found = [
    field(error, 'status'),
    field(error, 'statusCode'),
    field(response, 'status'),
    field(response, 'statusCode'),
  ]
  return found.find((status) => typeof status === 'number')
}

/** How long an error asks to wait before the next try, in milliseconds: its `retryAfterMs`, or the header `Retry-After`. */
export function pauseAskedBy(error: unknown, now: number): number | undefined {
  const told = field(error, 'retryAfterMs')
  if (typeof told === 'number' && told >= 0) return told
  for (const holder of [error, field(error, 'response')]) {
    const header = headerOf(field(holder, 'headers'))
    const askedMs = header === undefined ? undefined : retryAfterMs(header, now)
    if (askedMs !== undefined) return askedMs
  }
  return undefined
}

const TOO_LATE = 408
const TOO_MANY = 429

/** The default: a status below 500 is an answer as it should be, but for those that say that the instance cannot at present. */
export function isInstancesFault(error: unknown): boolean {
  const status = statusOf(error)
  return status === undefined || status >= 500 || status === TOO_LATE || status === TOO_MANY
}

/** The statuses after which the same call may succeed elsewhere. */
const PASSING_STATUSES: ReadonlySet<number> = new Set([TOO_LATE, TOO_MANY, 500, 502, 503, 504])

/** Whether the same call may succeed on another instance, if it does no harm to make it twice. */
export function mayPassElsewhere(error: unknown): boolean {
  const status = statusOf(error)
  return status === undefined || PASSING_STATUSES.has(status)
}

function isUnsent(error: unknown): boolean {
  if (UNSENT_CODES.has(field(error, 'code'))) return true
  // A connection to a socket file that is gone, or whose time ran out.
  return field(error, 'syscall') === 'connect'
}

function* causesOf(error: unknown): Generator {
  let cause: unknown = error
  for (let depth = 0; depth < DEEPEST_CAUSE && isRecord(cause); depth += 1) {
    yield cause
    cause = field(cause, 'cause')
  }
}

function headerOf(headers: unknown): string | undefined {
  const get = field(headers, 'get')
  try {
    const value: unknown =
      typeof get === 'function' ? Reflect.apply(get, headers, ['retry-after']) : field(headers, 'retry-after')
    return typeof value === 'string' ? value : undefined
  } catch {
    return undefined
  }
}

/** A field of something of unknown shape; a getter that throws has none. */
function field(holder: unknown, name: string): unknown {
  try {
    return isRecord(holder) ? holder[name] : undefined
  } catch {
    return undefined
  }
}

/**
 * The one error type of the package. Every rejection and every `error` event carries it. docs/reference/errors.md tells what to do
 * about each code.
 */

import { causeFacts, type ErrorFacts } from './error-facts.js'

/** Codes, each with whether the same call may succeed when it is repeated later. */
const RETRYABLE = {
  PROCONSUL_ABORTED: false,
  PROCONSUL_BAD_RESPONSE: true,
  PROCONSUL_CACHE_FAILED: false,
  PROCONSUL_CLOSED: false,
  PROCONSUL_CONFIG_INVALID: false,
  PROCONSUL_CONFLICT: false,
  PROCONSUL_HOOK_FAILED: false,
  PROCONSUL_INVALID_OPTION: false,
  PROCONSUL_MISSING_PEER: false,
  PROCONSUL_NO_INSTANCE: true,
  PROCONSUL_NO_LEADER: true,
  PROCONSUL_NOT_FOUND: false,
  PROCONSUL_PERMISSION_DENIED: false,
  PROCONSUL_RATE_LIMITED: true,
  PROCONSUL_REJECTED: false,
  PROCONSUL_RESPONSE_TOO_LARGE: false,
  PROCONSUL_TIMEOUT: true,
  PROCONSUL_TLS: false,
  PROCONSUL_UNAVAILABLE: true,
  PROCONSUL_UNSUPPORTED: false,
} as const satisfies Record<string, boolean>

/** The stable codes of {@link ProconsulError}. New codes may be added in a minor version; a code never changes its meaning. */
export type ProconsulErrorCode = keyof typeof RETRYABLE

/** What a code alone does not tell. */
export type ProconsulErrorReason = 'unknown-token' | 'without-effect'

/** Facts an error may carry beside its code and message. */
export interface ProconsulErrorOptions {
  /** What led to it: an error without secrets, or what the application threw. */
  readonly cause?: unknown
  /** The HTTP status of the agent's answer. */
  readonly status?: number
  /** How long the agent asks to wait before the next try, in milliseconds. */
  readonly retryAfterMs?: number
  /** Why there is no instance of a service, where the registry knows. */
  readonly emptyReason?: string
  /** What the code alone does not tell. */
  readonly reason?: ProconsulErrorReason
}

const BRAND = Symbol.for('proconsul.error')

/**
 * A failure with a stable `code`, a message that says what to do, and never a token, a password or a response object inside.
 * Compare `code`, or use {@link isProconsulError}; `instanceof` fails when a process holds two copies of the package.
 */
export class ProconsulError extends Error {
  /** What went wrong, for programs. */
  readonly code: ProconsulErrorCode
  /** Whether the same call may succeed when repeated later without a change on this side. */
  readonly retryable: boolean
  /** The HTTP status of the agent's answer, where there was one. */
  declare readonly status?: number
  /** How long the agent asked to wait before the next try, in milliseconds. */
  declare readonly retryAfterMs?: number
  /** Why there is no instance of a service, where the registry knows: as `emptyReason` of a snapshot. */
  declare readonly emptyReason?: string
  /**
   * `'unknown-token'` with `PROCONSUL_PERMISSION_DENIED` when Consul does not know the token at all. A token that was made a moment ago
   * may be unknown to some servers yet; one that is known and lacks a permission has no reason here. `'without-effect'` when the request
   * certainly changed nothing, so that it can be repeated whatever it was; without it, a write may have happened.
   */
  declare readonly reason?: ProconsulErrorReason

  constructor(code: ProconsulErrorCode, message: string, options: ProconsulErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'ProconsulError'
    this.code = code
    this.retryable = RETRYABLE[code]
    if (options.status !== undefined) this.status = options.status
    if (options.retryAfterMs !== undefined) this.retryAfterMs = options.retryAfterMs
    if (options.emptyReason !== undefined) this.emptyReason = options.emptyReason
    if (options.reason !== undefined) this.reason = options.reason
    Object.defineProperty(this, BRAND, { value: true })
  }

  /** What a log keeps: `JSON.stringify` of any other error is empty. Of the causes, to some depth, name, code and message. */
  toJSON(): ProconsulErrorJson {
    return {
      name: this.name,
      message: this.message,
      code: this.code,
      retryable: this.retryable,
      ...(this.status !== undefined && { status: this.status }),
      ...(this.retryAfterMs !== undefined && { retryAfterMs: this.retryAfterMs }),
      ...(this.reason !== undefined && { reason: this.reason }),
      ...(this.emptyReason !== undefined && { emptyReason: this.emptyReason }),
      ...causeFacts(this.cause),
    }
  }
}

/** A {@link ProconsulError} as JSON. */
export interface ProconsulErrorJson extends ErrorFacts {
  readonly code: ProconsulErrorCode
  readonly retryable: boolean
  readonly status?: number
  readonly retryAfterMs?: number
  readonly reason?: ProconsulErrorReason
  readonly emptyReason?: string
}

/** Every code of {@link ProconsulError}, sorted. */
export const PROCONSUL_ERROR_CODES: readonly string[] = Object.freeze(Object.keys(RETRYABLE).sort())

/** Whether `error` is a {@link ProconsulError} of any copy of this package, and of the given code where one is given. */
export function isProconsulError(error: unknown, code?: ProconsulErrorCode): error is ProconsulError {
  return error instanceof Error && BRAND in error && (code === undefined || ('code' in error && error.code === code))
}

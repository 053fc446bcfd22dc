import { ProconsulError, isProconsulError, type ProconsulErrorCode } from './proconsul-error.js'

/**
 * Turns an answer that is not a success into a typed error. Consul says most of what matters in the body text, and the same condition
 * has different statuses over the versions, so the text is read where the status alone misleads.
 * The wording was taken from Consul 1.8.7 and the sources of later versions.
 */

/** An answer of the agent that is not a success. `body` is text, already freed of secrets. */
export interface HttpFailure {
  /** What was asked, such as `health.service`. */
  readonly operation: string
  readonly status: number
  readonly body: string
  readonly retryAfterMs?: number
}

interface Rule {
  readonly matches: RegExp
  readonly code: ProconsulErrorCode
  readonly advice: string
}

/** For the statuses 500 and 503; the first match counts. */
const SERVER_ERRORS: readonly Rule[] = [
  {
    matches: /Permission denied|ACL not found/i,
    code: 'PROCONSUL_PERMISSION_DENIED',
    advice: 'check the ACL token and its policies',
  },
  {
    matches: /does not have associated TTL|Unknown (?:check|service)|(?:CheckID|ServiceID) ".*" does not exist/i,
    code: 'PROCONSUL_NOT_FOUND',
    advice: 'the agent does not know this id',
  },
  {
    matches: /rate limit/i,
    code: 'PROCONSUL_RATE_LIMITED',
    advice: 'slow down and try again',
  },
  {
    matches:
      /No cluster leader|leadership lost|not the leader|No known Consul servers|rpc error (?:getting client|making call):.*(?:EOF|connection|lead thread|deadline|timeout|shutdown)/i,
    code: 'PROCONSUL_NO_LEADER',
    advice:
      'the servers behind the agent have no leader; it passes with an election, and a write may have happened all the same',
  },
  {
    matches:
      /boolean expression evaluator|strconv\.|Invalid Session TTL|Invalid Behavior|invalid key name|ServiceID missing|CheckID missing|Missing check|invalid session|failed session lookup|is in critical state|Scripts are disabled|invalid (?:argument|index)/i,
    code: 'PROCONSUL_REJECTED',
    advice: 'the request itself is not acceptable',
  },
]

const BY_STATUS: Readonly<Record<number, Omit<Rule, 'matches'>>> = {
  403: { code: 'PROCONSUL_PERMISSION_DENIED', advice: 'check the ACL token and its policies' },
  404: { code: 'PROCONSUL_NOT_FOUND', advice: 'the agent does not know it' },
  409: { code: 'PROCONSUL_CONFLICT', advice: 'read again and decide anew' },
  429: { code: 'PROCONSUL_RATE_LIMITED', advice: 'slow down and try again' },
}

/** The typed error for an unsuccessful answer. */
export function httpFailure(failure: HttpFailure): ProconsulError {
  const { code, advice } = classify(failure)
  const said = failure.body.trim()
  const message = `${failure.operation}: the agent answered ${failure.status}${said === '' ? '' : ` "${cut(said)}"`}; ${advice}`
  return new ProconsulError(code, message, {
    status: failure.status,
    ...(failure.retryAfterMs !== undefined && { retryAfterMs: failure.retryAfterMs }),
  })
}

function classify({ status, body }: HttpFailure): Omit<Rule, 'matches'> {
  if (status === 403 && /blocked by agent configuration/i.test(body)) {
    return {
      code: 'PROCONSUL_PERMISSION_DENIED',
      advice: "the agent's http_config.block_endpoints forbids this path; no token helps",
    }
  }
  if (status === 400 && /HTTP request to an HTTPS server/i.test(body)) {
    return { code: 'PROCONSUL_TLS', advice: 'the address needs https://' }
  }
  if (status >= 500) {
    return (
      SERVER_ERRORS.find((rule) => rule.matches.test(body)) ?? {
        code: 'PROCONSUL_UNAVAILABLE',
        advice: 'it may pass by itself; a write may have happened all the same',
      }
    )
  }
  return BY_STATUS[status] ?? { code: 'PROCONSUL_REJECTED', advice: 'the request itself is not acceptable' }
}

const LONGEST_BODY = 300

function cut(text: string): string {
  return text.length > LONGEST_BODY ? `${text.slice(0, LONGEST_BODY)}…` : text
}

/** Whether the token is not known: it was deleted, or made so short a time ago that not every server has heard of it. */
export function isUnknownToken(error: unknown): boolean {
  return isProconsulError(error, 'PROCONSUL_PERMISSION_DENIED') && /ACL not found/i.test(error.message)
}
